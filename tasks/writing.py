"""Files written whole or not at all: beside their place, synced, then renamed. Knows no file by name."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .errors import SurroundingsError


def write(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Writes a file, and makes its folder where there is none: at every moment there is the old one or the new.

    Without `sync` a power cut may lose it, which is for what can be found out anew. Raises OSError; the old one
    stands then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(path)
    try:
        _put(partial, content, sync=sync)
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    if sync:
        sync_folder(path.parent)


def write_all(files: Mapping[Path, str]) -> None:
    """Writes texts to files that are there, keeping their modes; each file is whole at every moment.

    All new texts are on the disk before the first takes its place; where one cannot take it, those before it are put
    back. Raises SurroundingsError, nothing changed, for a file that cannot be written.
    """
    real = {path.resolve(): text.encode("utf-8") for path, text in files.items()}
    partial = {path: _beside(path) for path in real}
    done: dict[Path, bytes] = {}
    path = next(iter(real), Path())
    try:
        for path, content in real.items():
            _put(partial[path], content, like=path)
        for path in real:
            before = path.read_bytes()
            partial[path].replace(path)
            done[path] = before
    except BaseException as error:
        for changed, before in done.items():
            _put(partial[changed], before, like=changed)
            partial[changed].replace(changed)
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise SurroundingsError(f"{path} cannot be written: {reason}. Nothing was changed.") from None
        raise
    finally:
        for left in partial.values():
            with suppress(OSError):
                left.unlink()


def sync_folder(folder: Path) -> None:
    """Waits until the disk has what a folder lists. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")


def _put(path: Path, content: bytes, *, sync: bool = True, like: Path | None = None) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    if like:
        shutil.copymode(like, path)
