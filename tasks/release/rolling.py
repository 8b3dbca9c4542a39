"""Moving a release's floating names back to what they stood at before it: `inv rollback v0.2.0`.

Immutable names stay: they name what they always named. The same transaction carries it out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ..engine.together import together
from ..errors import RefusedError
from ..model import Reference
from ..registries.registry import Manifest, Remote
from . import journal as journals
from . import record as records
from .content import Place
from .journal import Journal
from .looking import absent, look, place
from .names import Name
from .record import Entry, Record


def names(record: Record, clients: Mapping[str, Remote]) -> tuple[Name, ...]:
    """Returns the plan of names of a way back; a name that does not move says why.

    Raises RefusedError where what it would go back to is not there any more.
    """
    planned = tuple(together(lambda entry: _name(record, entry, clients), record.entries))
    wanted = [
        (place(name.reference), str(child["digest"]))
        for name in planned
        if name.moves
        for child in json.loads(name.new.raw).get("manifests") or ()
    ]
    if gone := absent(clients, wanted):
        raise RefusedError(
            "what stood there before is not whole any more (a registry's own clean-up, perhaps): "
            + ", ".join(gone)
        )
    return planned


def journal(record: Record, planned: tuple[Name, ...], home: Place, clients: Mapping[str, Remote]) -> Journal:
    """Returns the journal of a way back; its record is the release's own, with the time of it."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    identity = journals.new_id()
    made = replace(record, id=identity, rolled_back=now)
    move = records.move(clients, home, made)
    about: dict[str, Any] = {"id": identity, "project": record.project, "tag": record.tag, "home": home}
    about |= {"revision": record.revision, "back": True}
    return journals.begin(planned, move, **about, document=made.dumps())


def _name(record: Record, entry: Entry, clients: Mapping[str, Remote]) -> Name:
    reference = Reference.parse(entry.reference)
    now = look(clients, reference)
    stays = ""
    if entry.immutable:
        stays = "it means this version for ever"
    elif not entry.previous:
        stays = f"{record.tag} was the first to have it"
    elif now is None or now.digest != entry.digest:
        stays = f"it does not stand at {record.tag} any more"
    elif entry.previous == entry.digest:
        stays = "it stood there before"
    then = None if stays else _manifest(reference, entry.previous, clients)
    return Name(reference, entry.image, now, then or now or Manifest("", "", b"{}"), entry.immutable, stays)


def _manifest(reference: Reference, digest: str, clients: Mapping[str, Remote]) -> Manifest:
    found = clients[reference.host].manifest(reference.repository, digest)
    if found is None:
        raise RefusedError(f"{reference} stood at {digest} before, and that is not there any more.")
    return found
