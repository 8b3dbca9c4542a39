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


@dataclass(frozen=True, slots=True)
class Way:
    """From one repository to another."""

    clients: Mapping[str, Remote]
    source: Place
    target: Place

    def carry(self, digest: str) -> int:
        """Copies all that hangs on a manifest; returns how many. Raises SurroundingsError for what does not arrive."""
        signed = sum(self._tag(referrers.tag(digest) + suffix) for suffix in SUFFIXES)
        attached = referrers.referrers(self._from, self.source.repository, digest)
        for one in attached:
            manifest = self._manifest(one.digest)
            self._blobs(manifest)
            referrers.enter(self._to, self.target.repository, digest, manifest)
        return signed + len(attached)

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
        self._blobs(manifest)
        if self._to.digest(self.target.repository, name) != manifest.digest:
            self._to.put(self.target.repository, name, manifest)
        return True

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
