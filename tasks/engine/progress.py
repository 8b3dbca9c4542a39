"""Folds BuildKit's progress messages into the state of each image on each platform.

A message is BuildKit's SolveStatus as JSON: `vertexes` (steps), `statuses`, `logs`, `warnings`
(moby/buildkit client/graph.go). Who shows the state, and how, is not known here: a Watcher is told.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from .failure import Failure, read_failure
from .rawjson import Decoder
from .steps import Step, Target, read_step, seconds


class State(str, Enum):
    """How far one image on one platform is; the value is the word people see."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(slots=True, eq=False)
class Build:
    """One image on one platform ("" where the builder chooses it) and the steps reported for it so far."""

    image: str
    platform: str
    steps: list[Step] = field(default_factory=list)
    state: State = State.WAITING

    @property
    def current(self) -> Step | None:
        """The step it is in: the one started last of those that run, else the one that ended last."""
        running = [step for step in self.steps if step.running]
        if running:
            return max(running, key=lambda step: step.started or 0.0)
        return max(self.steps, key=lambda step: step.ended or 0.0, default=None)

    @property
    def counted(self) -> list[Step]:
        """The steps a Dockerfile asks for."""
        return [step for step in self.steps if step.counted]

    @property
    def total(self) -> int:
        """How many steps the Dockerfile asks for, as far as is known."""
        return len(self.counted)

    @property
    def done(self) -> int:
        """How many of them have ended well."""
        return sum(1 for step in self.counted if step.ended is not None and not step.error)

    @property
    def cached(self) -> int:
        """How many of them came from the cache."""
        return sum(1 for step in self.counted if step.cached)

    @property
    def started(self) -> float | None:
        """When its first step started; None while it waits."""
        return min((step.started for step in self.steps if step.started is not None), default=None)

    @property
    def ended(self) -> float | None:
        """When its last step ended; None while one runs or none has."""
        if any(step.running for step in self.steps):
            return None
        return max((step.ended for step in self.steps if step.ended is not None), default=None)

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did."""
        return next((step for step in self.steps if step.failed), None)


class Watcher(Protocol):
    """Who wants to know how builds go on; several builds may call it at once, from threads of their own."""

    def update(self, builds: Sequence[Build]) -> None:
        """Something about these builds has changed."""

    def step(self, step: Step) -> None:
        """A step has ended: done, cached or failed (not: canceled)."""

    def line(self, text: str) -> None:
        """The builder has something to say beside the steps: a warning, say."""


class Progress:
    """The state of one run of bake, fed with what the run writes to stderr.

    `targets` are all targets of the bake file, those that are only linked included. `log` is given every
    line of output as it comes, one whole line a call, for the log file.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        watcher: Watcher | None = None,
        log: Callable[[str], object] | None = None,
    ) -> None:
        self.targets: Mapping[str, Target] = {target.name: target for target in targets}
        self.builds = tuple(
            Build(target.image, platform)
            for target in self.targets.values()
            for platform in target.platforms or ("",)
        )
        self._watcher = watcher
        self._log = log or (lambda _: None)
        self._decoder = Decoder()
        self._steps: dict[str, Step] = {}
        self._plain = 0

    @property
    def plain(self) -> Sequence[str]:
        """What the builder printed beside its messages; its final error is the end of it."""
        return tuple(self._decoder.plain)

    def feed(self, text: str) -> None:
        """Takes a piece of stderr, of any size."""
        for message in self._decoder.feed(text):
            self.apply(message)

    def close(self, *, succeeded: bool) -> None:
        """Takes the end of stderr: a run that succeeded has done everything that was asked of it."""
        for message in self._decoder.close():
            self.apply(message)
        for line in self._decoder.plain:
            self._log(line)
        for build in self.builds:
            if succeeded:
                build.state = State.DONE
            elif build.state in {State.WAITING, State.RUNNING}:
                build.state = State.STOPPED
        self._tell(self.builds)

    def apply(self, message: Mapping[str, Any]) -> None:
        """Takes one message of BuildKit."""
        changed: dict[int, Build] = {}
        for vertex in message.get("vertexes") or ():
            self._vertex(vertex, changed)
        for log in message.get("logs") or ():
            self._output(log)
        for warning in message.get("warnings") or ():
            self._warning(warning)
        self._tell(tuple(changed.values()))

    def failure(self) -> Failure | None:
        """Returns what went wrong, read from the failed step and the final error; None if nothing did."""
        failed = next((step for step in self._steps.values() if step.failed), None)
        return read_failure(failed, self.plain, self.targets)

    def cached(self, image: str) -> tuple[int, int]:
        """Returns how many of an image's steps came from the cache, and how many were reported for it.

        A step that several images share is reported for one of them only.
        """
        own = [step for step in self._steps.values() if step.image == image and step.counted]
        return sum(1 for step in own if step.cached), len(own)

    def seconds(self, image: str) -> float:
        """Returns the time from the start of an image's first step to the end of its last."""
        builds = [build for build in self.builds if build.image == image]
        starts = [build.started for build in builds if build.started is not None]
        ends = [build.ended for build in builds if build.ended is not None]
        return max(ends) - min(starts) if starts and ends else 0.0

    def _vertex(self, vertex: Mapping[str, Any], changed: dict[int, Build]) -> None:
        digest = vertex.get("digest", "")
        step = self._steps.get(digest)
        if step is None:
            step = self._steps[digest] = read_step(vertex.get("name", ""), self.targets)
            for build in self._builds_of(step):
                build.steps.append(step)
        ended_before = step.ended is not None
        step.started = seconds(vertex.get("started")) or step.started
        step.ended = seconds(vertex.get("completed"))
        step.cached = bool(vertex.get("cached")) or step.cached
        step.error = vertex.get("error", "") or step.error
        if step.ended is not None and not ended_before:
            self._end(step)
        for build in self._builds_of(step):
            changed[id(build)] = build
            if step.failed:
                build.state = State.FAILED
            elif step.running and build.state is State.WAITING:
                build.state = State.RUNNING

    def _end(self, step: Step) -> None:
        for line in step.flush():
            self._log(f"{_who(step)} | {line}")
        if not step.failed:
            step.lines.clear()
        if step.canceled:
            return
        how = "cached" if step.cached else f"{step.seconds:.1f} s"
        self._log(f"{_who(step)} {f'failed: {step.error}' if step.failed else how}")
        if self._watcher:
            self._watcher.step(step)

    def _output(self, log: Mapping[str, Any]) -> None:
        step = self._steps.get(log.get("vertex", ""))
        if step is None:
            return
        for line in step.write(base64.b64decode(log.get("data") or "").decode(errors="replace")):
            self._log(f"{_who(step)} | {line}")

    def _warning(self, warning: Mapping[str, Any]) -> None:
        step = self._steps.get(warning.get("vertex", ""))
        text = base64.b64decode(warning.get("short") or "").decode(errors="replace")
        whose = f"{step.image}: " if step and step.image else ""
        self._log(f"warning: {whose}{text}")
        if self._watcher:
            self._watcher.line(f"warning: {whose}{text}")

    def _builds_of(self, step: Step) -> list[Build]:
        return [
            build
            for build in self.builds
            if step.target and build.image == step.image and step.platform in {"", build.platform}
        ]

    def _tell(self, builds: Sequence[Build]) -> None:
        if self._watcher and builds:
            self._watcher.update(builds)


def _who(step: Step) -> str:
    return " ".join(part for part in (step.image, step.platform, step.label) if part)
