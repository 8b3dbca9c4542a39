"""The plan of names: every reference of a release, what it stands at, what it will stand at, and why.

Reading is all it does. What may not be overwritten is told here, before anything has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from ..engine.together import together
from ..errors import RefusedError
from ..model import Reference
from ..registries.registry import Manifest, Remote, released
from . import newest, versions
from .index import is_free
from .looking import Lists, look
from .order import Named, Order

Rule = Callable[[Reference, "Manifest | None"], tuple[bool, str]]


@dataclass(frozen=True, slots=True)
class Name:
    """One name. `old` is what stands there now; `stays` says why it is not moved, "" if it is.

    An immutable one means one version for ever.
    """

    reference: Reference
    image: str
    old: Manifest | None
    new: Manifest
    immutable: bool
    stays: str = ""

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
    rules = together(lambda named: _rule(order, named, lists, clients), order.named)
    judged = dict(zip(order.named, rules, strict=True))
    return tuple(
        Name(reference, named.image, old, named.index, *judged[named](reference, old))
        for (named, reference), old in zip(pairs, olds, strict=True)
    )


def _rule(order: Order, named: Named, lists: Lists, clients: Mapping[str, Remote]) -> Rule:
    """Returns what says of an image's name in one repository, by what it stands at: is it immutable, why it stays."""
    release = versions.full(order.tag)
    if release is None:
        return lambda reference, _old: (versions.full(reference.tag) is not None, "")
    scheme = versions.scheme(named.tags, release, named.version)
    newer = newest.newer(clients, lists, order.home, named.place, scheme, release)

    def judge(reference: Reference, old: Manifest | None) -> tuple[bool, str]:
        plain = scheme.plain(reference.tag) or reference.tag
        if scheme.is_immutable(reference.tag):
            return True, ""
        if why := versions.stays(plain, scheme.version, newer):
            return False, why
        # One that rolls is not even made there: it would stand at this release for ever.
        moves = (old is not None and old.digest != named.index.digest) or versions.is_rolling(plain)
        return (
            False,
            f"{named.place.host} moves no tag" if moves and named.place.host in order.permanent else "",
        )

    return judge


def check(order: Order, planned: Iterable[Name]) -> None:
    """Raises RefusedError for what would break a promise, with both digests, and for what no registry would do."""
    keeping(order)
    lines: list[str] = []
    for name in planned:
        fixed = name.reference.host in order.permanent and name.old is not None and name.moves
        if name.old and (fixed or (name.change == "WOULD OVERWRITE" and not order.overwrite)):
            by = f" (release {made})" if (made := released(name.old)) else ""
            lines.append(f"{name.reference}: stands at {name.old.digest}{by}, would become {name.new.digest}")
    if lines:
        raise others(lines, order.permanent, "Nothing was moved.")


def keeping(order: Order) -> None:
    """Raises RefusedError where the journal could not be taken away again: no later release would begin."""
    if order.home.host in order.permanent:
        raise RefusedError(
            f"its journal would be kept at {order.home}, where nothing can be taken away again (release.permanent); "
            "nothing was moved. Promote to a registry that lets tags be deleted or emptied."
        )


def others(lines: Iterable[str], permanent: Collection[str], nothing: str) -> RefusedError:
    """Returns the refusal for full versions that stand at another content, and what can be done."""
    told = "\n  ".join(["a full version names one content for ever, and these stand at another:", *lines])
    never = f" ({', '.join(sorted(permanent))} never moves one: release.permanent)" if permanent else ""
    return RefusedError(
        f"{told}\n{nothing} Release the next version, or replace them knowingly with --overwrite{never}."
    )
