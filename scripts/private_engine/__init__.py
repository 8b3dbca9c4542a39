"""A private Docker Engine and registry for one checkout, made of Debian's packages: the parts of `scripts/engine`.

Standard library only: this runs before any virtual environment exists. It knows nothing of Argosy's tasks.
"""
