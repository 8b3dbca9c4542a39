"""The record of a release: one document beside the images, whose writing is the moment it happened.

Readers who need all names of one release at one instant read the record and take its digests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import writing
from ..engine.together import together
from ..errors import RegistryError, SurroundingsError
from ..model import Reference
from ..registries import documents
from ..registries.registry import Manifest, Remote
from . import versions
from .content import Place
from .index import is_free
from .journal import Move
from .looking import look
from .names import Name
from .order import Order

if TYPE_CHECKING:
    from semver import Version

KIND = "application/vnd.argosy.release.v1+json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a release: what it was given, and what stood there before ("" for nothing)."""

    reference: str
    image: str
    digest: str
    previous: str
    immutable: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What a release was: which commit, which digests, which names. `platforms` is image -> platform -> digest.

    `seals` is what all of it was given before it was named: signature, SBOM, provenance. `versions` is what each image
    has for its version.
    """

    id: str
    project: str
    tag: str
    revision: str
    created: str
    released: str
    entries: tuple[Entry, ...]
    platforms: Mapping[str, Mapping[str, str]]
    gates: Mapping[str, str]
    rolled_back: str = ""
    seals: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def moment(self) -> tuple[str, Version | None]:
        """Its place in history: times are whole seconds, and of two in one second the greater version is the later."""
        return self.released, versions.full(self.tag)

    def dumps(self) -> bytes:
        """Returns it as JSON."""
        body = {
            "schema": SCHEMA,
            "id": self.id,
            "project": self.project,
            "tag": self.tag,
            "revision": self.revision,
            "created": self.created,
            "released": self.released,
            "names": [
                {
                    "reference": one.reference,
                    "image": one.image,
                    "digest": one.digest,
                    "previous": one.previous,
                    "immutable": one.immutable,
                }
                for one in self.entries
            ],
            "platforms": {
                image: dict(sorted(found.items())) for image, found in sorted(self.platforms.items())
            },
            "gates": dict(sorted(self.gates.items())),
            "rolled_back": self.rolled_back,
            "seals": list(self.seals),
            "versions": dict(sorted(self.versions.items())),
        }
        return (json.dumps(body, indent=1) + "\n").encode()

    @classmethod
    def loads(cls, data: bytes, where: str) -> Record:
        """Reads it again. Raises SurroundingsError, naming `where`, for what is none."""
        try:
            body: dict[str, Any] = json.loads(data)
            entries = tuple(Entry(**entry) for entry in body.pop("names"))
            del body["schema"]
            return cls(entries=entries, seals=tuple(body.pop("seals", ())), **body)
        except (ValueError, KeyError, TypeError) as error:
            raise SurroundingsError(f"{where} is no record of a release ({type(error).__name__})") from None


def name(home: Place, tag: str) -> Reference:
    """Returns the name a release's record has."""
    return Reference(home.host, home.repository, f"{versions.RECORD}{tag}"[:128])


def make(order: Order, names: Iterable[Name], identity: str, when: str, earlier: Record | None) -> Record:
    """Returns the record of an order; images of an earlier record of the same tag that are not in it stay."""
    digests = {(named.image, named.index.digest) for named in order.named}
    anew = {image for image, _ in digests}
    # What replaces an earlier content has not the floating names of that: `latest` may be a newer release's by now.
    entries = {
        one.reference: one
        for one in (earlier.entries if earlier else ())
        if one.immutable or one.image not in anew or (one.image, one.digest) in digests
    }
    platforms = dict(earlier.platforms) if earlier else {}
    for one in names:
        if not one.stays:
            previous = one.old.digest if one.old is not None and not is_free(one.old) else ""
            known = entries.pop(str(one.reference), None)  # what is of this release comes last
            # It stands there since the earlier record, unless that one went back: then it comes from where it is now.
            if known and known.digest == one.new.digest and previous == known.digest:
                previous = known.previous
            entries[str(one.reference)] = Entry(
                str(one.reference), one.image, one.new.digest, previous, one.immutable
            )
    for named in order.named:
        platforms[named.image] = {child.platform: child.digest for child in named.children if child.platform}
    return Record(
        id=identity,
        project=order.project,
        tag=order.tag,
        revision=order.source.revision,
        created=order.source.created,
        released=when,
        entries=tuple(entries.values()),
        platforms=platforms,
        gates=order.gates,
        seals=order.seals,
        versions={**(earlier.versions if earlier else {}), **{one.image: one.version for one in order.named}},
    )


def has(record: Record, names: Iterable[Name]) -> bool:
    """Whether all that is to be named is on record, at the very digests."""
    known = {entry.reference: entry.digest for entry in record.entries}
    return all(one.stays or known.get(str(one.reference)) == one.new.digest for one in names)


def move(clients: Mapping[str, Remote], home: Place, record: Record) -> Move:
    """Uploads a record's bytes and returns the one write that will commit the release."""
    where = name(home, record.tag)
    old = look(clients, where)
    about = {"dev.argosy.journal": record.id, "org.opencontainers.image.version": record.tag}
    return Move(
        where,
        old,
        documents.upload(clients[home.host], home.repository, KIND, record.dumps(), annotations=about),
    )


def copied(clients: Mapping[str, Remote], commit: Move, folder: Path) -> str:
    """Writes the document of a release that was just recorded into a file as well; returns where, or why there is none.

    What counts stands in the registry: that this machine keeps no copy ends no release.
    """
    where = commit.reference
    path = folder / "records" / f"{where.tag.removeprefix(versions.RECORD)}.json"
    try:
        data = documents.download(clients[where.registry], where.repository, commit.new, KIND) or b""
        writing.write(path, data)
    except OSError as error:
        return f"no copy of it in {path}: {error.strerror or error}"
    except RegistryError as error:
        return f"no copy of it in {path}: {error}"
    return f"a copy of it is in {path}"


def read(clients: Mapping[str, Remote], home: Place, tag: str) -> Record | None:
    """Returns the record of a release, None if there is none."""
    where = name(home, tag)
    manifest = look(clients, where)
    return None if manifest is None or is_free(manifest) else of(clients, where, manifest)


def of(clients: Mapping[str, Remote], where: Reference, manifest: Manifest) -> Record | None:
    """Returns the record that a manifest names."""
    data = documents.download(clients[where.registry], where.repository, manifest, KIND)
    return Record.loads(data, str(where)) if data is not None else None


def history(clients: Mapping[str, Remote], home: Place) -> tuple[Record, ...]:
    """Returns all releases, the newest first."""
    tags = [tag for tag in clients[home.host].tags(home.repository) if tag.startswith(versions.RECORD)]
    found = together(lambda tag: read(clients, home, tag.removeprefix(versions.RECORD)), tags)
    return tuple(sorted(filter(None, found), key=lambda one: one.moment, reverse=True))


def contains(record: Record, digest: str) -> bool:
    """Whether a release has this digest, or its beginning: as an index it named, or as one of its platforms."""
    wanted = digest.rpartition("@")[2].removeprefix("sha256:")
    known = [entry.digest for entry in record.entries]
    known += [one for found in record.platforms.values() for one in found.values()]
    return any(one.removeprefix("sha256:").startswith(wanted) for one in known)


def hosts(record: Record) -> set[str]:
    """Returns the registry hosts a release went to."""
    return {Reference.parse(entry.reference).registry for entry in record.entries}
