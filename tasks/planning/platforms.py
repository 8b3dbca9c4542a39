"""Platforms as BuildKit spells them: `linux/arm64/v8` and `aarch64` are both linux/arm64.

It knows no engine: what a half-named platform falls back to is given. The rules are containerd's
(platforms.Parse and platforms.Normalize).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import ConfigError

_SYSTEMS = frozenset({"linux", "windows", "darwin", "freebsd", "macos"})
_ARCHITECTURES = {"i386": "386", "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
_PART = re.compile(r"[A-Za-z0-9_.-]+")


class Platform(NamedTuple):
    """A platform in its one canonical spelling."""

    os: str
    arch: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)

    @classmethod
    def parse(cls, text: str, native: str = "linux/amd64") -> Platform:
        """Reads `os`, `arch`, `os/arch` or `os/arch/variant`; what is left out is that of `native`.

        Raises ConfigError for anything else.
        """
        parts = text.lower().split("/")
        if not 0 < len(parts) <= len(cls._fields) or not all(_PART.fullmatch(part) for part in parts):
            raise ConfigError(f'"{text}" is no platform; one looks like linux/amd64 or linux/arm/v7')
        if len(parts) == 1:
            system, arch, *_ = native.lower().split("/")
            parts = [parts[0], arch] if parts[0] in _SYSTEMS else [system, parts[0]]
        system, arch, variant = (*parts, "")[:3]
        return cls("darwin" if system == "macos" else system, *_normal(arch, variant))


def spelled(about: Mapping[str, Any]) -> str:
    """Returns the platform that an image's configuration, or an index's entry, tells; "" for none, or "unknown"."""
    system, arch, variant = (str(about.get(key) or "") for key in ("os", "architecture", "variant"))
    return named(system, arch, variant) if system not in {"", "unknown"} and arch else ""


def named(system: str, arch: str, variant: str = "") -> str:
    """Returns a platform in its one spelling."""
    return str(Platform(system, *_normal(arch, variant)))


def _normal(arch: str, variant: str) -> tuple[str, str]:
    arch = _ARCHITECTURES.get(arch, arch)
    if arch in {"armhf", "armel"}:
        return "arm", "v7" if arch == "armhf" else "v6"
    if arch == "arm":
        variant = variant or "7"
        return arch, variant if variant.startswith("v") else f"v{variant}"
    implied = {"386": variant, "amd64": "v1", "arm64": "v8"}
    return arch, "" if variant in {implied.get(arch), implied.get(arch, "")[1:]} else variant
