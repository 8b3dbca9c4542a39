"""Names in a registry pointed elsewhere, and what each stood at before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import RegistryError
from ..model import Reference
from .registry import Manifest, Remote


@dataclass(frozen=True, slots=True)
class Moved:
    """One name that was (or was not) moved in a registry: old digest -> new digest; "" is "not there"."""

    reference: str
    old: str
    new: str


def point(remote: Remote, repository: str, manifest: Manifest, tag: str) -> Moved:
    """Points one tag at a manifest; the digest it stood at is read just before. A name that is there is left alone."""
    old = remote.digest(repository, tag) or ""
    if old != manifest.digest:
        remote.put(repository, tag, manifest)
    return Moved(str(Reference(remote.host, repository, tag)), old, manifest.digest)


def move(remote: Remote, repository: str, digest: str, names: Iterable[str]) -> tuple[Moved, ...]:
    """Points each of the tags `names` at the manifest that is already in the repository under `digest`.

    Raises RegistryError at the first tag that cannot be moved; whoever must know which were moved before that
    uses `point` for each.
    """
    manifest = remote.manifest(repository, digest)
    if manifest is None:
        raise RegistryError(
            f"{remote.host}/{repository} has nothing at {digest}, so no name can be moved there. Push the image first.",
            404,
        )
    return tuple(point(remote, repository, manifest, name) for name in names)
