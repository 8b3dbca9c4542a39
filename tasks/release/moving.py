"""Moving names forward: in an order that finds trouble while it can still be undone.

One name for each registry first, then the immutable ones, those that cannot be taken away after those that can;
the names that people pull by (`0.2`, `latest`) last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from ..engine.together import together
from ..errors import RefusedError, RegistryError
from ..registries.registry import Remote
from .index import is_free, mark
from .journal import Journal, Move
from .looking import Lists, absent, is_torn, look, place


class ContestedError(RefusedError):
    """Somebody else moved a name after we had read it."""


def phases(moves: Sequence[Move], permanent: frozenset[str]) -> tuple[tuple[Move, ...], ...]:
    """Returns the moves in the order they are made; those of one phase are made at once."""

    def is_permanent(move: Move) -> bool:
        return move.reference.host in permanent

    immutable = [move for move in moves if move.immutable]
    floating = [move for move in moves if not move.immutable]
    first: dict[str, Move] = {}
    for move in sorted(immutable, key=is_permanent):
        if not is_permanent(move):
            first.setdefault(move.reference.registry, move)
    probes = list(first.values())
    rest = [move for move in immutable if move not in probes]
    ordered = (
        probes,
        [move for move in rest if not is_permanent(move)],
        [move for move in rest if is_permanent(move)],
        floating,
    )
    return tuple(tuple(phase) for phase in ordered if phase)


def forward(journal: Journal, clients: Mapping[str, Remote], *, mend: bool = False) -> tuple[Move, ...]:
    """Moves every name that is not there yet; returns those that were left to somebody else.

    With `mend`, to complete what broke off: what can no longer be read is written over, and a floating name that
    somebody else moved meanwhile is left. Raises ContestedError, RegistryError; some may have moved by then.
    """
    left: list[Move] = []
    # A name that was to stay as it is may have been moved meanwhile, too.
    for phase in phases([move for move in journal.moves if move.writes or mend], journal.permanent):
        lists = Lists(clients)
        taken = together(partial(step, journal=journal, clients=clients, lists=lists, mend=mend), phase)
        left += [move for move, is_ours in zip(phase, taken, strict=True) if not is_ours]
    return tuple(left)


def step(
    move: Move, journal: Journal, clients: Mapping[str, Remote], lists: Lists, *, mend: bool = False
) -> bool:
    """Moves one name, read again just before. Whether it is ours then."""
    remote = clients[move.reference.host]
    try:
        now = look(clients, move.reference, lists)
    except RegistryError as error:
        if not (mend and is_torn(error)):
            raise
        # The journal says that this name was to be ours: what tore it was our own write.
        remote.put(move.reference.repository, move.reference.tag, move.new)
        return True
    if now is not None and now.digest == move.new.digest:
        return True
    as_before = is_free(now) if is_free(move.old) else (now and now.digest) == (move.old and move.old.digest)
    if not as_before and not (now and mark(now).startswith(journal.id)):
        if mend and not move.immutable:  # what was moved on by hand since is no reason to stay half-way
            return False
        raise ContestedError(
            f"{move.reference} stood at {move.old.digest if move.old else 'nothing'} when it was read, and now at "
            f"{now.digest if now else 'nothing'}: somebody else moved it meanwhile."
        )
    remote.put(move.reference.repository, move.reference.tag, move.new)
    return True


def stands(move: Move, clients: Mapping[str, Remote], *, mend: bool = False) -> bool:
    """Whether a name stands at its new manifest; with `mend`, one that can no longer be read does not."""
    try:
        now = look(clients, move.reference)
    except RegistryError as error:
        if not (mend and is_torn(error)):
            raise
        return False
    return now is not None and now.digest == move.new.digest


def check(moves: Iterable[Move], clients: Mapping[str, Remote]) -> list[str]:
    """Reads every name back, and what stands behind it. Returns what is not as it should be."""
    moves = tuple(moves)
    nows = together(lambda move: look(clients, move.reference), moves)
    wrong = [
        f"{move.reference} stands at {now.digest if now else 'nothing'}, not at {move.new.digest}"
        for move, now in zip(moves, nows, strict=True)
        if now is None or now.digest != move.new.digest
    ]
    wanted = ((place(move.reference), child) for move in moves for child in move.children())
    return wrong + [f"{gone} is not there any more" for gone in absent(clients, wanted)]


def verified(moves: Iterable[Move], clients: Mapping[str, Remote]) -> None:
    """Raises RegistryError unless every name stands at its new manifest with all that is behind it."""
    if wrong := check(moves, clients):
        raise RegistryError("read back, these are not as they are to be:\n  " + "\n  ".join(wrong))
