"""Floor 3: what touches the outside: git, the engine, registries. Values in, values out."""
