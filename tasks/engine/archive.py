"""What an engine's archive of an image (`docker save`) holds: its digests, by platform.

It is an OCI layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md. Nothing is unpacked.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..planning.platforms import spelled

Entry = Mapping[str, Any]


def contents(archive: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Returns the IDs that the archive's image may have in an engine, and the digests of its manifests by platform.

    What an index names and the archive does not hold is passed over: an index that was pulled for one platform
    names the others too. Raises OSError and tarfile.TarError for what cannot be read.
    """
    ids: dict[str, None] = {}
    platforms: dict[str, str] = {}
    with tarfile.open(archive) as tar:
        held = set(tar.getnames())
        if "index.json" not in held:
            return _of_podman(tar)
        tops = _read(tar, "index.json")["manifests"]
        ids |= dict.fromkeys(entry["digest"] for entry in tops)
        for digest, manifest in _manifests(tar, held, tops):
            config = manifest.get("config", {}).get("digest", "")
            about = _read(tar, _blob(config)) if _blob(config) in held else {}
            if platform := spelled(about):  # what is attached to an image has none
                platforms[platform] = digest
                ids[config] = None
    return tuple(ids), platforms


def _of_podman(tar: tarfile.TarFile) -> tuple[tuple[str, ...], dict[str, str]]:
    """Reads podman's archives, which hold one platform: of an older form, without manifests."""
    stream = tar.extractfile("manifest.json")
    file = json.load(stream)[0]["Config"] if stream else ""
    about, config = _read(tar, file), f"sha256:{file.removesuffix('.json')}"
    return (config,), {spelled(about): config}


def _manifests(tar: tarfile.TarFile, held: set[str], entries: Sequence[Entry]) -> Iterator[tuple[str, Entry]]:
    for entry in entries:
        if _blob(entry["digest"]) in held:
            value = _read(tar, _blob(entry["digest"]))
            yield entry["digest"], value
            yield from _manifests(tar, held, value.get("manifests") or ())


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _read(tar: tarfile.TarFile, name: str) -> Entry:
    stream = tar.extractfile(name)
    found: Entry = json.load(stream) if stream else {}
    return found
