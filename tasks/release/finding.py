"""Whether a release did not end: its journal is looked for on disk and in the registry, and judged by the names.

Nobody starts another release over what is found. It knows no way to end one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from ..engine.together import together
from ..errors import RefusedError, RegistryError, SurroundingsError
from ..registries.registry import Manifest, Remote
from . import keeping
from .content import Place
from .index import is_free
from .journal import Journal
from .looking import is_torn, look, stays_torn
from .withdrawing import withdraw

Told = Callable[[str, str], None]


def _unheard(_step: str, _text: str) -> None:
    pass


def find(
    folder: Path, clients: Mapping[str, Remote], home: Place, told: Told = _unheard, *, mend: bool = False
) -> Journal | None:
    """Returns the journal of a release that did not end, from disk or else from the registry.

    A journal on disk that its registry does not have (any more) is of a release that moved nothing yet, or that was
    ended from another machine: it is put away if the names say so too. So this is asked under the lock only. Raises
    RefusedError where both hold one, they are of different releases, and neither is over; and for one that is torn in
    the registry and not on disk: `mend` takes it away.
    """
    try:
        here = keeping.load(folder)
    except SurroundingsError:
        if (there := keeping.read(clients, home)) is None:
            raise
        return there
    if here is None:
        return _alone(folder, clients, home, told, mend=mend)
    if here.home.host not in clients:
        return here
    try:
        there = keeping.read(clients, here.home)
    except RegistryError as error:
        if not is_torn(error):
            raise
        return here
    if there is not None and there.id == here.id:
        return here
    if is_over(here, clients):
        keeping.forget(folder)
        told("journal", f"{folder / keeping.FILE} was of {here.what}, which is over: it is put away")
        return keeping.read(clients, home)
    if there is None:
        return here
    first = keeping.said(here, str(folder / keeping.FILE))
    second = keeping.said(there, str(keeping.name(here.home)))
    raise RefusedError(
        f"two releases did not end: {first}\n{second}\n"
        "End the second one first, from another checkout, then the first from this one."
    )


def _alone(
    folder: Path, clients: Mapping[str, Remote], home: Place, told: Told, *, mend: bool
) -> Journal | None:
    """Returns the registry's journal, where there is none on disk to write a torn one again from."""
    try:
        return keeping.read(clients, home)
    except RegistryError as error:
        if not is_torn(error):
            raise
        if not mend:
            raise RefusedError(
                f"the journal {keeping.name(home)} cannot be read, and {folder} has none: {error}\n"
                "If that stays so, its registry was killed while a release wrote it. If that release was another "
                "machine's, end it there. If no machine has its journal, it had moved no name yet, or was over: "
                "--resume --yes takes the torn one away."
            ) from None
    if not stays_torn(clients, keeping.name(home)):
        return keeping.read(clients, home)
    withdraw(clients, keeping.name(home), "torn")
    told("journal", f"{keeping.name(home)} could not be read, and is taken away")
    return None


def glance(folder: Path, clients: Mapping[str, Remote], home: Place) -> Journal | None:
    """Returns the journal in the registry, or else on disk. Without the lock it may be a live release's."""
    looks: tuple[Callable[[], Journal | None], ...] = (
        lambda: keeping.read(clients, home),
        lambda: keeping.load(folder),
    )
    for seen in looks:
        # Torn, perhaps: under the lock it is looked at with more care.
        with contextlib.suppress(SurroundingsError):
            if (found := seen()) is not None:
                return found
    return None


def is_over(journal: Journal, clients: Mapping[str, Remote]) -> bool:
    """Whether a release without a journal in the registry is half-way no more: it is recorded, or has no name.

    A registry's own clean-up may have removed the journal; that a name stands at what the release wanted and no
    record does tells it.
    """
    if any(move.reference.host not in clients for move in journal.every):
        return False
    try:
        record, *nows = together(
            lambda move: _digest(look(clients, move.reference)), (journal.record, *journal.moves)
        )
    except RegistryError as error:
        if not is_torn(error):
            raise
        return False
    if record != _digest(journal.record.old):
        return True
    moves = zip(journal.moves, nows, strict=True)
    return not any(now == move.new.digest != _digest(move.old) for move, now in moves)


def _digest(manifest: Manifest | None) -> str:
    return "" if manifest is None or is_free(manifest) else manifest.digest
