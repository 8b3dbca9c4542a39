"""Floor 3: podman in place of a Docker Engine: a plan as its calls, run one after the other.

What podman lacks is refused by name before any work (lacks.py); it has no addresses, its own layer cache decides.
"""
