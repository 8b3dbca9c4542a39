"""What is attached to a manifest in a registry: documents whose `subject` it is, without any name.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers. Where the registry has no such
list it is kept under a tag made of the subject's digest, and two writers at once lose one of their entries: so
each subject is written by one thread only, and read back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RegistryError
from . import documents
from .registry import INDEX, Manifest, Remote

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Referrer:
    """One document attached to a manifest: its digest, its kind (artifact type)."""

    digest: str
    kind: str


def tag(digest: str) -> str:
    """Returns the tag under which a subject's list stands where the registry keeps none."""
    return digest.replace(":", "-")


def referrers(remote: Remote, repository: str, digest: str) -> tuple[Referrer, ...]:
    """Returns what is attached to a manifest."""
    return tuple(
        Referrer(str(entry["digest"]), str(entry.get("artifactType", "")))
        for entry in _listed(remote, repository, digest) or ()
    )


def attach(remote: Remote, repository: str, subject: Manifest, kind: str, data: bytes) -> Manifest:
    """Attaches a document and returns its manifest. Raises RegistryError unless it is listed afterwards."""
    manifest = documents.upload(remote, repository, kind, data, subject=subject.descriptor.as_json())
    enter(remote, repository, subject.digest, manifest)
    return manifest


def enter(remote: Remote, repository: str, subject: str, manifest: Manifest) -> None:
    """Puts the manifest of an attached document and sees to it that the subject's list has it."""
    remote.put(repository, manifest.digest, manifest)
    for _ in range(ATTEMPTS):
        listed = _listed(remote, repository, subject)
        if listed is None and tag(subject) in remote.tags(repository):
            continue  # a list that cannot be read must not be written anew
        if any(entry["digest"] == manifest.digest for entry in listed or ()):
            return
        entries = [*(listed or ()), {**manifest.descriptor.as_json(), "artifactType": _kind(manifest)}]
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        remote.put(repository, tag(subject), Manifest.of(json.dumps(body, sort_keys=True).encode(), INDEX))
    raise RegistryError(
        f"{remote.host}/{repository}@{subject}: what was attached to it ({manifest.digest}) does not stay listed; "
        "does somebody else attach to it at the same time?"
    )


def _kind(manifest: Manifest) -> str:
    body = json.loads(manifest.raw)
    return str(body.get("artifactType") or (body.get("config") or {}).get("mediaType") or "")


def _listed(remote: Remote, repository: str, digest: str) -> Sequence[Mapping[str, Any]] | None:
    """Returns the list of what is attached to a manifest, None if there is none."""
    found = remote.referrers(repository, digest)
    if found is not None:
        return found
    index = remote.manifest(repository, tag(digest))
    return None if index is None else json.loads(index.raw).get("manifests") or ()
