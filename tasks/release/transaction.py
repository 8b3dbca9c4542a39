"""The transaction: from an order of digests to names moved in every registry, or to nothing having happened.

It knows neither engine nor builds: --resume and --rollback need a journal and the registries, no more.
Exit codes are those of the errors: 6 nothing has changed, 7 a journal says what is half-way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import ArgosyError, IncompleteError, RefusedError, SurroundingsError
from ..registries.registry import Remote
from . import finding, keeping, moving, record, staging
from . import journal as journals
from .content import Place
from .journal import Journal
from .looking import look
from .names import Name, check, names
from .order import Order
from .undoing import SETTLE_SECONDS, Undone, undo

FAILURES = (Exception, KeyboardInterrupt)
"""What ends a move: whatever it is, names may have moved by then, and nobody else knows which."""

Told = Callable[[str, str], None]
"""Hears each step: its name, and what came of it."""

Seal = Callable[[Order, Mapping[str, Remote]], Iterable[str]]
"""Signs and attests what is staged and has no name yet; returns what was done, in words."""


@dataclass(frozen=True, slots=True)
class Voyage:
    """Where a transaction takes place: the registries, the journal's folder, who hears of it.

    `settle` is how many seconds a request that we gave up on is given to land before names are read again; `lost`
    says who has taken the lock from us, "" while it is ours.
    """

    clients: Mapping[str, Remote]
    folder: Path
    told: Told
    settle: float = SETTLE_SECONDS
    lost: Callable[[], str] = lambda: ""

    def held(self) -> None:
        """Raises RefusedError if the lock is not ours any more, SurroundingsError where that cannot be told."""
        if lost := self.lost():
            raise RefusedError(lost)


def survey(
    order: Order, voyage: Voyage, shown: Callable[[tuple[Name, ...]], None] = lambda _: None
) -> tuple[Name, ...]:
    """Returns the plan of names: reads everything, writes nothing. It is `shown` whatever is thought of it then.

    Raises RefusedError for what may not be overwritten, and where another release did not end.
    """
    with _nothing_moved():
        unfinished(voyage, order.home)
        planned = names(order, voyage.clients)
        shown(planned)
        check(order, planned)
    return planned


def publish(
    order: Order, planned: tuple[Name, ...], voyage: Voyage, seal: Seal = lambda _order, _clients: ()
) -> None:
    """Releases: stages, seals, journals, moves every name, reads back, records.

    Raises RefusedError (nothing has changed) or IncompleteError (a journal is left).
    """
    with _nothing_moved():
        journal = _prepared(order, planned, voyage, seal)
    if journal is not None:
        _carry(journal, voyage)


@contextlib.contextmanager
def _nothing_moved() -> Iterator[None]:
    """Whatever ends it, what comes out is the error that says so: no name has moved."""
    try:
        yield
    except KeyboardInterrupt:
        raise RefusedError("interrupted before any name moved; nothing has changed") from None
    except SurroundingsError as error:
        raise RefusedError(f"no name was moved: {error}") from None


def _prepared(order: Order, planned: tuple[Name, ...], voyage: Voyage, seal: Seal) -> Journal | None:
    """Everything before the first name moves; None where nothing is left to move."""
    clients = voyage.clients
    staging.stage(order, clients)
    voyage.told(
        "stage", f"{len(order.named)} indexes are in their repositories, and all that stands behind them"
    )
    for said in seal(order, clients):
        voyage.told("seal", said)
    earlier = record.read(clients, order.home, order.tag)
    same = earlier is not None and earlier.seals == order.seals and record.has(earlier, planned)
    if same and not any(name.moves for name in planned):
        moving.verified(journals.planned(planned), clients)  # somebody may have moved one since it was read
        voyage.told("move", "every name stands where this release wants it: nothing to do")
        return None
    identity, now = journals.new_id(), datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = record.make(order, planned, identity, now, earlier)
    move = record.move(clients, order.home, made)
    about: dict[str, Any] = {"id": identity, "project": order.project, "tag": order.tag, "home": order.home}
    about |= {"permanent": order.permanent, "revision": order.source.revision, "to": order.to}
    return _journalled(journals.begin(planned, move, **about, document=made.dumps()), voyage)


def carry_out(make: Callable[[], Journal], voyage: Voyage) -> None:
    """Does what a journal says, one that `make` has prepared from values alone: a release's way back, a promotion.

    Raises as `publish`.
    """
    with _nothing_moved():
        journal = _journalled(make(), voyage)
    _carry(journal, voyage)


def _journalled(journal: Journal, voyage: Voyage) -> Journal:
    """Keeps the journal on disk and in the registry; where it cannot be, nowhere."""
    voyage.held()  # the build took its time
    path = keeping.write(voyage.folder, journal)
    try:
        keeping.publish(voyage.clients, journal)
        voyage.told("journal", f"{len(journal.moves)} names, in {path} and at {keeping.name(journal.home)}")
    except BaseException:
        _dropped(journal, voyage)
        raise
    return journal


def _dropped(journal: Journal, voyage: Voyage) -> None:
    """No name has moved: the journal goes, wherever it is; where it stays, the next release will say so."""
    try:
        keeping.close(voyage.folder, voyage.clients, journal)
    except SurroundingsError:
        keeping.forget(voyage.folder)


def unfinished(voyage: Voyage, home: Place) -> None:
    """Raises RefusedError where the journal of a release that did not end is found."""
    if (found := finding.find(voyage.folder, voyage.clients, home, voyage.told)) is not None:
        on_disk = (voyage.folder / keeping.FILE).exists()
        raise RefusedError(
            keeping.said(found, str(voyage.folder / keeping.FILE if on_disk else keeping.name(found.home)))
        )


def _carry(journal: Journal, voyage: Voyage) -> None:
    """Moves the names, or undoes what was moved."""
    try:
        moving.forward(journal, voyage.clients)
        moving.verified(journal.moves, voyage.clients)
        voyage.told("move", f"{len(journal.moves)} names stand and were read back")
    except FAILURES as error:
        reason = why(error)
        voyage.told("undo", reason)
        undone = take_back(journal, voyage, reason)
        raise RefusedError(f"{journal.what} was undone, every name {undone.words}: {reason}") from None
    commit(journal, voyage)


def commit(journal: Journal, voyage: Voyage) -> None:
    """Writes the record; from here on nothing is undone.

    Whoever has taken the lock over decides what becomes of the release: it may be taking it back right now.
    """
    try:
        voyage.held()
        where = journal.record.reference
        voyage.clients[where.registry].put(where.repository, where.tag, journal.record.new)
        moving.verified((journal.record,), voyage.clients)
        voyage.told("record", f"{where} " + ("says that it went back" if journal.back else "is the release"))
        voyage.told("record", record.copied(voyage.clients, journal.record, voyage.folder))
        keeping.close(voyage.folder, voyage.clients, journal)
    except FAILURES as error:
        raise IncompleteError(
            f"all names of {journal.what} stand and were read back; the record or the end of the journal is left: "
            f"{why(error)}\n{way(journal, voyage)}"
        ) from None


def take_back(journal: Journal, voyage: Voyage, reason: str) -> Undone:
    """Takes everything back, closes the journal, tells how. Raises IncompleteError, with what is left, if it cannot."""
    recorded = False
    try:
        if recorded := is_committed(journal, voyage):
            undone = Undone()
        else:
            stands = _permanent(journal, voyage)
            undone = Undone(stands) if stands else undo(journal, voyage.clients, voyage.settle)
            for line in (*undone.foreign, *undone.emptied):
                voyage.told("undo", line)
            if not undone.stuck:
                keeping.close(voyage.folder, voyage.clients, journal)
    except FAILURES as error:
        undone = Undone((why(error),))
    if recorded:
        raise IncompleteError(
            f"{journal.what} is recorded, so it is completed, not undone. {way(journal, voyage)}"
        )
    if undone.stuck:
        lines = "\n  ".join(undone.stuck)
        raise IncompleteError(
            f"{reason}\nSo {journal.what} is half-way, and these are not known to stand as before:\n  {lines}\n"
            f"{way(journal, voyage)}"
        )
    return undone


def _permanent(journal: Journal, voyage: Voyage) -> tuple[str, ...]:
    """Returns the new names that stand already where a tag cannot be taken away: the way is forward then."""
    kept = journal.permanent
    stuck = [move for move in journal.moves if move.writes and move.reference.registry in kept]
    nows = [(move, look(voyage.clients, move.reference)) for move in stuck]
    return tuple(
        f"{move.reference} cannot be taken away: its registry keeps every tag for ever. The way is forward"
        for move, now in nows
        if now is not None and now.digest == move.new.digest
    )


def is_committed(journal: Journal, voyage: Voyage, *, mend: bool = False) -> bool:
    """Whether the record stands: the one write that makes a release. With `mend`, one that is torn does not."""
    return moving.stands(journal.record, voyage.clients, mend=mend)


def why(error: BaseException) -> str:
    """Returns what ended it, in words."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return str(error) if isinstance(error, ArgosyError) else f"{type(error).__name__}: {error}"


def way(journal: Journal, voyage: Voyage) -> str:
    """Returns the sentence on where the journal is and what ends it."""
    return (
        f"The journal is in {voyage.folder / keeping.FILE} and at {keeping.name(journal.home)}; it names every "
        f"reference.\n{journal.ways}"
    )
