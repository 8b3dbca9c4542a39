"""Taking moves back by looking: every planned name is read, whether its move was acknowledged or not.

A write whose answer was lost has happened as surely as any other; one that a proxy held back may land later. So
all names are read, put back where they are ours, and read again after a pause.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..engine.together import together
from ..errors import RegistryError
from ..registries.registry import Manifest, Remote
from .index import is_free, mark
from .journal import Journal, Move
from .looking import is_torn, look
from .withdrawing import withdraw

SETTLE_SECONDS = 3.0
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Undone:
    """How it ended: `stuck` names may stand at the new content or are unknown; it is undone if there are none.

    `foreign` were moved by somebody else and left alone; `emptied` are new names that an empty index stays at.
    """

    stuck: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """How every name stands, where none is stuck."""
        return (
            f"stands as before but these: {'; '.join(self.foreign)}" if self.foreign else "stands as before"
        )


@dataclass(frozen=True, slots=True)
class _Was:
    """What one look (and what followed from it) came to; `wrote` if anything had to be put back."""

    wrote: bool = False
    stuck: str = ""
    foreign: str = ""
    emptied: str = ""


def undo(journal: Journal, clients: Mapping[str, Remote], settle: float = SETTLE_SECONDS) -> Undone:
    """Puts every name of the journal back as it stood. Never raises RegistryError: what fails is `stuck`."""
    for turn in range(ROUNDS):
        if turn:
            time.sleep(settle)
        was = [
            one
            for phase in _phases(journal.every)
            for one in together(lambda move: back(move, journal, clients), phase)
        ]
        if turn and not any(one.wrote or one.stuck for one in was):
            break
        if all(one.stuck for one in was):  # nothing answers: it will not in three seconds
            break
    return Undone(
        tuple(one.stuck for one in was if one.stuck) or _restless(was),
        tuple(one.foreign for one in was if one.foreign),
        tuple(one.emptied for one in was if one.emptied),
    )


def _phases(moves: Iterable[Move]) -> tuple[tuple[Move, ...], ...]:
    """What people pull by is put back first, in the reverse of the order of moving."""
    moves = tuple(moves)
    return tuple(
        phase
        for phase in (
            tuple(move for move in moves if not move.immutable),
            tuple(move for move in moves if move.immutable),
        )
        if phase
    )


def _restless(was: Iterable[_Was]) -> tuple[str, ...]:
    """Names that had to be put back even in the last round are not known to stay there."""
    return tuple("a name moves again whenever it is put back" for one in was if one.wrote)


def back(move: Move, journal: Journal, clients: Mapping[str, Remote]) -> _Was:
    """Puts one name back if it is ours, or torn."""
    try:
        try:
            now = look(clients, move.reference)
        except RegistryError as error:
            if not is_torn(error):  # it may stand where it stood, or at what somebody else gave it meanwhile
                raise
            # It was torn while it was written: what the journal says is written over it.
            return _restored(move, journal, clients)
        if _is_as_before(move, now):
            return _Was()
        if now is not None and is_free(now) and is_free(move.old):
            return _cleared(move, now, clients)
        ours = now is not None and (now.digest == move.new.digest or mark(now).startswith(journal.id))
        if ours:
            return _restored(move, journal, clients)
        return _Was(
            foreign=f"{move.reference} stands at {now.digest if now else 'nothing'}, by somebody else"
        )
    except RegistryError as error:
        return _Was(stuck=f"{move.reference}: {error}")


def _is_as_before(move: Move, now: Manifest | None) -> bool:
    if is_free(move.old):
        return now is None
    return now is not None and move.old is not None and now.digest == move.old.digest


def _cleared(move: Move, now: Manifest, clients: Mapping[str, Remote]) -> _Was:
    """What a withdrawal left: its deletion is tried once more, and it may stay."""
    with contextlib.suppress(RegistryError):
        clients[move.reference.host].delete(move.reference.repository, now.digest)
    if look(clients, move.reference) is None:
        return _Was(wrote=True)
    return _Was(emptied=_emptied(move))


def _restored(move: Move, journal: Journal, clients: Mapping[str, Remote]) -> _Was:
    remote = clients[move.reference.host]
    if move.old is not None and not is_free(move.old):
        remote.put(move.reference.repository, move.reference.tag, move.old)
        now = look(clients, move.reference)
        if now is None or now.digest != move.old.digest:
            raise RegistryError(
                f"was put back to {move.old.digest} and stands at {now.digest if now else 'nothing'}"
            )
        return _Was(wrote=True)
    if withdraw(clients, move.reference, journal.id):
        return _Was(wrote=True)
    return _Was(wrote=True, emptied=_emptied(move))


def _emptied(move: Move) -> str:
    return f"{move.reference}: deletion is off there, an empty index stays in its place"
