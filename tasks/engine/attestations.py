"""BuildKit's provenance, kept beside what it speaks of until a release names both.

BuildKit pushes it as a manifest of its own, in an index that is made anew by every build
(https://docs.docker.com/build/metadata/attestations/attestation-storage/). An address stands at the platform's manifest
alone; so the attestation gets a tag made of the digest it speaks of, and is found wherever that digest is reused.
"""

from __future__ import annotations

import json
import re

from ..errors import SurroundingsError
from ..registries.registry import Manifest, Remote

PREFIX = "argosy-provenance-"
SPEAKS_OF, KIND = "vnd.docker.reference.digest", "vnd.docker.reference.type"
ATTESTATION = "attestation-manifest"
_HANGING = re.compile(rf"(?:{PREFIX})?sha256-([0-9a-f]{{64}})(?:\.sig|\.att|\.sbom)?")


def tag(digest: str) -> str:
    """Returns the tag of what speaks of this digest."""
    return PREFIX + digest.replace(":", "-")


def subject(name: str) -> str:
    """Returns the digest that a tag hangs on (provenance, signature, a list of attachments), "" for any other tag."""
    found = _HANGING.fullmatch(name)
    return f"sha256:{found[1]}" if found else ""


def keep(remote: Remote, repository: str, index: Manifest) -> None:
    """Gives every attestation of an index that was just pushed its tag; one that speaks of the same already stays."""
    for entry in json.loads(index.raw).get("manifests") or ():
        says = entry.get("annotations") or {}
        if says.get(KIND) != ATTESTATION or remote.digest(repository, tag(says[SPEAKS_OF])):
            continue
        if manifest := remote.manifest(repository, entry["digest"]):
            remote.put(repository, tag(says[SPEAKS_OF]), manifest)


def carry(source: tuple[Remote, str], target: tuple[Remote, str], digest: str) -> None:
    """Copies what speaks of a digest from one repository to another that has that digest, and lacks this."""
    (origin, before), (remote, after) = source, target
    manifest = read(origin, before, digest)
    if manifest is None or remote.digest(after, tag(digest)):
        return
    body = json.loads(manifest.raw)
    for entry in (body["config"], *body["layers"]):
        data = origin.blob(before, entry["digest"])
        if data is None:
            raise SurroundingsError(
                f"{origin.host}/{before}@{manifest.digest}: {entry['digest']} of it is gone"
            )
        remote.put_blob(after, data)
    remote.put(after, tag(digest), manifest)


def read(remote: Remote, repository: str, digest: str) -> Manifest | None:
    """Returns the attestation that speaks of a digest, None if there is none."""
    return remote.manifest(repository, tag(digest))


def told(digest: str) -> dict[str, str]:
    """Returns what an index says of an attestation."""
    return {SPEAKS_OF: digest, KIND: ATTESTATION}
