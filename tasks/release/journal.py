"""What a release is about to do, with everything needed to complete it or to take it back. A value.

It holds raw bytes and media types, because a manifest that is written again in other words has another digest.
It holds no "done" marks: what was done is found by looking.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..errors import SurroundingsError
from ..model import Reference
from ..registries.registry import Manifest
from .content import Place
from .names import Name

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Move:
    """One name's way from `old` (None: not there) to `new`; `children` must be there for `new` to be whole.

    One that stands at `new` already is not written, and read back as the others are.
    """

    reference: Reference
    old: Manifest | None
    new: Manifest
    immutable: bool = False

    @property
    def writes(self) -> bool:
        """Whether anything is to be written."""
        return self.old is None or self.old.digest != self.new.digest

    def children(self) -> tuple[str, ...]:
        """The digests of the manifests behind it."""
        return tuple(str(entry["digest"]) for entry in json.loads(self.new.raw).get("manifests") or ())


@dataclass(frozen=True, slots=True)
class Journal:
    """One release under way. `record` is its last move: where that stands, the release is done.

    `document` is the record's text: no manifest names it before the record is written, so a registry's clean-up may
    take it. `to` is the destination of build.toml where it is a promotion; `back`: it is the way back of a release
    that ended, and its record is the release's own, which says so then.
    """

    id: str
    project: str
    tag: str
    started: str
    home: Place
    moves: tuple[Move, ...]
    record: Move
    permanent: frozenset[str] = frozenset()
    revision: str = ""
    to: str = ""
    back: bool = False
    document: bytes = b""

    @property
    def release(self) -> str:
        """The release, or the promotion, that it is about: what the lock says, before a journal is read."""
        return told(self.tag, self.to)

    @property
    def what(self) -> str:
        """What it is, in words."""
        return f"the way back of {self.tag}" if self.back else self.release

    @property
    def command(self) -> str:
        """What people typed, or would have."""
        if self.back:
            return f"inv rollback {self.tag}"
        return f"inv promote {self.tag} --to {self.to}" if self.to else f"inv release --tag {self.tag}"

    @property
    def ways(self) -> str:
        """The commands that end it: a way back is only completed, whatever was typed."""
        if self.back:
            return f"Complete it: {self.command}  (its names are at {self.home}: --registry and --owner say where)"
        return f"Complete it:  {self.command} --resume\nTake it back: {self.command} --rollback"

    @property
    def every(self) -> tuple[Move, ...]:
        """All moves, the record last."""
        return (*self.moves, self.record)

    def dumps(self) -> bytes:
        """Returns it as JSON, each manifest's bytes once."""
        kept: dict[str, Manifest] = {}
        for move in self.every:
            kept |= {m.digest: m for m in (move.old, move.new) if m}
        body = {
            "schema": SCHEMA,
            "id": self.id,
            "project": self.project,
            "tag": self.tag,
            "started": self.started,
            "revision": self.revision,
            "to": self.to,
            "back": self.back,
            "document": base64.b64encode(self.document).decode(),
            "home": [self.home.host, self.home.repository],
            "permanent": sorted(self.permanent),
            "moves": [_move(move) for move in self.moves],
            "record": _move(self.record),
            "manifests": {
                digest: {"mediaType": one.media_type, "raw": base64.b64encode(one.raw).decode()}
                for digest, one in sorted(kept.items())
            },
        }
        return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def loads(cls, data: bytes, where: str) -> Journal:
        """Reads it again. Raises SurroundingsError, naming `where`, for what is none or of a later schema."""
        try:
            body = {SCHEMA: json.loads(data)}[json.loads(data)["schema"]]
            kept = {
                digest: Manifest.of(base64.b64decode(one["raw"]), one["mediaType"])
                for digest, one in body["manifests"].items()
            }
            return cls(
                id=body["id"],
                project=body["project"],
                tag=body["tag"],
                started=body["started"],
                home=Place(*body["home"]),
                moves=tuple(_read(entry, kept) for entry in body["moves"]),
                record=_read(body["record"], kept),
                permanent=frozenset(body["permanent"]),
                revision=body["revision"],
                to=body.get("to", ""),
                back=bool(body.get("back")),
                document=base64.b64decode(body.get("document", "")),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SurroundingsError(
                f"{where}: is no journal that this version of Argosy reads ({type(error).__name__}). "
                "Use the version that wrote it; do not delete it, it says which names are half-way."
            ) from None


def begin(names: Iterable[Name], record: Move, **about: Any) -> Journal:
    """Returns the journal of the names that are to stand in the end; `record` is the record's own move."""
    started = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Journal(started=started, moves=planned(names), record=record, **about)


def planned(names: Iterable[Name]) -> tuple[Move, ...]:
    """Returns the moves of all names but those that stay as they are for a reason."""
    return tuple(Move(n.reference, n.old, n.new, n.immutable) for n in names if not n.stays)


def told(tag: str, to: str = "") -> str:
    """Returns what a release, or a promotion to a destination, is called."""
    return f"the promotion of {tag} to {to}" if to else f"the release {tag}"


def new_id() -> str:
    """Returns an identity that no other release has."""
    return uuid.uuid4().hex


def _move(move: Move) -> dict[str, Any]:
    old = move.old.digest if move.old else ""
    return {"reference": str(move.reference), "old": old, "new": move.new.digest, "immutable": move.immutable}


def _read(entry: Mapping[str, Any], kept: Mapping[str, Manifest]) -> Move:
    old = kept[entry["old"]] if entry["old"] else None
    return Move(Reference.parse(entry["reference"]), old, kept[entry["new"]], bool(entry["immutable"]))
