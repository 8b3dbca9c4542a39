"""Floor 0, the nouns of a project: what build.toml says, as frozen values.

They know nothing of files, engines, registries or screens. Templates in them (`{version}`, `{image.base}`)
are still unexpanded: what they become depends on the facts of the moment, which only planning knows.
"""

from .image import Image, VersionSource
from .project import Builder, Client, Project, Registry, Releasing, TagRules
from .reference import DIGEST, HUB, REPOSITORY, TAG, Reference

__all__ = [
    "DIGEST",
    "HUB",
    "REPOSITORY",
    "TAG",
    "Builder",
    "Client",
    "Image",
    "Project",
    "Reference",
    "Registry",
    "Releasing",
    "TagRules",
    "VersionSource",
]
