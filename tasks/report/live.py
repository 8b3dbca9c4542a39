"""Progress while it happens, on stderr: a living screen on a terminal, plain lines anywhere else.

`live` chooses. What a build is and when a step has ended is buildkit/progress.py's business; results are
results.py's. The plain form writes no control codes and imports no rich.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from ..buildkit.builds import Build, State, Watcher
from ..buildkit.progress import LONG
from ..buildkit.steps import Step
from . import units

if TYPE_CHECKING:
    from typing_extensions import Self

PULSE = 30.0
"""Seconds of silence after which the plain form says what is still running: CI ends silent jobs."""


class Watching(Watcher, AbstractContextManager[Watcher], Protocol):
    """A watcher that is switched on and off."""


def live(builds: Iterable[tuple[str, str]], stream: TextIO | None = None) -> Watching:
    """Returns what shows progress on `stream` (stderr); `builds` are all images and platforms to come."""
    out = stream or sys.stderr
    if not out.isatty():
        return Lines(out)
    from .screen import Screen

    return Screen(builds, out)


class Lines:
    """One line for each step that has run and for each image that is done.

    Steps that came from the cache are counted in their image's line, not told one by one.
    """

    def __init__(self, stream: TextIO, pulse: float = PULSE) -> None:
        self._stream = stream
        self._pulse = pulse
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._running: dict[tuple[str, str], Build] = {}
        self._told: set[tuple[str, str]] = set()
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()

    def update(self, builds: Sequence[Build]) -> None:
        """Tells of builds that are done, remembers those that run."""
        with self._lock:
            for build in builds:
                key = build.image, build.platform
                if build.state is State.RUNNING:
                    self._running[key] = build
                    continue
                self._running.pop(key, None)
                if build.state is State.DONE and key not in self._told:
                    self._told.add(key)
                    self._write(_done(build))

    def step(self, step: Step) -> None:
        """Tells of a step that has ended, and everything a failed one has printed."""
        if step.failed:
            self._tell("\n".join(failed_lines(step)))
        elif step.target and not step.cached and (step.asked or step.seconds >= LONG):
            self._tell(f"{whose(step)}  {step.label}  {units.duration(step.seconds)}")

    def line(self, text: str) -> None:
        """Tells what the builder has to say."""
        self._tell(text)

    def _tell(self, text: str) -> None:
        with self._lock:
            self._write(text)

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()
        self._last = time.monotonic()

    def _beat(self) -> None:
        while not self._over.wait(min(self._pulse, 1.0)):
            with self._lock:
                if time.monotonic() - self._last >= self._pulse and self._running:
                    self._write("\n".join(map(_still, self._running.values())))


def whose(of: Step | Build) -> str:
    """Returns image and platform, as far as they are known."""
    return " ".join(part for part in (of.image, of.platform) if part)


def failed_lines(step: Step) -> list[str]:
    """Returns what is to be said of a failed step: whose it is, everything it printed, and its error."""
    hidden = f"  | ({step.dropped} earlier lines are in the log file)"
    return [
        f"FAILED {whose(step)}  {step.label}",
        *([hidden] if step.dropped else []),
        *(f"  | {line}" for line in step.lines),
        f"  {step.message}",
    ]


def _done(build: Build) -> str:
    cached = f"  {build.cached}/{build.total} cached" if build.total else ""
    spent = (build.ended or 0.0) - (build.started or 0.0)
    return f"{whose(build)}  done{cached}  {units.duration(max(spent, 0.0))}"


def _still(build: Build) -> str:
    step = build.current
    if step is None or step.first is None:
        return f"{whose(build)}  ..."
    return f"{whose(build)}  {step.label}  ... {units.duration(max(time.time() - step.first, 0.0))}"
