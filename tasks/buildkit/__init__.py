"""Floor 3, what BuildKit says while it builds: its events read, steps told apart, failures worded."""
