"""Which versions come before which, and which names only ever mean one of them. Pure.

https://semver.org; a tag may carry a "v". A name that is a full version is immutable by our own rule: no registry
can be asked whether it lets tags be overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semver import Version

RECORD = "argosy-release-"
"""How the name of a release's record begins; its tag follows."""

_ROLLING = re.compile(r"latest|v?\d+|v?\d+\.\d+")


def full(tag: str) -> Version | None:
    """Returns the version a tag is, None if it is not a full one (`1.2`, `latest`, `sha-1234567`)."""
    from semver import Version as Semver

    try:
        return Semver.parse(tag.removeprefix("v"))
    except ValueError:
        return None


def is_rolling(tag: str) -> bool:
    """Whether a name means "the newest of its kind": `latest`, `1`, `1.2`."""
    return bool(_ROLLING.fullmatch(tag))


def is_of_line(other: Version, version: Version) -> bool:
    """Whether two have the same major and minor number; a pre-release counts for another pre-release only."""
    same = (other.major, other.minor) == (version.major, version.minor)
    return same and bool(version.prerelease or not other.prerelease)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one image's tags in one repository say its version: which one, and what may stand around it.

    Before it, where several images share a repository (`api-1.2.3`), or behind it (`1.2.3-slim`).
    """

    version: Version
    around: tuple[tuple[str, str], ...]

    def read(self, tag: str) -> Version | None:
        """Returns the version a tag of this image is, None for any other tag."""
        plain = self.plain(tag)
        return None if plain is None else full(plain)

    def plain(self, tag: str) -> str | None:
        """Returns a tag of this image without what stands around its version, None for another image's."""
        for before, behind in self.around:
            if len(tag) > len(before + behind) and tag.startswith(before) and tag.endswith(behind):
                return tag[len(before) : len(tag) - len(behind)]
        return None

    def is_immutable(self, tag: str) -> bool:
        """Whether a name of this image means one version for ever."""
        return full(tag) is not None or self.read(tag) is not None


def scheme(tags: Iterable[str], release: Version, own: str = "") -> Scheme:
    """Returns how these tags, an image's own in a release, say its version: the release's, or its `own`."""
    tags = tuple(tags)
    for version in dict.fromkeys(filter(None, (full(own), release))):
        if around := _around(tags, version):
            # The longest first: `-slim` before nothing at all.
            return Scheme(version, tuple(sorted(around, key=lambda one: (-len("".join(one)), one))))
    return Scheme(max(filter(None, map(full, tags)), default=release), (("", ""),))


def _around(tags: tuple[str, ...], version: Version) -> set[tuple[str, str]]:
    """Returns what stands before and behind this version in the tags that say it."""
    saying = re.compile(rf"(|.*[-_])v?{re.escape(str(version))}(|[-._].*)")
    around = {(found[1], found[2]) for tag in tags if (found := saying.fullmatch(tag))}
    # What stands before a version says nothing where a tag is one by itself.
    return {pair for pair in around if not pair[0]} if any(map(full, tags)) else around


def stays(tag: str, version: Version, newer: Version | None) -> str:
    """Returns why a release of `version` leaves a rolling name (nothing around it) where it is, "" if it moves it."""
    if not is_rolling(tag):
        return ""
    if version.prerelease:
        return f"{version} is a pre-release"
    if newer is not None and version < newer:
        return f"{newer} is newer"
    return ""
