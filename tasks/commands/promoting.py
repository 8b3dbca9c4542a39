"""A promotion from the command line to its end: what is there is copied, then the same transaction moves the names."""

from __future__ import annotations

import sys
from dataclasses import replace

from .ledger import Ledger


def promote(here: Ledger, to: str, *, yes: bool) -> None:
    """Promotes a release to the destination `to` of build.toml.

    Raises ConfigError for an unknown one, RefusedError (nothing has changed there) or IncompleteError.
    """
    from ..errors import ConfigError, available, nearest
    from ..model import Reference
    from ..release import names, preflight, promoting, transaction
    from ..release import record as records
    from ..release.lock import locked
    from ..report import releasing
    from .asking import confirm

    known = here.project.release.promote
    if to not in known:
        raise ConfigError(
            f'--to "{to}"{nearest(to, known)}: {available("destinations ([promote.NAME])", list(known))}'
        )
    before, after = known[to]
    first = here.project.registries[0]
    before = before or "/".join(filter(None, [first.host, first.owner]))
    host = Reference.parse(f"{after}/any").registry
    clients = here.clients_for([host])
    # Its journal is not that of the release itself, which may be under way in the same checkout.
    there = replace(here, folder=here.folder.parent / f"promote-{to}", clients=clients)
    with locked(here.project.root, there.folder, here.tag, releasing.step):
        record = here.record()
        found = promoting.copies(record, before, after, there.clients_for(records.hosts(record)))
        order = replace(promoting.order(record, found), permanent=frozenset(here.project.release.permanent))
        names.keeping(order)
        harbours = preflight.harbours([copy.named.place for copy in found], clients)
        releasing.step("preflight", preflight.told(harbours))
        voyage = there.voyage(clients)
        transaction.unfinished(voyage, order.home)
        hanging = promoting.carry(found, there.clients_for(records.hosts(record)))
        along = f", {hanging} signatures and attached documents with them" if hanging else ""
        releasing.step("copy", f"{len(found)} images are at {after}, digests unchanged{along}")
        planned = transaction.survey(order, voyage)
        releasing.show_names(planned)
        if sys.stdin.isatty():
            confirm(f"Promote {here.tag} to {to}?", yes=yes)
        transaction.publish(order, planned, voyage)
