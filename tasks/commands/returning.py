"""What did not end, completed or taken back; and the way back of a release that did end. Nothing here builds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import IncompleteError, RefusedError, SurroundingsError
from . import tagging
from .ledger import Ledger

if TYPE_CHECKING:
    from ..registries.registry import Remote
    from ..release.journal import Journal
    from ..release.lock import Lock


def resume(here: Ledger, *, yes: bool, to: str = "") -> None:
    """Completes a release that did not end, or its promotion `to` a destination."""
    from ..release import ending, transaction
    from ..report import releasing

    with _begun(here, yes=yes, to=to, mend=yes) as (lock, journal, gone):
        meant = journal or gone
        if meant is None:
            _tag_alone(here, to)
            return
        if meant.back:
            _go_on(here, lock, journal, yes=yes)
            return
        voyage = here.voyage(lock, _all(here, meant))
        if journal is not None:
            ending.resume(journal, voyage)
        elif transaction.is_committed(meant, voyage):  # it died when only the git tag was left to do
            releasing.step("record", f"{meant.record.reference} is the release: no name is left to move")
        else:
            raise _over(meant)
        if meant.revision and not to:
            tagging.tag(_at(here, meant.revision))


def roll_back(here: Ledger, *, yes: bool, to: str = "") -> None:
    """Takes back what did not end, or moves the floating names of a release that did."""
    from ..release import ending
    from ..release.journal import told

    with _begun(here, yes=yes, to=to) as (lock, journal, gone):
        meant = journal or gone
        if meant is not None and meant.back:
            _go_on(here, lock, journal, yes=yes)
        elif gone is not None:
            raise _over(gone)
        elif journal is not None:
            ending.roll_back(journal, here.voyage(lock, _all(here, journal)))
        elif to:
            raise RefusedError(
                f"{told(here.tag, to)} is not under way: there is no journal in {here.folder} or at {here.home}.\n"
                f"One that ended goes back as a release does, where it was promoted to: inv rollback {here.tag} "
                f"--registry {here.home.host} --owner …"
            )
        else:
            _return(here, lock, yes=yes)


@contextmanager
def _begun(
    here: Ledger, *, yes: bool, to: str, mend: bool = False
) -> Iterator[tuple[Lock, Journal | None, Journal | None]]:
    """Holds the lock, and gives the journal as it is under it, or else the one that was there before and is over.

    What was seen before tells whose lock to take over. `mend` takes away what nobody can read.
    """
    from ..release import finding, transaction
    from ..report import releasing

    def is_meant(journal: Journal) -> bool:
        return (journal.tag, journal.to) == (here.tag, to)

    seen = finding.glance(here.folder, here.clients, here.home)
    seen = seen if seen and is_meant(seen) else None
    with ExitStack() as held:
        try:
            lock = held.enter_context(here.locked(seen, yes=yes, to=to))
            journal = finding.find(here.folder, here.clients, here.home, releasing.step, mend=mend)
        except (SurroundingsError, RefusedError, KeyboardInterrupt) as error:
            if seen is None:
                raise
            # "Nothing has moved" would be the wrong thing to say.
            raise IncompleteError(
                f"{seen.what} is half-way, unless it was ended elsewhere, and nothing was done now: "
                f"{transaction.why(error)}\n{seen.ways}"
            ) from None
        if journal is not None and not is_meant(journal):
            raise RefusedError(f"what did not end is {journal.what}.\n{journal.ways}")
        yield lock, journal, None if journal else seen


def _tag_alone(here: Ledger, to: str) -> None:
    """Makes the git tag of a release that died when it had closed its journal. Raises RefusedError for any other."""
    from ..release import record
    from ..release.journal import told
    from ..report import releasing

    found = None if to else record.read(here.clients, here.home, here.tag)
    if found is None or not found.revision or not tagging.is_left(_at(here, found.revision)):
        raise RefusedError(
            f"{told(here.tag, to)} is not under way: there is no journal in {here.folder} or at {here.home}."
        )
    releasing.step("record", f"{record.name(here.home, here.tag)} is the release: its git tag is left to do")
    tagging.tag(_at(here, found.revision))


def _at(here: Ledger, revision: str) -> Ledger:
    """Returns the same as of another commit."""
    git = here.facts.git and replace(here.facts.git, sha=revision)
    return replace(here, facts=replace(here.facts, git=git))


def _over(gone: Journal) -> RefusedError:
    return RefusedError(
        f"{gone.what} was ended from elsewhere, or had moved nothing yet: nothing was done here. "
        "inv history tells what was released."
    )


def _go_on(here: Ledger, lock: Lock, journal: Journal | None, *, yes: bool) -> None:
    """Completes a way back that did not end; one that is over, or had moved nothing yet, is asked for anew."""
    from ..release import ending

    if journal is None:
        _return(here, lock, yes=yes)
    else:
        ending.resume(journal, here.voyage(lock, _all(here, journal)))


def _return(here: Ledger, lock: Lock, *, yes: bool) -> None:
    """Moves the floating names of a release that ended back."""
    from ..release import record, rolling, transaction
    from ..report import releasing
    from .asking import confirm

    found = here.record()
    clients = here.clients_for(record.hosts(found))
    planned = rolling.names(found, clients)
    releasing.show_names(planned)
    if not any(name.moves for name in planned):
        releasing.step("move", "no name is to go back")
        return
    if sys.stdin.isatty():
        confirm(f"Move these names back from {here.tag}?", yes=yes)
    transaction.carry_out(
        lambda: rolling.journal(found, planned, here.home, clients), here.voyage(lock, clients)
    )


def _all(here: Ledger, journal: Journal) -> dict[str, Remote]:
    return here.clients_for({journal.home.host, *(move.reference.registry for move in journal.every)})
