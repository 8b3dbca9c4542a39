"""Outside base images made of Debian's packages, for machines without an image registry: the parts of `scripts/bases`.

Standard library only, beside `private_engine`, whose apt it uses. It knows nothing of Argosy's tasks.
"""
