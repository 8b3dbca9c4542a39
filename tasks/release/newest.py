"""What is further on than a release: other releases of the fleet, and an image's own versions in its own repository.

What another image of the fleet has for a version says nothing, nor what a registry that deletes nothing still lists
though it was withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..model import Reference
from ..registries.registry import Remote
from . import versions
from .content import Place
from .index import is_free
from .looking import Lists, look
from .versions import Scheme

if TYPE_CHECKING:
    from semver import Version


def newer(
    clients: Mapping[str, Remote], lists: Lists, home: Place, where: Place, scheme: Scheme, release: Version
) -> Version | None:
    """Returns the newest version that leaves an image's rolling names in one repository where they are."""

    def counts(other: Version) -> bool:
        return not other.prerelease and other > scheme.version

    found = [*_named(lists, where, scheme)]
    if scheme.version == release:
        found += _recorded(lists, home)
    return _standing(clients, lists, found, counts)


def ahead(
    clients: Mapping[str, Remote],
    lists: Lists,
    home: Place,
    schemes: Iterable[tuple[Place, Scheme]],
    release: Version,
) -> Version | None:
    """Returns the version of the release's own minor line that a release may not come after, None if there is none."""

    def counts(other: Version) -> bool:
        return versions.is_of_line(other, release) and other > release

    found = [*_recorded(lists, home)]
    for where, scheme in schemes:
        if scheme.version == release:
            found += _named(lists, where, scheme)
    return _standing(clients, lists, found, counts)


def _named(lists: Lists, where: Place, scheme: Scheme) -> Iterator[tuple[Version, Reference]]:
    read = {tag: version for tag in lists.tags(where) if (version := scheme.read(tag))}
    for tag, version in read.items():
        # `1.0.0-rc.1-slim` beside `1.0.0-rc.1` is a variant of that, and not a later pre-release.
        words = tag.split("-")
        if not any("-".join(words[:n]) in read for n in range(1, len(words))):
            yield version, Reference(where.host, where.repository, tag)


def _recorded(lists: Lists, home: Place) -> Iterator[tuple[Version, Reference]]:
    for tag in lists.tags(home):
        if tag.startswith(versions.RECORD) and (version := versions.full(tag.removeprefix(versions.RECORD))):
            yield version, Reference(home.host, home.repository, tag)


def _standing(
    clients: Mapping[str, Remote],
    lists: Lists,
    found: Iterable[tuple[Version, Reference]],
    counts: Callable[[Version], bool],
) -> Version | None:
    """Returns the greatest of those that count and were not withdrawn."""
    for version, reference in sorted(filter(lambda one: counts(one[0]), found), key=lambda one: one[0])[::-1]:
        if not is_free(look(clients, reference, lists)):
            return version
    return None
