"""A promotion from the command line to its end: what is there is copied, then the same transaction moves the names."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .ledger import Ledger

if TYPE_CHECKING:
    from ..release.content import Place


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a release is promoted to: `after` takes the place of `before` in every name.

    `ledger` has a journal's folder of its own: the release itself may be under way in the same checkout.
    """

    name: str
    before: str
    after: str
    ledger: Ledger


def destination(here: Ledger, to: str) -> Destination:
    """Returns the destination `to` of build.toml. Raises ConfigError for an unknown one."""
    from ..errors import ConfigError, available, nearest
    from ..model import Reference

    known = here.project.release.promote
    if to not in known:
        problem = f'--to "{to}" is no destination{nearest(to, known)}' if to else "say where to: --to NAME"
        raise ConfigError(f"{problem}. {available('destinations ([promote.NAME])', list(known))}")
    before, after = known[to]
    first = here.project.registries[0]
    before = before or "/".join(filter(None, [first.host, first.owner]))
    clients = here.clients_for([Reference.parse(f"{after}/any").host])
    folder = here.folder.parent / f"promote-{to}"
    return Destination(to, before, after, replace(here, folder=folder, clients=clients))


def promote(here: Ledger, to: str, *, yes: bool) -> None:
    """Promotes a release to the destination `to` of build.toml.

    Raises ConfigError for an unknown one, RefusedError (nothing has changed there) or IncompleteError.
    """
    from ..release import names, preflight, promoting, transaction
    from ..release import record as records
    from ..report import releasing
    from .asking import confirm

    aim = destination(here, to)
    there = aim.ledger
    with there.locked(to=to) as lock:
        record = here.record()
        if record.rolled_back:
            releasing.step(
                "preflight", f"{here.tag} went back {record.rolled_back}; its content is as it was"
            )
        clients = there.clients_for(records.hosts(record))
        found = promoting.copies(record, aim.before, aim.after, clients)
        home = promoting.home(record, here.repositories, aim.before, aim.after)
        order = replace(
            promoting.order(record, found, home, to), permanent=frozenset(here.project.release.permanent)
        )
        names.keeping(order)
        harbours = preflight.harbours([home, *(copy.named.place for copy in found)], there.clients)
        releasing.step("preflight", preflight.told(harbours))
        voyage = there.voyage(lock)
        transaction.unfinished(voyage, order.home)
        hanging = promoting.carry(found, clients)
        along = f", {hanging} signatures and attached documents with them" if hanging else ""
        releasing.step("copy", f"{len(found)} images are at {aim.after}, digests unchanged{along}")
        planned = transaction.survey(order, voyage)
        releasing.show_names(planned)
        if sys.stdin.isatty() and any(name.moves for name in planned):
            confirm(f"Promote {here.tag} to {to}?", yes=yes)
        transaction.publish(order, planned, voyage)


def end(here: Ledger, to: str, *, back: bool, yes: bool) -> None:
    """Completes a promotion that did not end, or takes it back."""
    from . import returning

    aim = destination(here, to)
    home = _home(here, aim)
    there = replace(aim.ledger, home=home, clients=aim.ledger.clients_for([home.host]))
    (returning.roll_back if back else returning.resume)(there, yes=yes, to=to)


def _home(here: Ledger, aim: Destination) -> Place:
    """Returns where a promotion keeps its journal: the one on disk knows, else build.toml does."""
    from ..errors import SurroundingsError
    from ..release import keeping, promoting

    try:
        journal = keeping.load(aim.ledger.folder)
    except SurroundingsError:  # it cannot be read; the registry may have one that can
        journal = None
    if journal is not None:
        return journal.home
    return promoting.home(here.record(), here.repositories, aim.before, aim.after)
