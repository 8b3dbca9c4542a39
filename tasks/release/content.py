"""What a build put into which repository: the seam between building and releasing.

After this, a release knows digests only. It reads the registry, not the engine: what is there is released.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..engine.registry import Manifest, Remote
from ..engine.results import Results
from ..errors import RefusedError
from ..model import HUB
from ..planning.plan import Plan

THREADS = 8
ATTESTATION = "vnd.docker.reference.type"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One repository at one registry host."""

    host: str
    repository: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}"


@dataclass(frozen=True, slots=True)
class Child:
    """One platform's manifest (or an attestation to one), as an index describes it.

    `platform` is "os/arch[/variant]", "" for an attestation.
    """

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
        """The descriptor again; a platform's parts beyond os, architecture and variant are not kept."""
        parts = (self.platform or "unknown/unknown").split("/")
        platform = dict(zip(("os", "architecture", "variant"), parts, strict=False))
        entry: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        annotations = {"annotations": dict(self.annotations)} if self.annotations else {}
        return entry | {"platform": platform} | annotations


Contents = Mapping[str, Mapping[Place, tuple[Child, ...]]]
"""Image -> where it was pushed -> its platforms' manifests there."""


def content(plan: Plan, results: Results, clients: Mapping[str, Remote]) -> Contents:
    """Returns what the plan's published images consist of, as the registries hold it.

    Raises RefusedError for an image without a digest, or one that is not in its repository.
    """
    digests = {result.image: result.digest for result in results.images}
    wanted = [
        (image.name, Place(host, repository))
        for image in plan.selected
        if image.publish
        for host, repository in dict.fromkeys((r.registry or HUB, r.repository) for r in image.published)
    ]
    for name, place in wanted:
        if not digests.get(name):
            raise RefusedError(f"{name} has no digest at {place}: it was not pushed, so it is not released.")
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda one: children(clients[one[1].host], one[1].repository, digests[one[0]]), wanted)
        contents: dict[str, dict[Place, tuple[Child, ...]]] = {}
        for (name, place), these in zip(wanted, found, strict=True):
            contents.setdefault(name, {})[place] = these
    return contents


def children(remote: Remote, repository: str, digest: str) -> tuple[Child, ...]:
    """Returns the platforms' manifests behind a digest: an index's own, or the one plain manifest itself."""
    manifest = remote.manifest(repository, digest)
    if manifest is None:
        raise RefusedError(f"{remote.host}/{repository} has nothing at {digest}. Build and push it again.")
    body = json.loads(manifest.raw)
    if "manifests" in body:
        return tuple(Child.of(entry) for entry in body["manifests"])
    return (Child(digest, manifest.media_type, len(manifest.raw), _platform(remote, repository, manifest)),)


def _platform(remote: Remote, repository: str, manifest: Manifest) -> str:
    """A plain manifest says its platform in its configuration only."""
    raw = remote.blob(repository, json.loads(manifest.raw)["config"]["digest"])
    if raw is None:
        raise RefusedError(f"{remote.host}/{repository}@{manifest.digest} has no configuration in the registry.")
    config = json.loads(raw)
    named = [str(config.get(key) or "") for key in ("os", "architecture", "variant")]
    return "/".join(filter(None, named))
