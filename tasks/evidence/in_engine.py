"""Evidence of an image in the engine's own store, out of what `docker image save` writes: an OCI layout.

It is read as it comes, blob by blob; one that is known already is passed over.
https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from ..engine import images, processes
from ..engine.docker import explain, program
from ..errors import AbsentError, SurroundingsError
from ..model import Client
from ..planning.platforms import spelled
from .blobs import Blobs, read
from .configuration import Configuration
from .entries import members
from .evidence import Evidence, Layer, layers

_BLOB = "blobs/sha256/"
_FORMAT: dict[Client, tuple[str, ...]] = {"docker": (), "podman": ("--format", "oci-archive")}


def evidence(client: Client, reference: str, platform: str, blobs: Blobs) -> Evidence:
    """Returns what an image in the engine is for one platform.

    Raises AbsentError where the engine does not have it, or not for this platform, and SurroundingsError for a fault.
    """
    found = _known(client, reference, platform, blobs) or _chosen(
        _save(client, reference, blobs), platform, blobs
    )
    if found is None:
        raise AbsentError(f"{reference} is not in the engine for {platform}. Build it: inv build")
    digest, manifest = found
    value = _json(str(manifest["config"]["digest"]), blobs)
    if client == "podman":
        value = _with_health(reference, value)
    configuration = Configuration.of(value)

    def fetch(layer: Layer) -> Path:
        # What was put aside may have been swept away since: then the engine is asked once more.
        return blobs.get(layer.digest) or _again(layer.digest)

    def _again(layer: str) -> Path:
        _save(client, reference, blobs)
        path = blobs.get(layer)
        if path is None:
            raise SurroundingsError(
                f"{reference}: the engine no longer has the layer {layer}. Build it again."
            )
        return path

    return Evidence(
        reference, platform, digest, manifest, configuration, layers(manifest, configuration), fetch
    )


def _with_health(reference: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns podman's configuration with its health check, which an OCI archive has no word for."""
    health = images.inspect("podman", [reference]).get(reference, {}).get("Healthcheck")
    inner = configuration.get("config") or {}
    return {**configuration, "config": {**inner, "Healthcheck": health}} if health else configuration


def _known(
    client: Client, reference: str, platform: str, blobs: Blobs
) -> tuple[str, Mapping[str, Any]] | None:
    """Finds the manifest among what was put aside earlier, if all but the layers is there.

    The containerd store knows an image by its index's digest; the classic one by its configuration's, which
    leads nowhere.
    """
    about = images.inspect(client, [reference]).get(reference)
    if about is None:
        raise AbsentError(f"{reference} is not in the engine. Build it: inv build")
    return _chosen([str(about["Id"])], platform, blobs)


def _chosen(digests: Iterable[str], platform: str, blobs: Blobs) -> tuple[str, Mapping[str, Any]] | None:
    """Returns the manifest of a platform among these and what they name, and its digest."""
    for digest in digests:
        value = _json(digest, blobs)
        if "manifests" in value:
            inner = [
                one for one in value["manifests"] if spelled(one.get("platform") or {}) in {"", platform}
            ]
            if found := _chosen([str(one["digest"]) for one in inner], platform, blobs):
                return found
        elif "layers" in value:
            configuration = _json(str(value["config"]["digest"]), blobs)
            if spelled(configuration) == platform:
                return digest, value
    return None


def _json(digest: str, blobs: Blobs) -> Mapping[str, Any]:
    path = blobs.get(digest)
    return read(path) if path else {}


def _save(client: Client, reference: str, blobs: Blobs) -> list[str]:
    """Puts every blob of an image aside and returns the digests that its archive begins with."""
    begins: list[str] = []
    with processes.streamed([program(client), "image", "save", *_FORMAT[client], reference]) as (out, done):
        try:
            for member, content in members(out):
                if member.name.startswith(_BLOB) and member.isreg():
                    blobs.fetch(f"sha256:{member.name.removeprefix(_BLOB)}", _copied(content))
                elif member.name == "index.json":
                    begins = [str(one["digest"]) for one in json.load(content)["manifests"]]
        except tarfile.TarError as error:
            # An engine that refuses writes nothing, and then its own words say why.
            if out.read(1):
                raise SurroundingsError(
                    f"what the engine saves of {reference} cannot be read: {error}"
                ) from error
    if not done[0]:
        raise explain(done[0])
    return begins


def _copied(content: IO[bytes]) -> Callable[[IO[bytes]], None]:
    return lambda file: shutil.copyfileobj(content, file, 1 << 20)
