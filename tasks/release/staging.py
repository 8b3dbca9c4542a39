"""Putting what is to be named into every repository, by digest: it is there, and no name points to it.

A registry takes an index only if what it names is there; that is read back all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..engine.together import together
from ..errors import RegistryError
from ..registries.registry import Remote
from .looking import absent
from .order import Named, Order


def stage(order: Order, clients: Mapping[str, Remote]) -> None:
    """Puts every index, reads every child back. Raises RegistryError with all that is missing.

    A registry tells the digest of what it has taken; what stands behind it is asked for.
    """

    def put(named: Named) -> None:
        clients[named.place.host].put(named.place.repository, named.index.digest, named.index)

    try:
        together(put, dict.fromkeys(order.named))
    finally:  # an index whose platforms are gone is not taken: what they are is said first
        missing(order, clients)


def missing(order: Order, clients: Mapping[str, Remote]) -> None:
    """Raises RegistryError with every platform's manifest that is not in its repository."""
    wanted = [(named.place, child.digest) for named in order.named for child in named.children]
    if gone := absent(clients, wanted):
        raise RegistryError(
            "these platforms' manifests are not there (any more), so nothing can stand on them:\n  "
            + "\n  ".join(gone)
            + "\nBuild and push the images again."
        )
