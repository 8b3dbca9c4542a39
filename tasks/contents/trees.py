"""Reads build contexts: which entries they have after their ignore rules, and the contents of files.

It follows no symlink and decides nothing: what of a context an image takes is for planning to say. What
cannot be read is an entry like any other: BuildKit fails on it only if a Dockerfile asks for it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from ..errors import ConfigError
from ..planning.content import Entry, Kind, Tree
from ..planning.ignore import Folder, Rules, ignore_files, read
from ..planning.links import TooManyLinksError, followed
from .statcache import StatCache

UNREADABLE = "unreadable"

_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
_CHUNK = 1 << 20
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Outline:
    """A context before its files are read: the digest of a file is "" where the cache does not know it."""

    root: Path
    tree: Tree
    stats: Mapping[str, os.stat_result]
    """What stat said of the files that are not known."""
    began: int
    """When the first of them was asked for, in ns."""
    note: str = ""
    """Why nothing was left out, where the ignore file leaves something out that is not certain."""

    def filled(self, entries: Sequence[Entry], cache: StatCache) -> tuple[Entry, ...]:
        """Returns entries of this context, all with digests: reads the files that are not known."""
        paths = [entry.path for entry in entries if entry.kind == "file" and not entry.digest]
        if not paths:
            return tuple(entries)
        batches = [paths[first : first + _BATCH] for first in range(0, len(paths), _BATCH)]
        contents: dict[str, _Content] = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for found in pool.map(self._read, batches):
                contents.update(found)
        for path, content in contents.items():
            if content.settled and content.digest is not None:
                xattrs = bool(content.xattrs)
                cache.put(self.stats[path], content.digest, xattrs=xattrs, began=self.began)
        return tuple(_filled(entry, contents.get(entry.path)) for entry in entries)

    def _read(self, paths: Sequence[str]) -> list[tuple[str, _Content]]:
        return [(path, _content(f"{self.root}/{path}", self.stats[path])) for path in paths]


@dataclass(frozen=True, slots=True)
class _Content:
    """What was read of a file. It is `settled` if its stat was the same before and after."""

    digest: bytes | None
    """None if it could not be read."""
    xattrs: str
    settled: bool


def rules(project: Path, context: str, dockerfile: str | None = None) -> Rules:
    """Reads the ignore rules that hold for a context; paths are relative to the project.

    `dockerfile` is given for an image's main context, and not for a named one. Raises ConfigError for
    patterns that BuildKit refuses.
    """
    for path in ignore_files(context, dockerfile):
        folder, _, name = path.rpartition("/")
        try:
            text = _found(project / folder, name).read_bytes().decode("utf-8", "surrogateescape")
        except (OSError, TooManyLinksError):
            continue
        return read(text, path)
    return Rules()


def tree(root: Path, ignore: Rules, cache: StatCache) -> Tree:
    """Returns a context, all its files read or known. Raises ConfigError where it is no folder to read."""
    outlined = outline(root, ignore, cache)
    return Tree(outlined.filled(outlined.tree.entries, cache))


def outline(root: Path, ignore: Rules, cache: StatCache) -> Outline:
    """Returns a context without reading files: most images take only a part of theirs.

    Raises ConfigError where it is no folder that can be read.
    """
    began = time.time_ns()
    entries: list[Entry] = []
    stats: dict[str, os.stat_result] = {}
    inodes: dict[tuple[int, int], list[str]] = {}
    closed: set[str] = set()
    for path, item in _walked(root, ignore, closed):
        try:
            said = item.stat(follow_symlinks=False)
            if not stat.S_ISREG(said.st_mode):
                entries.append(_special(path, item.path, said))
                continue
        except FileNotFoundError:
            continue
        except OSError:
            entries.append(Entry(path, "file", 0, UNREADABLE))
            continue
        known = cache.get(said)
        if known:
            xattrs = _xattrs(item.path) if known[1] else ""
            entries.append(Entry(path, "file", said.st_mode & 0o7777, known[0].hex(), "", xattrs))
        else:
            stats[path] = said
            entries.append(Entry(path, "file", said.st_mode & 0o7777))
        if said.st_nlink > 1:
            inodes.setdefault((said.st_dev, said.st_ino), []).append(path)
    firsts = {path: first for paths in inodes.values() for first in [min(paths)] for path in paths}
    for number, entry in enumerate(entries) if firsts or closed else ():
        first = firsts.get(entry.path, entry.path)
        if first != entry.path:
            entries[number] = replace(entry, link=first)
        elif entry.path in closed:
            entries[number] = replace(entry, digest=UNREADABLE)
    return Outline(root, Tree(tuple(sorted(entries, key=attrgetter("path")))), stats, began, ignore.note)


def _walked(root: Path, ignore: Rules, closed: set[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yields what is sent, in no order; a folder that is left out only if something in it is not.

    Adds the folders that cannot be read to `closed`.
    """
    shells: dict[str, os.DirEntry[str]] = {}
    waiting: list[tuple[str, str, Folder]] = [(str(root), "", ignore.top())]
    while waiting:
        full, folder, above = waiting.pop()
        try:
            with os.scandir(full) as listing:
                items = list(listing)
        except OSError as error:
            if not folder:
                raise ConfigError(f"{full}: no folder that can be read: {error.strerror}") from None
            closed.add(folder)
            continue
        for item in items:
            path = f"{folder}/{item.name}" if folder else item.name
            if item.is_dir(follow_symlinks=False):
                out, inside = ignore.folder(path, above)
                if inside is not None:
                    waiting.append((item.path, path, inside))
                if out:
                    shells[path] = item
                    continue
            elif ignore.file(path, above):
                continue
            yield path, item
            while shells and (path := path.rpartition("/")[0]) in shells:
                yield path, shells.pop(path)


def _special(path: str, full: str, said: os.stat_result) -> Entry:
    """Returns the entry of anything but a file."""
    kind = _KINDS[stat.S_IFMT(said.st_mode)]
    link = ""
    if kind == "symlink":
        link = os.readlink(full)  # noqa: PTH115 - a Path would tidy the text up
    elif kind == "device":
        letter = "c" if stat.S_ISCHR(said.st_mode) else "b"
        link = f"{letter} {os.major(said.st_rdev)}:{os.minor(said.st_rdev)}"
    return Entry(path, kind, stat.S_IMODE(said.st_mode), "", link, _xattrs(full))


def _xattrs(full: str) -> str:
    """Returns a digest of the extended attributes that BuildKit's checksum covers, "" if there are none."""
    if sys.platform != "linux":
        return ""
    try:
        names = [name for name in os.listxattr(full, follow_symlinks=False) if _counts(name)]
        values = [(name, os.getxattr(full, name, follow_symlinks=False)) for name in sorted(names)]
    except OSError:
        return ""
    return hashlib.sha256(repr(values).encode()).hexdigest() if values else ""


def _counts(name: str) -> bool:
    # contenthash/tarsum.go: what a security module or the file system keeps is not the user's.
    return name == "security.capability" or not name.startswith(("security.", "system."))


def _content(full: str, said: os.stat_result) -> _Content:
    hashed = hashlib.sha256()
    try:
        with open(full, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs a fifth of a small read
            while block := file.read(_CHUNK):
                hashed.update(block)
            after = os.fstat(file.fileno())
    except OSError:
        return _Content(None, "", settled=False)
    before, now = ((s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in (said, after))
    return _Content(hashed.digest(), _xattrs(full), settled=before == now)


def _filled(entry: Entry, content: _Content | None) -> Entry:
    if content is None:
        return entry
    digest = UNREADABLE if content.digest is None else content.digest.hex()
    return replace(entry, digest=digest, xattrs=content.xattrs)


def _found(folder: Path, name: str) -> Path:
    """Returns what a name in a folder leads to, its symlinks followed inside the folder as BuildKit does."""

    def text_of(path: str) -> str | None:
        try:
            return os.readlink(folder / path)  # noqa: PTH115 - a Path would tidy the text up
        except OSError:
            return None

    return folder / followed(name, text_of)
