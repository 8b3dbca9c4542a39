"""Taking a name away that a release made. No registry deletes a tag alone, and 2.8 deletes by digest only.

So a unique empty index is put over the name and that digest deleted: no other name stands on it, so no other name
goes with it. The released digest itself is never deleted: that would take all its names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from ..errors import RegistryError
from ..model import Reference
from ..registries.registry import Remote
from .index import is_free, withdrawn
from .looking import look


def withdraw(clients: Mapping[str, Remote], reference: Reference, identity: str) -> bool:
    """Takes a name away. False where deletion is off: an empty index, which counts as free, stays there.

    Raises RegistryError if neither is so in the end.
    """
    remote = clients[reference.host]
    empty = withdrawn(f"{identity} {reference}")
    remote.put(reference.repository, reference.tag, empty)
    # Whatever it answers (405 where deletion is off): what counts is what stands there afterwards.
    with contextlib.suppress(RegistryError):
        remote.delete(reference.repository, empty.digest)
    left = look(clients, reference)
    if not is_free(left):
        raise RegistryError(
            f"{reference} was to be withdrawn and stands at {left.digest if left else 'nothing'}."
        )
    return left is None
