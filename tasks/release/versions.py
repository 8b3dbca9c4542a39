"""Which versions come before which, and which names only ever mean one of them. Pure.

https://semver.org; a tag may carry a "v". A name that is a full version is immutable by our own rule: no registry
can be asked whether it lets tags be overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semver import Version

_ROLLING = re.compile(r"latest|v?\d+|v?\d+\.\d+")


def full(tag: str) -> Version | None:
    """Returns the version a tag is, None if it is not a full one (`1.2`, `latest`, `sha-1234567`)."""
    from semver import Version as Semver

    try:
        return Semver.parse(tag.removeprefix("v"))
    except ValueError:
        return None


def is_immutable(tag: str) -> bool:
    """Whether a name means one version for ever."""
    return full(tag) is not None


def is_rolling(tag: str) -> bool:
    """Whether a name means "the newest of its kind": `latest`, `1`, `1.2`."""
    return bool(_ROLLING.fullmatch(tag))


def newest(tags: Iterable[str]) -> Version | None:
    """Returns the greatest version among tags; pre-releases do not count."""
    found = [version for version in map(full, tags) if version and not version.prerelease]
    return max(found, default=None)


def last_of_line(version: Version, tags: Iterable[str]) -> Version | None:
    """Returns the greatest version with the same major and minor number; pre-releases count for one only."""
    line = (version.major, version.minor)
    found = [
        other
        for other in map(full, tags)
        if other and (other.major, other.minor) == line and (version.prerelease or not other.prerelease)
    ]
    return max(found, default=None)


def stays(tag: str, version: Version, newer: Version | None) -> str:
    """Returns why a release of `version` leaves a rolling name where it is, "" if it moves it."""
    if not is_rolling(tag):
        return ""
    if version.prerelease:
        return f"{version} is a pre-release"
    if newer is not None and version < newer:
        return f"{newer} is newer"
    return ""
