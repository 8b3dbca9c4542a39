"""Small documents kept in a registry beside the images: a release's journal and its record, an SBOM.

An OCI artifact of one layer: https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
"""

from __future__ import annotations

import json
from typing import Any

from ..errors import RegistryError
from .registry import MANIFEST, Manifest, Remote

EMPTY = "application/vnd.oci.empty.v1+json"
NOTHING = b"{}"


def upload(remote: Remote, repository: str, kind: str, data: bytes, **more: Any) -> Manifest:
    """Uploads a document's bytes and returns the manifest that would name it; nothing has a name yet.

    `more` goes into the manifest: its `annotations`, the `subject` it is attached to. The same document always has
    the same manifest.
    """
    put_bytes(remote, repository, data)
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": Manifest.of(NOTHING, EMPTY).descriptor.as_json(),
        "layers": [Manifest.of(data, kind).descriptor.as_json()],
        **more,
    }
    return Manifest.of(json.dumps(body, sort_keys=True, separators=(",", ":")).encode(), MANIFEST)


def put_bytes(remote: Remote, repository: str, data: bytes) -> None:
    """Uploads a document's bytes: before its manifest is, and again where a clean-up may have taken them."""
    for blob in (NOTHING, data):
        try:
            remote.put_blob(repository, blob)
        except RegistryError:
            # An upload whose last answer was lost cannot be ended twice: it is begun once more.
            remote.put_blob(repository, blob)


def download(remote: Remote, repository: str, manifest: Manifest, kind: str) -> bytes | None:
    """Returns the document a manifest names, None if it is of another kind. Raises RegistryError if it is lost."""
    body = json.loads(manifest.raw)
    if body.get("artifactType") != kind:
        return None
    digest = str(body["layers"][0]["digest"])
    data = remote.blob(repository, digest)
    if data is None:
        raise RegistryError(
            f"{remote.host}/{repository}@{manifest.digest}: its content {digest} is gone.", 404
        )
    return data
