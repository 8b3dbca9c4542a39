"""Names in a registry pointed elsewhere."""

from __future__ import annotations

from ..model import Moved, Reference
from .registry import Manifest, Remote


def point(remote: Remote, repository: str, manifest: Manifest, tag: str) -> Moved:
    """Points one tag at a manifest; the digest it stood at is read just before. A name that is there is left alone."""
    old = remote.digest(repository, tag) or ""
    if old != manifest.digest:
        remote.put(repository, tag, manifest)
    return Moved(str(Reference(remote.host, repository, tag)), old, manifest.digest)
