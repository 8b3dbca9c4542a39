"""The address of an image: one digest over everything that goes into it. Pure: inputs in, address out.

An image's address on one platform is the digest of its inputs; over several platforms it is the digest of
those. Two machines that have the same inputs have the same address, whatever their clocks, users and paths.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Changes when what an address covers changes: an image built under older rules is then built anew.
RULES = "argosy-address-1"
PREFIX = "argosy-"
CONTENT = "content "
"""How inputs begin that stand for files; the files themselves are kept beside them."""
TAG = re.compile(rf"{PREFIX}[0-9a-f]{{40}}")


@dataclass(frozen=True, slots=True)
class Address:
    """An address and the inputs behind it, each under a name that stays the same between runs.

    `files` says for each path behind an input "content …" what is there, mode first. It explains the address;
    the inputs make it.
    """

    digest: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def tag(self) -> str:
        """The tag it has in the image's own repository, in the engine and in registries."""
        return f"{PREFIX}{self.digest[:40]}"


def address(inputs: Mapping[str, str], files: Mapping[str, str] | None = None) -> Address:
    """Returns the address of these inputs."""
    text = json.dumps([RULES, sorted(inputs.items())], ensure_ascii=True, separators=(",", ":"))
    return Address(hashlib.sha256(text.encode()).hexdigest(), inputs, files or {})


def joined(addresses: Mapping[str, Address]) -> Address:
    """Returns the address of an image over several platforms; that of one platform is its own."""
    if len(addresses) == 1:
        return next(iter(addresses.values()))
    inputs = {f"platform {platform}": found.digest for platform, found in addresses.items()}
    return address(inputs)


def is_address(tag: str) -> bool:
    """Tells an address tag from a name."""
    return bool(TAG.fullmatch(tag))
