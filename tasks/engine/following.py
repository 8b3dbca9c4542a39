"""A program whose lines are told as they come, and that is ended with all that it has started.

`podman build` starts others that outlive it; what ends programs otherwise (processes.py) reaches one process alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, cast

from .processes import GRACE, unbroken


def follow(command: Sequence[str], told: Callable[[str], object], folder: Path) -> int:
    """Runs a program in a folder, tells each line it prints on either stream, and returns its status.

    A call that is left early ends the program and all that it has started. Raises OSError for one that is not there.
    """
    process: subprocess.Popen[str] | None = None
    try:
        with unbroken():
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                encoding="utf-8",
                errors="replace",
            )
        for line in cast("IO[str]", process.stdout):
            told(line.rstrip("\n"))
        return process.wait()
    finally:
        if process:
            _end_tree(process)


def _end_tree(process: subprocess.Popen[Any]) -> None:
    """Ends a program that still runs, and all that it has started: asked first, then killed."""
    if process.poll() is None:
        below = _below(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        for pid in (process.pid, *below):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()
    cast("IO[str]", process.stdout).close()


def _below(pid: int) -> list[int]:
    """Returns the processes that one has started, and those that they have (proc(5), stat)."""
    parents: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            text = file.read_text(encoding="utf-8", errors="replace")
            parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(file.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found[1:]
