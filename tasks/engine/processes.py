"""Programs that are run to their end for what they print; all that still run can be ended at once.

A Ctrl-C reaches the terminal's whole process group, a signal from CI reaches us alone, and a thread that waits
for a program hears of neither. So whoever handles the signal ends the programs, and the threads come back.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass

_running: set[subprocess.Popen[str]] = set()
_ending = threading.Event()
_main_starts = threading.Event()


@dataclass(frozen=True, slots=True)
class Done:
    """What a program came to; `late` says that it was ended because it gave no answer in time."""

    status: int
    out: str
    err: str
    late: bool = False

    def __bool__(self) -> bool:
        return self.status == 0


def run(command: Sequence[str], seconds: float | None = None) -> Done:
    """Runs a program without input and returns what it printed; `seconds` is the most it may take."""
    process = _started(command)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        return Done(process.returncode, out, err, late=True)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        _running.discard(process)
    return Done(process.returncode, out, err)


def _started(command: Sequence[str]) -> subprocess.Popen[str]:
    """Starts a program and enters it among those that run, whole or not at all.

    An exception out of the middle of a start would leave a program that nobody knows of; so a signal that
    comes then only marks the end (`end_all`), and it is made here.
    """
    if main := threading.current_thread() is threading.main_thread():
        _main_starts.set()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        _running.add(process)
    finally:
        if main:
            _main_starts.clear()
    if main and _ending.is_set():
        _ending.clear()
        process.terminate()
        process.communicate()
        _running.discard(process)
        raise KeyboardInterrupt
    return process


def end_all() -> bool:
    """Ends every program that still runs; whoever waits for it gets its status.

    Returns False where the main thread is in the middle of starting one: that start ends in KeyboardInterrupt
    by itself, and the caller must not raise it in between.
    """
    starting = _main_starts.is_set()
    if starting:
        _ending.set()
    for process in tuple(_running):
        process.terminate()
    return not starting
