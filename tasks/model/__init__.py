"""Floor 0, the nouns of a project: what build.toml says, as frozen values.

They know nothing of files, engines, registries or screens. Templates in them (`{version}`, `{image.base}`)
are still unexpanded: what they become depends on the facts of the moment, which only planning knows.
"""

from .cache import Cache
from .checking import Linting, Scanning
from .contract import NON_ROOT, Contract, Expect, ExpectedFile, ImageTest, Surroundings
from .decimal import Decimal
from .descriptor import Descriptor
from .held import Held
from .image import Image, VersionSource
from .lockstep import Lockstep
from .moved import Moved
from .project import Builder, Client, Project, Registry, TagRules
from .reference import DIGEST, HUB, REPOSITORY, TAG, Reference
from .releasing import Releasing
from .secret import Secret

__all__ = [
    "DIGEST",
    "HUB",
    "NON_ROOT",
    "REPOSITORY",
    "TAG",
    "Builder",
    "Cache",
    "Client",
    "Contract",
    "Decimal",
    "Descriptor",
    "Expect",
    "ExpectedFile",
    "Held",
    "Image",
    "ImageTest",
    "Linting",
    "Lockstep",
    "Moved",
    "Project",
    "Reference",
    "Registry",
    "Releasing",
    "Scanning",
    "Secret",
    "Surroundings",
    "TagRules",
    "VersionSource",
]
