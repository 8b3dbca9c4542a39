"""Is a release still what it was? Asked of the record and the registries, of nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..engine.signing import Verifier
from ..engine.together import together
from ..errors import RegistryError
from ..model import Reference
from ..registries.registry import Manifest, Remote, released
from . import record as records
from . import seals
from .content import Place
from .index import is_free
from .looking import absent, look, place
from .record import Entry, Record

_UNKNOWN = "was moved, and not by a release"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one reference of a release stands; `wrong` where a promise is broken.

    `sealed` is what its content has: "signature", "SBOM", "provenance", each in words.
    """

    entry: Entry
    now: str
    said: str
    wrong: bool = False
    sealed: tuple[str, ...] = ()


def verify(
    record: Record, clients: Mapping[str, Remote], home: Place, verifier: Verifier | None = None
) -> tuple[Finding, ...]:
    """Reads every name of a release, and everything behind it; `verifier` has a key to try signatures with.

    The records in `home` tell which release has moved a name on that does not say so itself.
    """
    sealed = _sealed(record, clients, verifier)
    found = together(lambda entry: _verified(record, entry, clients, sealed), record.entries)
    if not any(one.said == _UNKNOWN for one in found):
        return tuple(found)
    later = [one for one in records.history(clients, home) if one.moment > record.moment]
    return tuple(_moved_on(one, later) if one.said == _UNKNOWN else one for one in found)


def _verified(
    record: Record,
    entry: Entry,
    clients: Mapping[str, Remote],
    sealed: Mapping[tuple[str, str], seals.Sealed],
) -> Finding:
    reference = Reference.parse(entry.reference)
    try:
        now = look(clients, reference)
    except RegistryError as error:
        return Finding(entry, "", str(error), wrong=True)
    if now is None or is_free(now):
        return Finding(entry, "", "is not there", wrong=True)
    if now.digest != entry.digest:
        return _moved(record, entry, now)
    where = place(reference)
    children = record.platforms.get(entry.image, {}).values()
    if gone := absent(clients, [(where, digest) for digest in children]):
        return Finding(entry, now.digest, f"platforms are missing: {', '.join(gone)}", wrong=True)
    found = sealed[entry.image, reference.name]
    if found.lacking:
        return Finding(entry, now.digest, "; ".join(found.lacking), wrong=True, sealed=found.there)
    return Finding(entry, now.digest, "as released", sealed=found.there)


def _sealed(
    record: Record, clients: Mapping[str, Remote], verifier: Verifier | None
) -> dict[tuple[str, str], seals.Sealed]:
    """Looks once at each image in each repository, however many names it has there."""
    asked = {
        (entry.image, Reference.parse(entry.reference).name): (
            Reference.parse(entry.reference),
            entry.digest,
            tuple(record.platforms.get(entry.image, {}).values()),
        )
        for entry in record.entries
    }

    def look_at(one: tuple[Reference, str, tuple[str, ...]]) -> seals.Sealed:
        reference, digest, platforms = one
        return seals.look(clients, place(reference), digest, platforms, record.seals, verifier)

    return dict(zip(asked, together(look_at, asked.values()), strict=True))


def _moved(record: Record, entry: Entry, now: Manifest) -> Finding:
    by = released(now)
    if record.rolled_back and now.digest == entry.previous:
        return Finding(entry, now.digest, f"went back, {record.rolled_back}")
    if entry.immutable:
        return Finding(entry, now.digest, "is another content now, and may never be", wrong=True)
    if by and by != record.tag:
        return Finding(entry, now.digest, f"has moved on to {by}")
    return Finding(entry, now.digest, _UNKNOWN, wrong=True)


def _moved_on(found: Finding, later: Iterable[Record]) -> Finding:
    """Returns what the records say of a name that stands at a manifest without annotations."""
    stands = (found.entry.reference, found.now)
    by = [one.tag for one in later if stands in {(entry.reference, entry.digest) for entry in one.entries}]
    return replace(found, said=f"has moved on to {by[0]}", wrong=False) if by else found


def references(record: Record) -> tuple[tuple[str, str], ...]:
    """Returns (image, name@digest) once for each repository: what a deployment pins.

    Where a release was made again (--overwrite), a name that says its commit is on record with the first content.
    """
    newest = {(one.image, Reference.parse(one.reference).name): one.digest for one in record.entries}
    return tuple((image, f"{name}@{digest}") for (image, name), digest in newest.items())
