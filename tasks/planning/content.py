"""What a context holds, and which of it a COPY, an ADD or a bind mount really takes.

Pure: the entries of a context in, some of them out. The rules are those of fsutil's copy and continuity's
RootPath, as BuildKit calls them for a Dockerfile. It knows no file system and reads no Dockerfile: words come
expanded, without those that are remote (ADD https://…) or heredocs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

from .globs import PatternError, has_wildcard, matcher
from .links import TooManyLinksError, followed, inside, is_plain

Kind = Literal["file", "dir", "symlink", "fifo", "socket", "device"]

# Flags that leave what is taken as it is, or (exclude) only make it less.
_HARMLESS = {"checksum", "chmod", "chown", "exclude", "from", "keep-git-dir", "link", "unpack"}
_SLASH = re.compile("/")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a context; `path` is relative to its root, without a leading slash."""

    path: str
    kind: Kind
    mode: int
    """The permission bits with setuid, setgid and sticky, as BuildKit is sent them."""
    digest: str = ""
    """The sha256 of a file's bytes, in hexadecimal."""
    link: str = ""
    """A symlink's text; of a hard link the first path with the same inode; a device's kind and numbers."""
    xattrs: str = ""
    """A digest of the extended attributes that BuildKit looks at, or "" if there are none."""


_path = attrgetter("path")


@dataclass(frozen=True, slots=True)
class Tree:
    """A context after its ignore rules: its entries sorted by path. The root itself is none of them."""

    entries: tuple[Entry, ...] = ()

    def get(self, path: str) -> Entry | None:
        """Returns the entry at a path, or None."""
        found = bisect_left(self.entries, path, key=_path)
        return next((entry for entry in self.entries[found : found + 1] if entry.path == path), None)

    def below(self, folder: str) -> Sequence[Entry]:
        """Returns everything in a folder, however deep; "" is the root."""
        if not folder:
            return self.entries
        # Names that begin alike sort between a folder and its content, but "0" is what follows "/".
        first = bisect_left(self.entries, f"{folder}/", key=_path)
        return self.entries[first : bisect_left(self.entries, f"{folder}0", key=_path)]


class _UnknownError(Exception):
    """What is taken cannot be told: BuildKit refuses it, or might read it in more than one way."""


def copied(tree: Tree, sources: Sequence[str], flags: Collection[str] = ()) -> tuple[Entry, ...] | None:
    """Returns what `COPY sources… destination` takes, sorted; None means: take it to be the whole tree.

    Symlinks that a source passes through are among it. `flags` are the names of the instruction's flags.
    """
    if not _HARMLESS.issuperset(flags):
        return None
    try:
        return _together(entry for source in sources for entry in _copied(tree, source))
    except (_UnknownError, PatternError, TooManyLinksError):
        return None


def mounted(tree: Tree, source: str) -> tuple[Entry, ...] | None:
    """Returns what a bind mount of `source` ("" or "." for all) shows; None means: the whole tree."""
    try:
        return _together(_reached(tree, inside(source)))
    except (_UnknownError, TooManyLinksError):
        return None


def _copied(tree: Tree, source: str) -> Iterator[Entry]:
    parts = inside(source).split("/")
    plain = next((number for number, part in enumerate(parts) if has_wildcard(part)), len(parts))
    head, pattern = "/".join(parts[:plain]), "/".join(parts[plain:])
    if not pattern:
        yield from _reached(tree, head)
        return
    folder, passed = _followed(tree, head)
    yield from passed
    for path in _matching(tree, folder, pattern):
        yield from _reached(tree, path)


def _matching(tree: Tree, folder: str, pattern: str) -> Iterator[str]:
    """Yields what matches in a folder; symlinks are not entered, and neither is a folder that matches."""
    regex, start = matcher(pattern), len(folder) + 1 if folder else 0
    found: set[str] = set()
    for entry in tree.below(folder):
        path = entry.path
        if regex.fullmatch(path, start) and found.isdisjoint(
            path[: s.start()] for s in _SLASH.finditer(path)
        ):
            found.add(path)
            yield path


def _reached(tree: Tree, path: str) -> Iterator[Entry]:
    """Yields the symlinks that lead from a path to what it names, that, and everything in it."""
    end, passed = _followed(tree, path)
    yield from passed
    entry = tree.get(end)
    if entry:
        yield entry
    yield from tree.below(end)


def _followed(tree: Tree, path: str) -> tuple[str, list[Entry]]:
    """Returns the path that a path leads to, and the symlinks on the way. Raises _UnknownError."""
    links: list[Entry] = []

    def text_of(place: str) -> str | None:
        entry = tree.get(place)
        if entry is None or entry.kind != "symlink":
            return None
        links.append(entry)
        return entry.link

    end = followed(path, text_of)
    if (end and not tree.get(end)) or not all(is_plain(entry.link) for entry in links):
        raise _UnknownError(path)
    return end, links


def _together(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Returns entries sorted, each once; hard links among them name the first of them."""
    result = sorted({entry.path: entry for entry in entries}.values(), key=_path)
    if not any(entry.kind == "file" and entry.link for entry in result):
        return tuple(result)
    firsts: dict[str, str] = {}
    for number, entry in enumerate(result):
        if entry.kind == "file":
            first = firsts.setdefault(entry.link or entry.path, entry.path)
            result[number] = replace(entry, link="" if first == entry.path else first)
    return tuple(result)
