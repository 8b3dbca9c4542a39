"""Floor 3, registries over HTTP: credentials, tokens, manifests, tags. Values in, values out."""
