"""How a release looks at a name or a manifest: twice, where a wrong answer would cost something.

A false "not found" for a name that stands would enter the journal as "new", and its undoing would delete it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from threading import Lock

from ..engine.together import together
from ..errors import RegistryError
from ..model import Reference
from ..registries.registry import Manifest, Remote
from .content import Place

ATTEMPTS = 4
PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between looks at what seems to be torn: what is torn stays so, a registry's bad moment passes."""


def place(reference: Reference) -> Place:
    """Returns the repository a name lives in."""
    return Place(reference.host, reference.repository)


class Lists:
    """The tags of repositories, each asked for once: what names that are looked at together are held against."""

    def __init__(
        self, clients: Mapping[str, Remote], known: Mapping[Place, tuple[str, ...]] | None = None
    ) -> None:
        self._clients = clients
        self._found = dict(known or {})
        self._locks: dict[Place, Lock] = {}

    def tags(self, where: Place) -> tuple[str, ...]:
        """Returns the tags of a repository. Raises RegistryError where they cannot be told."""
        with self._locks.setdefault(where, Lock()):
            if where not in self._found:
                self._found[where] = self._clients[where.host].tags(where.repository)
            return self._found[where]


def look(clients: Mapping[str, Remote], reference: Reference, lists: Lists | None = None) -> Manifest | None:
    """Returns what a name stands at; None only if the list of tags agrees that there is no such name.

    `lists` serve where several names are looked at at the same time; in doubt the list is asked for anew. Raises
    RegistryError where the registry cannot tell, or contradicts itself.
    """
    remote = clients[reference.host]
    for attempt in range(ATTEMPTS):
        found = remote.manifest(reference.repository, reference.tag)
        if found is not None:
            return found
        shared = lists if not attempt else None
        tags = shared.tags(place(reference)) if shared else remote.tags(reference.repository)
        if reference.tag not in tags:
            return None
        time.sleep(0.1 * 2**attempt)
    raise RegistryError(
        f"{reference} cannot be read: {remote.host} lists the tag and yet says there is no such manifest.",
        500,
    )


def is_torn(error: RegistryError) -> bool:
    """Whether a registry answers and yet cannot tell.

    A name that was being written when the registry was killed stays so until it is written anew. 502 to 504 are the
    words of what stands before a registry that does not answer.
    """
    return error.status is not None and error.status >= 500 and error.status not in {502, 503, 504}


def stays_torn(clients: Mapping[str, Remote], reference: Reference) -> bool:
    """Whether a name could not be read and still cannot, though its registry tells of others.

    Raises RegistryError where it does not, or does not answer.
    """
    for pause in PAUSES:
        time.sleep(pause)
        try:
            look(clients, reference)
        except RegistryError as error:
            if not is_torn(error):
                raise
        else:
            return False
    # A digest that cannot exist: one that has trouble with whatever it is asked says 500 here, too.
    clients[reference.host].manifest(reference.repository, f"sha256:{'0' * 64}")
    return True


def absent(clients: Mapping[str, Remote], wanted: Iterable[tuple[Place, str]]) -> list[str]:
    """Returns which of these manifests are not in their repositories, as `repository@digest`."""
    pairs = list(dict.fromkeys(wanted))

    def is_there(pair: tuple[Place, str]) -> bool:
        where, digest = pair
        return any(clients[where.host].digest(where.repository, digest) for _ in range(2))

    there = together(is_there, pairs)
    return [f"{where}@{digest}" for (where, digest), found in zip(pairs, there, strict=True) if not found]
