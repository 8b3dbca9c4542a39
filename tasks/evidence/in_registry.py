"""Evidence of an image in a registry, over HTTP: the engine has no part in it, and nothing is pulled into it.

Manifest and configuration are fetched at once, layers when they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import RegistryError
from ..planning.platforms import spelled
from ..registries.registry import Manifest, Remote
from .blobs import Blobs, read
from .configuration import Configuration
from .evidence import Evidence, layers


def evidence(remote: Remote, repository: str, at: str, platform: str, blobs: Blobs) -> Evidence:
    """Returns what stands `at` a digest or tag for one platform; of an index, that platform's manifest.

    Raises RegistryError where the registry has no such thing, or not for this platform.
    """
    reference = f"{remote.host}/{repository}{'@' if ':' in at else ':'}{at}"
    found = _manifest(remote, repository, at)
    value: Mapping[str, Any] = json.loads(found.raw)
    if "manifests" in value:
        children = {spelled(one.get("platform") or {}): str(one["digest"]) for one in value["manifests"]}
        if platform not in children:
            there = ", ".join(filter(None, children)) or "none"
            raise RegistryError(f"{reference} is not there for {platform}. Its platforms: {there}.", 404)
        found = _manifest(remote, repository, children[platform])
        value = json.loads(found.raw)

    def blob(digest: str) -> Any:
        return blobs.fetch(digest, lambda file: remote.download(repository, digest, file))

    configuration = Configuration.of(read(blob(str(value["config"]["digest"]))))
    return Evidence(
        reference=f"{remote.host}/{repository}@{found.digest}",
        platform=platform,
        digest=found.digest,
        manifest=value,
        configuration=configuration,
        layers=layers(value, configuration),
        fetch=lambda layer: blob(layer.digest),
    )


def _manifest(remote: Remote, repository: str, at: str) -> Manifest:
    found = remote.manifest(repository, at)
    if found is None:
        raise RegistryError(f"{remote.host}/{repository} has nothing at {at}.", 404)
    return found
