"""How a fleet is released, as build.toml has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Releasing:
    """From which branches, through which gates, sealed by what, and what becomes of the git tag.

    `sign` is a cosign key ("" for no signatures); `provenance` is BuildKit's mode. `permanent` are hosts that
    keep every tag for ever. `promote` is destination -> (the part of a name that is replaced, "" for registry
    and owner; what replaces it).
    """

    branches: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    sign: str = ""
    sbom: bool = False
    provenance: Literal["off", "min", "max"] = "off"
    permanent: tuple[str, ...] = ()
    git: Literal["push", "tag", "off"] = "push"
    promote: Mapping[str, tuple[str, str]] = field(default_factory=dict)
