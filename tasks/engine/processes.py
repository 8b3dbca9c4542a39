"""Programs that are run to their end for what they print; all that still run can be ended at once.

A Ctrl-C reaches the terminal's whole process group, a signal from CI reaches us alone, and a thread that waits
for a program hears of neither. So whoever handles the signal ends the programs, and the threads come back.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

_running: set[subprocess.Popen[str]] = set()


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
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    _running.add(process)
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


def end_all() -> None:
    """Ends every program that still runs; whoever waits for it gets its status."""
    for process in tuple(_running):
        process.terminate()
