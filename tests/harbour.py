"""What a registry really holds, read over plain HTTP without any code of ours; and what the engine does."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


@dataclass(frozen=True)
class Found:
    """A manifest as the registry sends it."""

    kind: str
    raw: bytes

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.raw).hexdigest()}"

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.raw)
        return value

    @property
    def platforms(self) -> set[str]:
        """The platforms of an index."""
        return set(self.of_platform)

    @property
    def of_platform(self) -> dict[str, str]:
        """The digest of each platform's manifest."""
        return {
            f"{one['platform']['os']}/{one['platform']['architecture']}": one["digest"]
            for one in self.json["manifests"]
        }


def tags(registry: str, repository: str) -> set[str]:
    """The names a repository has; none if there is no such repository."""
    try:
        with urllib.request.urlopen(f"http://{registry}/v2/{repository}/tags/list", timeout=10) as response:
            return set(json.load(response)["tags"] or ())
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return set()
        raise


def manifest(registry: str, repository: str, reference: str) -> Found:
    """What a tag or a digest names."""
    request = urllib.request.Request(f"http://{registry}/v2/{repository}/manifests/{reference}")
    request.add_header("Accept", ", ".join(KINDS))
    with urllib.request.urlopen(request, timeout=10) as response:
        return Found(response.headers["Content-Type"], response.read())


def put(registry: str, repository: str, tag: str, content: Found) -> None:
    """Writes a manifest under a tag, as a release of somebody else's would."""
    request = urllib.request.Request(
        f"http://{registry}/v2/{repository}/manifests/{tag}", data=content.raw, method="PUT"
    )
    request.add_header("Content-Type", content.kind)
    urllib.request.urlopen(request, timeout=10).close()


def delete(registry: str, repository: str, digest: str) -> None:
    """Takes a manifest away, as a registry's own clean-up would."""
    request = urllib.request.Request(f"http://{registry}/v2/{repository}/manifests/{digest}", method="DELETE")
    urllib.request.urlopen(request, timeout=10).close()


def annotated(content: Found, **annotations: str) -> Found:
    """The same manifest with annotations: other bytes, the same children."""
    value = content.json
    value["annotations"] = {**value.get("annotations", {}), **annotations}
    return Found(content.kind, json.dumps(value).encode())
