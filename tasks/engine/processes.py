"""Programs that are run to their end for what they print; all that still run can be ended at once.

A Ctrl-C reaches the terminal's whole process group, a signal from CI reaches us alone, and a thread that waits
for a program hears of neither. So whoever handles the signal ends the programs, and the threads come back.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from typing_extensions import Self

GRACE = 1.0
"""Seconds between asking a program to end and killing it."""

_running: set[subprocess.Popen[str]] = set()


class _Main:
    """The main thread: whether a signal may break into it now (not while `held`), and whether one waits (`came`).

    `ends` counts the times that all was ended.
    """

    held = 0
    came = False
    ends = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What a program (its name) came to; `late` says that it was ended because it gave no answer in time."""

    status: int
    out: str
    err: str
    late: bool = False
    program: str = ""

    def __bool__(self) -> bool:
        return self.status == 0


def which(name: str) -> str | None:
    """Returns where a program is: on PATH, or beside the Python that runs this (pip puts it there)."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def run(
    command: Sequence[str],
    seconds: float | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Done:
    """Runs a program without input and returns what it printed; `seconds` is the most it may take.

    `env` is added to our own environment; `folder` is where it runs. Raises OSError for one that is not there.
    """
    with Running(command, env, folder) as running:
        return running.end(seconds)


class Running:
    """A program that has been started without input; leaving the block ends it if it has not ended by itself.

    The arguments are those of `run`, as is OSError.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._name = Path(command[0]).name
        whole = {**os.environ, **env} if env else None
        self._ends = _Main.ends
        self._process = _started(command, env=whole, cwd=folder, encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        with self._process:  # closes its pipes and waits
            _running.discard(self._process)

    def end(self, seconds: float | None = None) -> Done:
        """Waits for its end and returns what it printed; `seconds` is the most that is waited from now.

        One that was asked to end, and does not, is killed: `docker run` of Docker 28 waits to be asked three times.
        """
        process, late, asked = self._process, False, False
        limit = None if seconds is None else time.monotonic() + seconds
        while True:
            left = GRACE if limit is None else min(GRACE, max(0.0, limit - time.monotonic()))
            try:
                out, err = process.communicate(timeout=left)
                break
            except subprocess.TimeoutExpired:
                late = limit is not None and time.monotonic() >= limit
                if late or asked:
                    process.kill()
                    out, err = self._rest()
                    break
                asked = self._ends != _Main.ends
        return Done(process.returncode, out, err, late, self._name)

    def _rest(self) -> tuple[str, str]:
        """Returns what a program that was killed had printed; one it had started may keep its pipes open for long."""
        try:
            return cast("tuple[str, str]", self._process.communicate(timeout=GRACE))
        except subprocess.TimeoutExpired as error:
            out, err = error.output or b"", error.stderr or b""  # bytes, also of a process of texts
            return out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


@contextlib.contextmanager
def streamed(command: Sequence[str]) -> Iterator[tuple[IO[bytes], list[Done]]]:
    """Runs a program whose output is read as it comes; what it came to is in the list once the block has ended.

    A block that is left early ends the program.
    """
    done: list[Done] = []
    with tempfile.TemporaryFile() as errors:
        process = _started(command, stderr=errors)
        out = cast("IO[bytes]", process.stdout)
        try:
            yield out, done
            while out.read(1 << 20):
                pass
            process.wait()
        finally:
            process.kill()
            process.wait()
            out.close()
            _running.discard(process)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
        done.append(Done(process.returncode, "", said, program=Path(command[0]).name))


def _started(command: Sequence[str], stderr: Any = subprocess.PIPE, **how: Any) -> subprocess.Popen[Any]:
    """Starts a program and enters it among those that run, whole or not at all.

    An exception out of the middle of a start would leave a program that nobody knows of; so a signal that
    comes then only marks the end (`end_all`), and it is made here. A program that another thread was starting
    then is ended here as well, and so is one that it starts while the main thread waits for it to end.
    """
    main = threading.current_thread() is threading.main_thread()
    ends = _Main.ends
    _Main.held += main
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            **how,
        )
        _running.add(process)
    finally:
        _Main.held -= main
    if main and _Main.came and not _Main.held:
        _Main.came = False
        process.terminate()
        process.communicate()
        _running.discard(process)
        raise KeyboardInterrupt
    if ends != _Main.ends or (_Main.came and not main):
        process.terminate()
    return process


@contextlib.contextmanager
def unbroken() -> Iterator[Callable[[], bool]]:
    """Keeps signals from breaking into the main thread: what is yielded tells that one came, the block's end raises it.

    An exception in the middle of a pool's own locks would leave them held, and its threads, and whoever waits for
    those, would wait for ever.
    """
    main = threading.current_thread() is threading.main_thread()
    _Main.held += main
    try:
        yield lambda: main and _Main.came
    finally:
        _Main.held -= main
        if main and _Main.came and not _Main.held:
            _Main.came = False
            raise KeyboardInterrupt


def end_programs() -> None:
    """Ends every program that still runs; whoever waits for it gets its status."""
    _Main.ends += 1
    for process in tuple(_running):
        process.terminate()


def end_all() -> bool:
    """Ends every program that still runs, for a signal has come.

    Returns False where the main thread must not be broken into: it raises KeyboardInterrupt by itself as soon as
    that is over, and the caller must not.
    """
    held = _Main.held > 0
    if held:
        _Main.came = True
    end_programs()
    return not held
