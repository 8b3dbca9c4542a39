"""The plan of names: every reference of a release, what it stands at, what it will stand at, and why.

Reading is all it does. What may not be overwritten is told here, before anything has moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..engine.together import together
from ..errors import RefusedError
from ..model import Reference
from ..registries.registry import Manifest, Remote, released
from . import versions
from .index import is_free
from .looking import Lists, look
from .order import Order


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
    version = versions.full(order.tag)
    lists = Lists(clients)
    existing = together(lists.tags, sorted({named.place for named in order.named}))
    newer = versions.newest(tag for tags in existing for tag in tags)
    pairs = [(named, reference) for named in order.named for reference in named.references]
    olds = together(lambda pair: look(clients, pair[1], lists), pairs)
    return tuple(
        Name(
            reference,
            named.image,
            old,
            named.index,
            versions.stays(reference.tag, version, newer) if version else "",
        )
        for (named, reference), old in zip(pairs, olds, strict=True)
    )


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
        raise RefusedError(
            "\n".join(
                [
                    "a full version names one content for ever, and these stand at another:",
                    *lines,
                    "Nothing was moved. Release the next version, or replace them knowingly with --overwrite.",
                ]
            )
        )
