"""The plan of names: every reference of a release, what it stands at, what it will stand at, and why.

Reading is all it does. What may not be overwritten is told here, before anything has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..engine.together import together
from ..errors import RefusedError
from ..model import Reference
from ..registries.registry import Manifest, Remote, released
from . import newest, versions
from .index import is_free
from .looking import Lists, look
from .order import Named, Order

OTHERS = "a full version names one content for ever, and these stand at another:"
FORWARD = "Release the next version, or replace them knowingly with --overwrite."


@dataclass(frozen=True, slots=True)
class Name:
    """One name. `old` is what stands there now; `stays` says why it is not moved, "" if it is."""

    reference: Reference
    image: str
    old: Manifest | None
    new: Manifest
    stays: str = ""

    @property
    def immutable(self) -> bool:
        """Whether it means one version for ever."""
        return versions.is_immutable(self.reference.tag)

    @property
    def change(self) -> str:
        """What happens to it, in one word or two."""
        if self.stays:
            return "stays"
        if self.old is None or is_free(self.old):
            return "new"
        if self.old.digest == self.new.digest:
            return "unchanged"
        return "WOULD OVERWRITE" if self.immutable else "moves"

    @property
    def moves(self) -> bool:
        """Whether anything is to be written."""
        return not self.stays and (self.old is None or self.old.digest != self.new.digest)


def names(order: Order, clients: Mapping[str, Remote]) -> tuple[Name, ...]:
    """Reads every name of the order. Raises RegistryError where one cannot be read."""
    lists = Lists(clients)
    places = dict.fromkeys((order.home, *(named.place for named in order.named)))
    together(lists.tags, places)
    pairs = [(named, reference) for named in order.named for reference in named.references]
    olds = together(lambda pair: look(clients, pair[1], lists), pairs)
    stays = dict(
        zip(order.named, together(lambda one: _stays(order, one, lists, clients), order.named), strict=True)
    )
    return tuple(
        Name(reference, named.image, old, named.index, stays[named](reference.tag))
        for (named, reference), old in zip(pairs, olds, strict=True)
    )


def _stays(order: Order, named: Named, lists: Lists, clients: Mapping[str, Remote]) -> Callable[[str], str]:
    """Returns what says of an image's tag in one repository why it is not moved, "" where it is."""
    release = versions.full(order.tag)
    if release is None:
        return lambda _: ""
    scheme = versions.scheme(named.tags, release)
    newer = newest.newer(clients, lists, order.home, named.place, scheme, release)
    return lambda tag: versions.stays(scheme.plain(tag) or tag, scheme.version, newer)


def check(order: Order, planned: Iterable[Name]) -> None:
    """Raises RefusedError for what would break a promise, with both digests."""
    lines: list[str] = []
    for name in planned:
        if name.change == "WOULD OVERWRITE" and name.old and not order.overwrite:
            by = f" (release {made})" if (made := released(name.old)) else ""
            lines.append(
                f"  {name.reference}: stands at {name.old.digest}{by}, would become {name.new.digest}"
            )
    if lines:
        raise RefusedError("\n".join([OTHERS, *lines, f"Nothing was moved. {FORWARD}"]))
