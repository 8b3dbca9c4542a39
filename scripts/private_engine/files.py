"""Whole files and held locks: nothing here is ever seen half-written or done twice at once."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file, or an empty one where the file is absent or spoiled."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Writes an object as JSON, whole or not at all."""
    write(path, json.dumps(value, indent=2) + "\n")


def link(path: Path, target: Path) -> None:
    """Makes `path` a symbolic link to `target`, replacing what is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock file; a second process waits. The kernel lets go when the holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        # Python opens files close-on-exec, so no daemon inherits the lock.
        with path.open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # `remove` may have deleted the file while we waited: then this lock guards nothing.
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                yield
                return
