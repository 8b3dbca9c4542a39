"""Floor 4, checks: each takes an image and evidence of it and returns findings."""
