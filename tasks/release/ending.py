"""A release that did not end: completed, or taken back. All it needs is the journal and the registries.

Every name is looked at first, so both can be repeated, after a fault of their own too.
"""

from __future__ import annotations

import contextlib

from ..errors import IncompleteError, RefusedError
from ..registries import documents
from . import keeping, moving, transaction
from .journal import Journal
from .transaction import Voyage


def resume(journal: Journal, voyage: Voyage) -> None:
    """Completes a release that did not end. Raises IncompleteError where it still cannot be completed."""
    try:
        keeping.ensure(voyage.folder, journal)
        if not transaction.is_committed(journal, voyage, mend=True):
            with contextlib.suppress(RefusedError):  # another release's journal stays
                keeping.publish(voyage.clients, journal, mend=True)
            left = moving.forward(journal, voyage.clients, mend=True)
            for move in left:
                voyage.told(
                    "move", f"{move.reference} was moved by somebody else meanwhile, and is left there"
                )
            ours = [move for move in journal.moves if move not in left]
            moving.verified(ours, voyage.clients)
            home = journal.home
            if journal.document:  # nothing has named it since it was uploaded: a clean-up may have taken it
                documents.put_bytes(voyage.clients[home.host], home.repository, journal.document)
            voyage.told("move", f"{len(ours)} names stand and were read back")
    except transaction.FAILURES as error:
        reason = transaction.why(error)
        raise IncompleteError(
            f"{journal.what} is still half-way: {reason}\n{transaction.way(journal, voyage)}"
        ) from None
    # Where the record stands all names were read back before it: a later release may have moved them on.
    transaction.commit(journal, voyage)


def roll_back(journal: Journal, voyage: Voyage) -> None:
    """Takes a release that did not end back. Raises RefusedError for one that is recorded: that one is completed."""
    there = f" --registry {journal.home.host} --owner …" if journal.to else ""
    try:
        recorded = transaction.is_committed(journal, voyage)
    except transaction.FAILURES as error:
        raise IncompleteError(
            f"{journal.what} is still half-way: {transaction.why(error)}\n{transaction.way(journal, voyage)}"
        ) from None
    if recorded:
        raise RefusedError(
            f"{journal.what} is recorded at {journal.record.reference}: it happened, and only its journal is "
            f"left.\nComplete it: {journal.command} --resume. Then: inv rollback {journal.tag}{there}"
        )
    undone = transaction.take_back(journal, voyage, f"{journal.what} is to be taken back")
    voyage.told("undo", f"of {len(journal.moves)} names, every one {undone.words}")
