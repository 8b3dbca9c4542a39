"""What is fixed to a released digest, as a verification finds it: a signature, SBOMs, provenance."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..engine import attestations, sboms
from ..engine.signing import Verifier
from ..errors import RegistryError
from ..registries import referrers
from ..registries.registry import Remote
from .content import Place

SIGNATURE, SBOM, PROVENANCE = "signature", "SBOM", "provenance"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What an image has, in words; and what it was released with and lacks."""

    there: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


def look(
    clients: Mapping[str, Remote],
    where: Place,
    digest: str,
    platforms: Iterable[str],
    promised: Iterable[str],
    verifier: Verifier | None,
) -> Sealed:
    """Looks at one image in one repository; `promised` is what the release was given."""
    platforms = tuple(platforms)
    try:
        remote = clients[where.host]
        there = {
            SIGNATURE: _signature(remote, where, digest, platforms, verifier),
            SBOM: all(has_sbom(remote, where, one) for one in platforms),
            PROVENANCE: _attested(remote, where, digest, platforms),
        }
    except RegistryError as error:
        return Sealed(lacking=(str(error),))
    words = tuple(
        f"{name} {found}" if isinstance(found, str) else name for name, found in there.items() if found
    )
    return Sealed(
        words, tuple(f"its {name} is missing or does not hold" for name in promised if not there[name])
    )


def has_sbom(remote: Remote, where: Place, digest: str) -> bool:
    """Whether an SBOM is attached to a manifest, and there in fact: a list outlives what a clean-up takes."""
    listed = referrers.referrers(remote, where.repository, digest)
    return any(one.kind == sboms.KIND and remote.digest(where.repository, one.digest) for one in listed)


def is_signed(remote: Remote, where: Place, digests: Iterable[str]) -> bool:
    """Whether each of these has a signature, good or bad: signing may have broken off between an index and its own."""
    return all(remote.digest(where.repository, f"{referrers.tag(digest)}.sig") for digest in digests)


def _signature(
    remote: Remote, where: Place, digest: str, platforms: Iterable[str], verifier: Verifier | None
) -> str:
    if not is_signed(remote, where, dict.fromkeys((digest, *platforms))):
        return ""
    if verifier is None:
        return "(there; not tried, for want of cosign or a key)"
    return "" if verifier.refusal(f"{where}@{digest}") else "(cosign verifies it)"


def _attested(remote: Remote, where: Place, digest: str, platforms: Iterable[str]) -> bool:
    """Whether the index has an attestation for each of its platforms, and they are there in fact.

    A manifest that is named without an index has its own at the tag that every push gives it.
    """
    found = remote.manifest(where.repository, digest)
    entries = (json.loads(found.raw).get("manifests") or ()) if found else ()
    told = {
        (entry.get("annotations") or {}).get(attestations.SPEAKS_OF): entry["digest"] for entry in entries
    }
    told.setdefault(digest, attestations.tag(digest))
    return all(one in told and remote.digest(where.repository, told[one]) for one in platforms)
