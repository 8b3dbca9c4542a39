"""Reads build contexts: which entries they have after their ignore rules, and the contents of files.

It follows no symlink and decides nothing: what of a context an image takes is for planning to say. What
cannot be read is an entry like any other: BuildKit fails on it only if a Dockerfile asks for it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from ..errors import ConfigError
from ..planning.content import Entry, Kind, Tree
from ..planning.ignore import Folder, Rules, ignore_files, read
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
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Outline:
    """A context before its files are read: a file's digest is "" where the cache does not know it."""

    root: Path
    tree: Tree
    stats: Mapping[str, os.stat_result]
    """Of the files that are not known."""
    began: int
    """When it was taken, in ns."""

    def filled(self, entries: Sequence[Entry], cache: StatCache) -> tuple[Entry, ...]:
        """Returns entries of this context with every digest, reading those files that must be read."""
        missing = [entry.path for entry in entries if entry.kind == "file" and not entry.digest]
        if not missing:
            return tuple(entries)
        found = dict(_hashed(self, missing, cache))
        return tuple(found.get(entry.path, entry) ... )
