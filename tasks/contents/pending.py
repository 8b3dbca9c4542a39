"""Addresses that images are loaded under before it is sure that they deserve them: a killed build leaves word of them.

A build reads its files while it goes on, so whether an image is what its address says is known only afterwards. Until
then a file in the project's folder names the addresses, locked by the process that builds; the lock goes with it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from . import state


@contextmanager
def unsure(root: Path, references: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Leaves word of these until what it gives is called; if that never happens, word is left behind."""
    if not references:
        yield lambda: None
        return
    path = _folder(root) / f"{os.getpid()}-{time.time_ns()}.json"
    with ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what does not go in is told now, and not when the build has begun.
            file = held.enter_context(path.open("xb", buffering=0))
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(list(references)).encode())
        except OSError:  # as with all that is remembered: what cannot be written is not
            held.close()
            _remove(path)
        yield lambda: _remove(path)


def forget(root: Path, remove: Callable[[Sequence[str]], None]) -> None:
    """Has what dead processes were unsure of removed. Raises what `remove` does; word of it is left then."""
    with suppress(OSError):
        for path in sorted(_folder(root).iterdir()):
            with suppress(OSError), path.open(encoding="utf-8") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # it builds still
                if os.fstat(file.fileno()).st_nlink == 0:
                    continue  # it has become sure meanwhile
                with suppress(ValueError):  # killed before it had said what: then it had built nothing either
                    remove(json.load(file))
                _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _folder(root: Path) -> Path:
    return state.folder(root) / "unsure"
