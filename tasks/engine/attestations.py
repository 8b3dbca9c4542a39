"""BuildKit's provenance, kept beside what it speaks of until a release names both.

BuildKit pushes it as a manifest of its own, in an index that is made anew by every build
(https://docs.docker.com/build/metadata/attestations/attestation-storage/). An address stands at the platform's manifest
alone; so the attestation gets a tag made of the digest it speaks of, and is found wherever that digest is reused.
"""

from __future__ import annotations

import json
import re

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


def read(remote: Remote, repository: str, digest: str) -> Manifest | None:
    """Returns the attestation that speaks of a digest, None if there is none."""
    return remote.manifest(repository, tag(digest))


def told(digest: str) -> dict[str, str]:
    """Returns what an index says of an attestation."""
    return {SPEAKS_OF: digest, KIND: ATTESTATION}
