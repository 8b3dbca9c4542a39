"""Which version the fleet, or one image, has. Pure: sources and facts in, a version out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConfigError
from ..model import VersionSource
from .facts import Facts

# https://semver.org, with the "v" that tags carry and the shorter forms people write.
SEMVER = re.compile(
    r"v?(?P<major>\d+)(?:\.(?P<minor>\d+))?(?:\.(?P<patch>\d+))?(?P<pre>-[0-9A-Za-z.-]+)?(?:\+.*)?"
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version and the source that gave it."""

    text: str
    source: str

    @property
    def major(self) -> str | None:
        """`1` of `1.2.3`; None for a text that is no version number."""
        match = SEMVER.fullmatch(self.text)
        return match["major"] if match else None

    @property
    def minor(self) -> str | None:
        """`2` of `1.2.3`."""
        match = SEMVER.fullmatch(self.text)
        return match["minor"] if match else None

    @property
    def prerelease(self) -> bool:
        """True for `1.2.3-rc1`."""
        match = SEMVER.fullmatch(self.text)
        return bool(match and match["pre"])


def answer(source: VersionSource, facts: Facts) -> str | None:
    """Returns what one source says, or None where it does not answer (an absent file, no tag on HEAD)."""
    if source.kind == "value":
        return source.value
    if source.kind == "env":
        return facts.environ.get(source.value) or None
    if source.kind == "git-tag":
        return (facts.git and facts.git.tag) or None
    if source.kind == "git-describe":
        return (facts.git and facts.git.describe) or None
    text = facts.files.get(source.value, "").removeprefix("\ufeff")
    if source.regex:
        match = re.search(source.regex, text, re.MULTILINE)
        return match[1].strip() if match and match[1] else None
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), None)


def version(sources: Sequence[VersionSource], facts: Facts, where: str) -> Version:
    """Returns the first answer. Raises ConfigError, listing what was asked, if no source answers."""
    for source in sources:
        text = answer(source, facts)
        if text:
            return Version(text, str(source))
    asked = ", ".join(str(source) for source in sources)
    raise ConfigError(
        f'{where}: no source gave a version (asked: {asked}). Add {{ value = "dev" }} as the last.'
    )
