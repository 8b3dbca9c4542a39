"""A release that did not end, completed or taken back; and the way back of one that did. Nothing here builds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import RefusedError
from . import tagging
from .ledger import Ledger

if TYPE_CHECKING:
    from ..registries.registry import Remote
    from ..release.journal import Move


def resume(here: Ledger) -> None:
    """Completes a release that did not end."""
    from ..release import keeping, transaction
    from ..release.lock import locked
    from ..report import releasing

    journal = keeping.find(here.folder, here.clients, here.home)
    if journal is None:
        raise RefusedError(
            f"no release is under way: there is no journal in {here.folder} or at {here.home}."
        )
    _same(here, journal.tag)
    with locked(here.project.root, here.folder, here.tag, releasing.step, over=True):
        transaction.resume(journal, here.voyage(_all(here, journal.moves)))
        if here.facts.git and journal.revision:
            tagging.tag(
                replace(here, facts=replace(here.facts, git=replace(here.facts.git, sha=journal.revision)))
            )


def roll_back(here: Ledger, *, yes: bool) -> None:
    """Takes back a release that did not end, or moves the floating names of one that did."""
    from ..release import keeping, transaction
    from ..release.lock import locked
    from ..report import releasing

    journal = keeping.find(here.folder, here.clients, here.home)
    if journal is not None:
        _same(here, journal.tag)
    with locked(here.project.root, here.folder, here.tag, releasing.step, over=journal is not None):
        if journal is not None:
            transaction.roll_back(journal, here.voyage(_all(here, journal.moves)))
        else:
            _return(here, yes=yes)


def _return(here: Ledger, *, yes: bool) -> None:
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
    transaction.carry_out(lambda: rolling.journal(found, planned, here.home, clients), here.voyage(clients))


def _all(here: Ledger, moves: Iterable[Move]) -> dict[str, Remote]:
    return here.clients_for({move.reference.registry for move in moves})


def _same(here: Ledger, tag: str) -> None:
    if tag != here.tag:
        raise RefusedError(f"the release that did not end is {tag}, not {here.tag}. Say --tag {tag}.")
