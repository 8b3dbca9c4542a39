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

FIRST_LINE = r"^[^\S\n]*([^#\s].*)$"
"""The first line of a file that is neither empty nor a comment."""


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
    text = facts.files.get(source.value, "")
    place = span(source, text)
    return text[slice(*place)] if place else None


def span(source: VersionSource, text: str) -> tuple[int, int] | None:
    """Returns where the file of a source says the version, None if it does not."""
    # An editor's byte order mark is no part of the first line.
    match = re.search(source.regex or FIRST_LINE, text.replace("\ufeff", " ", 1), re.MULTILINE)
    said = match[1] if match else None
    if not match or not said or not said.strip():
        return None
    start, end = match.span(1)
    return start + len(said) - len(said.lstrip()), end - len(said) + len(said.rstrip())


def place(source: VersionSource, facts: Facts) -> str:
    """Returns where a version file says its version: file, line, and the line's text where a pattern finds it."""
    text = facts.files.get(source.value, "").removeprefix("\ufeff")
    found = re.search(source.regex, text, re.MULTILINE) if source.regex else None
    if found is None or not found[1]:
        return source.value
    line = text.count("\n", 0, found.start(1))
    return f"{source.value}:{line + 1} ({text.splitlines()[line].strip()})"


def _silent(source: VersionSource, facts: Facts) -> str:
    """Returns a source that did not answer, and, where its file is there, what cannot be found in it."""
    if source.kind != "file":
        return str(source)
    if source.value not in facts.files:
        return f"{source}, which is not there"
    return f"cannot find {source.regex!r} in {source.value}" if source.regex else str(source)


def version(sources: Sequence[VersionSource], facts: Facts, where: str) -> Version:
    """Returns the first answer. Raises ConfigError, listing what was asked, if no source answers."""
    for source in sources:
        text = answer(source, facts)
        if text:
            return Version(text, str(source))
    asked = ", ".join(_silent(source, facts) for source in sources)
    raise ConfigError(
        f'{where}: no source gave a version (asked: {asked}). Add {{ value = "dev" }} as the last.'
    )
