"""Remembers the sha256 of files by what stat says of them, in one file per project.

A file is known by device, inode, size, mode, mtime and ctime; ctime changes with every write, chmod, rename
or setxattr, and nobody can set it. It knows nothing of contexts. The file is a run of records of fixed size:
100,000 of them are read in a few hundredths of a second, and nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from contextlib import suppress
from pathlib import Path

from ..writing import write

_MAGIC = b"argosy statcache 1\n"
# Nanoseconds: coarser than any file system's clock (FAT: 2 s). What changed so lately may change unseen.
RACY = 2_000_000_000
# Days after which what nobody asked for is forgotten, and after which it counts as asked for anew.
_KEPT, _FRESH = 30, 7

_KEY = struct.Struct("<QQQIQQ")
_64_BITS = (1 << 64) - 1
_VALUE = struct.Struct("<32s?I")
_RECORD = struct.Struct(f"<{_KEY.size}s{_VALUE.size}s")


class StatCache:
    """Contents of files by their stat. Many processes may use the file; of two that save, the last wins."""

    def __init__(self, path: Path) -> None:
        """Reads what was saved at `path`; a file that is missing, broken or not ours counts as empty."""
        self._path = path
        self._today = int(time.time()) // 86_400
        self._values = _loaded(path)
        self._changed = False

    def get(self, stat: os.stat_result) -> tuple[bytes, bool] | None:
        """Returns the sha256 of a file with this stat and whether it has extended attributes, or None."""
        value = self._values.get(_key(stat))
        if value is None:
            return None
        digest, xattrs, day = _VALUE.unpack(value)
        if self._today - day > _FRESH:
            self._remember(_key(stat), digest, xattrs=xattrs)
        return digest, xattrs

    def put(self, stat: os.stat_result, digest: bytes, *, xattrs: bool, began: int) -> None:
        """Remembers what was read of a file whose stat was taken at the time `began` (ns), before it.

        A file changed just before that is not remembered: one more change could leave the same times behind.
        It is read again by the next run.
        """
        if max(stat.st_mtime_ns, stat.st_ctime_ns) + RACY < began:
            self._remember(_key(stat), digest, xattrs=xattrs)

    def save(self) -> None:
        """Writes what is known if it is more than was read. Where it cannot be kept, nothing is said."""
        if not self._changed:
            return
        kept = (
            _RECORD.pack(key, value)
            for key, value in self._values.items()
            if self._today - _VALUE.unpack(value)[2] <= _KEPT
        )
        body = b"".join(kept)
        with suppress(OSError):
            write(self._path, _MAGIC + hashlib.sha256(body).digest() + body, sync=False)
            self._changed = False

    def _remember(self, key: bytes, digest: bytes, *, xattrs: bool) -> None:
        self._values[key] = _VALUE.pack(digest, xattrs, self._today)
        self._changed = True


def _key(stat: os.stat_result) -> bytes:
    return _KEY.pack(
        stat.st_dev,
        stat.st_ino,
        stat.st_size,
        stat.st_mode,
        # A time may be before 1970 or, on some file systems, after 2262.
        stat.st_mtime_ns & _64_BITS,
        stat.st_ctime_ns & _64_BITS,
    )


def _loaded(path: Path) -> dict[bytes, bytes]:
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    digest, body = data[len(_MAGIC) : len(_MAGIC) + 32], memoryview(data)[len(_MAGIC) + 32 :]
    whole = data.startswith(_MAGIC) and hashlib.sha256(body).digest() == digest
    return dict(_RECORD.iter_unpack(body)) if whole and len(body) % _RECORD.size == 0 else {}
