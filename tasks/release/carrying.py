"""What hangs on a manifest, copied with it: signatures (tags made of its digest) and attached documents.

No tool carries both: `cosign copy` loses attachments, `oras cp -r` signatures, imagetools either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.together import together
from ..errors import SurroundingsError
from ..registries import referrers
from ..registries.registry import Manifest, Remote
from .content import Place

SUFFIXES = (".sig", ".att", ".sbom")
_JOINED = (".sig", ".att")
"""Lists of signatures, a layer for each: those that the target has of its own stay."""


@dataclass(frozen=True, slots=True)
class Way:
    """From one repository to another."""

    clients: Mapping[str, Remote]
    source: Place
    target: Place

    def carry(self, digest: str) -> int:
        """Copies all that hangs on a manifest; returns how many. Raises SurroundingsError for what does not arrive."""
        signed = sum(self._tag(referrers.tag(digest) + suffix) for suffix in SUFFIXES)
        attached = 0
        for one in referrers.referrers(self._from, self.source.repository, digest):
            manifest = self._from.manifest(self.source.repository, one.digest)
            if manifest is None:
                continue  # a clean-up took it, for it has no name, and left its entry in the list
            self._blobs(manifest)
            referrers.enter(self._to, self.target.repository, digest, manifest)
            attached += 1
        return signed + attached

    @property
    def _from(self) -> Remote:
        return self.clients[self.source.host]

    @property
    def _to(self) -> Remote:
        return self.clients[self.target.host]

    def _tag(self, name: str) -> bool:
        if not self._from.digest(self.source.repository, name):
            return False
        manifest = self._manifest(name)
        there = self._to.manifest(self.target.repository, name)
        if there is not None and there.digest == manifest.digest:
            return True
        self._blobs(manifest)
        wanted = self._joined(there, manifest) if there is not None and name.endswith(_JOINED) else manifest
        if there is None or wanted.digest != there.digest:
            self._to.put(self.target.repository, name, wanted)
        return True

    def _joined(self, there: Manifest, more: Manifest) -> Manifest:
        """Returns what has the target's own layers, and those of the source that it lacks."""
        body = json.loads(there.raw)
        # One payload signed with two keys is one blob: what differs is the signature beside it.
        lacking = [one for one in json.loads(more.raw)["layers"] if one not in body["layers"]]
        if not lacking:
            return there
        config = json.loads(self._to.blob(self.target.repository, body["config"]["digest"]) or b"{}")
        config.setdefault("rootfs", {"type": "layers"}).setdefault("diff_ids", [])
        config["rootfs"]["diff_ids"] += [one["digest"] for one in lacking]
        data = json.dumps(config).encode()
        body["config"] |= {"digest": self._to.put_blob(self.target.repository, data), "size": len(data)}
        body["layers"] += lacking
        return Manifest.of(json.dumps(body).encode(), there.media_type)

    def _manifest(self, reference: str) -> Manifest:
        found = self._from.manifest(self.source.repository, reference)
        if found is None:
            raise SurroundingsError(f"{self.source}: {reference} was listed and is not there")
        return found

    def _blobs(self, manifest: Manifest) -> None:
        for entry in _entries(json.loads(manifest.raw)):
            digest = str(entry["digest"])
            data = self._from.blob(self.source.repository, digest)
            if data is None:
                raise SurroundingsError(f"{self.source}@{manifest.digest}: its content {digest} is gone")
            self._to.put_blob(self.target.repository, data)


def _entries(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield body["config"]
    yield from body.get("layers") or ()


def carry(clients: Mapping[str, Remote], source: Place, target: Place, digests: tuple[str, ...]) -> int:
    """Copies what hangs on each of these manifests; returns how many things hang on them."""
    way = Way(clients, source, target)
    return sum(together(way.carry, dict.fromkeys(digests)))
