"""What a build put into which repository: the seam between building and releasing.

After this, a release knows digests only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.publishing import Content
from ..errors import RefusedError
from ..model import Reference


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One repository at one registry host."""

    host: str
    repository: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}"


@dataclass(frozen=True, slots=True)
class Child:
    """One platform's manifest as an index describes it; `platform` is "os/arch[/variant]"."""

    digest: str
    media_type: str
    size: int
    platform: str
    annotations: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Child:
        """Reads one descriptor (https://github.com/opencontainers/image-spec/blob/main/descriptor.md)."""
        annotations = tuple(sorted((entry.get("annotations") or {}).items()))
        parts = entry.get("platform") or {}
        named = [str(parts.get(key) or "") for key in ("os", "architecture", "variant")]
        platform = "" if named[0] in {"", "unknown"} else "/".join(filter(None, named))
        return cls(str(entry["digest"]), str(entry["mediaType"]), int(entry["size"]), platform, annotations)

    def descriptor(self) -> dict[str, Any]:
        """The descriptor again; an attestation has the platform that BuildKit gives it."""
        parts = (self.platform or "unknown/unknown").split("/")
        platform = dict(zip(("os", "architecture", "variant"), parts, strict=False))
        entry: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        annotations = {"annotations": dict(self.annotations)} if self.annotations else {}
        return entry | {"platform": platform} | annotations


Contents = Mapping[str, Mapping[Place, tuple[Child, ...]]]
"""Image -> where it was pushed -> its platforms' manifests there."""


def content(settled: Mapping[str, Mapping[Reference, Content]]) -> Contents:
    """Returns what the images consist of, from what the engine settled after pushing (publishing.settle).

    Raises RefusedError where an image is not the same in all its repositories.
    """
    contents: dict[str, dict[Place, tuple[Child, ...]]] = {}
    for name, places in settled.items():
        for where, platforms in places.items():
            children = tuple(
                Child(manifest.digest, manifest.media_type, manifest.size, platform)
                for platform, manifest in platforms.items()
            )
            contents.setdefault(name, {})[Place(where.host, where.repository)] = children
        if len(set(contents.get(name, {}).values())) > 1:
            raise RefusedError(
                f"{name} is not the same in all its repositories, so it cannot be released as one thing. "
                "Push it again with --rebuild."
            )
    return contents
