"""An image kept as an OCI layout in one tar file, and its way into a registry by plain HTTP.

A file instead of an engine's store: a second checkout gets the same digests in a second or two.
Specification: opencontainers/image-spec image-layout.md, opencontainers/distribution-spec spec.md ("Push").
"""

from __future__ import annotations

import http.client
import json
import tarfile
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from private_engine.problem import ProblemError


def _blob(tar: tarfile.TarFile, digest: str) -> IO[bytes]:
    file = tar.extractfile(f"blobs/{digest.replace(':', '/')}")
    if file is None:
        raise ProblemError(f"{tar.name!s} lacks the blob {digest}. Delete it and run this again.")
    return file


def digest(archive: Path) -> str:
    """Returns the digest of the image in the layout."""
    with tarfile.open(archive) as tar:
        return str(_top(tar)["digest"])


def _top(tar: tarfile.TarFile) -> dict[str, Any]:
    index = tar.extractfile("index.json")
    manifests = json.loads(index.read())["manifests"] if index else [{}]
    return dict(manifests[0])


def push(archive: Path, port: int, repository: str, tag: str) -> None:
    """Sends everything in the layout to the registry on this loopback port; the tag comes last."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        with tarfile.open(archive) as tar:
            _push_manifest(connection, tar, repository, _top(tar), tag)
    finally:
        connection.close()


def _push_manifest(
    connection: http.client.HTTPConnection,
    tar: tarfile.TarFile,
    repository: str,
    described: dict[str, Any],
    name: str,
) -> None:
    body = _blob(tar, described["digest"]).read()
    manifest = json.loads(body)
    for child in manifest.get("manifests", []):
        _push_manifest(connection, tar, repository, child, child["digest"])
    for blob in (*([manifest["config"]] if "config" in manifest else []), *manifest.get("layers", [])):
        _push_blob(connection, tar, repository, blob)
    headers = {"Content-Type": described["mediaType"]}
    _ask(connection, "PUT", f"/v2/{repository}/manifests/{name}", body, headers, wanted=201)


def _push_blob(
    connection: http.client.HTTPConnection, tar: tarfile.TarFile, repository: str, blob: dict[str, Any]
) -> None:
    digest = blob["digest"]
    there, _ = _ask(connection, "HEAD", f"/v2/{repository}/blobs/{digest}", wanted=0)
    if there == http.client.OK:
        return
    _, location = _ask(connection, "POST", f"/v2/{repository}/blobs/uploads/", b"", wanted=202)
    parts = urlsplit(location)
    target = f"{parts.path}?{parts.query}{'&' if parts.query else ''}digest={digest}"
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob["size"])}
    _ask(connection, "PUT", target, _blob(tar, digest), headers, wanted=201)


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | IO[bytes] | None = None,
    headers: dict[str, str] | None = None,
    *,
    wanted: int,
) -> tuple[int, str]:
    """Sends one request; returns status and Location. Raises ProblemError where another status was wanted."""
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read(2000).decode(errors="replace")
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ProblemError(
            f"The registry at 127.0.0.1:{connection.port} broke off at {path}: {error}"
        ) from error
    if wanted not in {0, answer.status}:
        raise ProblemError(f"The registry refused {method} {path}: {answer.status} {text}")
    return answer.status, answer.headers.get("Location", "")
