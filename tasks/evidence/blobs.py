"""Blobs by digest in a folder: what was read once from a registry or the engine is not read again.

Knows digests and files, not what is in them. A blob is there whole and verified, or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import SurroundingsError
from ..homes import home

MOST = 4_000_000_000
"""Bytes that are kept; beyond them those go that were not used for longest."""
_IN_USE_SECONDS = 3600.0
_BLOCK = 1 << 20

Fill = Callable[[IO[bytes]], object]


class Blobs:
    """A folder of blobs that several threads, and several runs at once, may use."""

    def __init__(self, folder: Path | None = None) -> None:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home() / ".cache")
        self.folder = folder or base / "argosy" / "blobs"
        self._locks: dict[str, threading.Lock] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SurroundingsError(
                f"cannot keep layers in {self.folder}: {error.strerror}. Set XDG_CACHE_HOME to a folder that can "
                "be written."
            ) from None

    def get(self, digest: str) -> Path | None:
        """Returns the file of a blob that is there; it stays for the next hour."""
        path = self.folder / digest.replace(":", "-")
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def fetch(self, digest: str, fill: Fill) -> Path:
        """Returns the file of a blob; one that is not there is written by `fill` into the file it is given.

        Raises SurroundingsError where what came is not what the digest promises, or there is no space.
        """
        with self._locks.setdefault(digest, threading.Lock()):
            return self.get(digest) or self._filled(digest, fill)

    def _filled(self, digest: str, fill: Fill) -> Path:
        path = self.folder / digest.replace(":", "-")
        partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
        try:
            with partial.open("w+b") as file:
                fill(file)
                file.seek(0)
                found = _digest(file)
                if found != digest:
                    raise SurroundingsError(
                        f"{digest} came as {found}: what was sent is not what was asked for"
                    )
            partial.replace(path)
        except OSError as error:
            raise SurroundingsError(f"cannot keep a layer in {self.folder}: {error.strerror}") from None
        finally:
            partial.unlink(missing_ok=True)
        return path

    def prune(self, most: int = MOST) -> None:
        """Removes what was not used for longest until no more than `most` bytes are left; never what is in use."""
        known = []
        with contextlib.suppress(OSError):
            known = [(file.stat().st_mtime, file.stat().st_size, file) for file in self.folder.iterdir()]
        total = sum(size for _, size, _ in known)
        for used, size, file in sorted(known):
            if total <= most or time.time() - used < _IN_USE_SECONDS:
                return
            with contextlib.suppress(OSError):
                file.unlink()
                total -= size


def read(path: Path) -> Mapping[str, Any]:
    """Returns the JSON of a blob."""
    value = json.loads(path.read_bytes())
    return value if isinstance(value, dict) else {}


def _digest(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    while block := file.read(_BLOCK):
        found.update(block)
    return f"sha256:{found.hexdigest()}"
