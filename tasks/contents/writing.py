"""Several files written as one: all of them, or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..errors import SurroundingsError


def write_all(files: Mapping[Path, str]) -> None:
    """Writes texts to files that are there, keeping their modes; each file is whole at every moment.

    All new texts are on the disk before the first takes its place; where one cannot take it, those before it are put
    back. Raises SurroundingsError, nothing changed, for a file that cannot be written.
    """
    real = {path.resolve(): text.encode("utf-8") for path, text in files.items()}
    partial = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in real}
    done: dict[Path, bytes] = {}
    path = next(iter(real), Path())
    try:
        for path, content in real.items():
            _write(partial[path], content, like=path)
        for path in real:
            before = path.read_bytes()
            partial[path].replace(path)
            done[path] = before
    except BaseException as error:
        for changed, before in done.items():
            _write(partial[changed], before, like=changed)
            partial[changed].replace(changed)
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise SurroundingsError(f"{path} cannot be written: {reason}. Nothing was changed.") from None
        raise
    finally:
        for left in partial.values():
            with suppress(OSError):
                left.unlink()


def _write(path: Path, content: bytes, *, like: Path) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(like, path)
