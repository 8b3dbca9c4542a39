"""Folds BuildKit's progress messages into the state of each image on each platform.

A message is BuildKit's SolveStatus as JSON: `vertexes` (steps), `statuses`, `logs`, `warnings`
(moby/buildkit client/graph.go). Who shows the state, and how, is not known here: a Watcher is told.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .builds import Build, State, Watcher
from .failure import Failure, read_failure
from .rawjson import Decoder
from .steps import Step, Target, quiet, stands_on
from .vertex import read_step, read_time

LONG = 1.0
"""BuildKit's own work (fetching a base, say) is told each time it took this many seconds, else once."""


class Progress:
    """The state of one run of bake, fed with what the run writes to stderr.

    `targets` are all targets of the bake file, those that are only linked included. `log` is given every
    line of output as it comes, one whole line a call, for the log file. `root` is the folder that the
    targets' paths are relative to. Not to be fed from two threads.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        watcher: Watcher | None = None,
        log: Callable[[str], object] | None = None,
        root: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.targets: Mapping[str, Target] = {target.name: target for target in targets}
        self._builds = {
            target.name: [
                Build(target.image, platform, aside=target.aside) for platform in target.platforms or ("",)
            ]
            for target in self.targets.values()
        }
        self._bases: dict[str, tuple[str, ...]] = {}
        for name in self.targets:
            stands_on(name, self.targets, self._bases)
        self._root, self._clock, self._watcher = root or Path(), clock, watcher
        self._log = log or (lambda _: None)
        self._decoder = Decoder()
        # BuildKit reports a step that several targets share once for each of them: same digest, other name.
        self._steps: dict[str, dict[str, Step]] = {}
        self._told: set[str] = set()
        self._failed: Step | None = None

    @property
    def builds(self) -> tuple[Build, ...]:
        """All images and platforms of this run."""
        return tuple(build for builds in self._builds.values() for build in builds)

    @property
    def plain(self) -> Sequence[str]:
        """What the builder printed beside its messages; its final error is the end of it."""
        hidden = [text for target in self.targets.values() for text in target.hidden]
        return tuple(quiet(line, hidden) for line in self._decoder.plain)

    def feed(self, text: str) -> None:
        """Takes a piece of stderr, of any size."""
        for message in self._decoder.feed(text):
            self.apply(message)

    def close(self, *, succeeded: bool) -> None:
        """Takes the end of stderr: a run that succeeded has done everything that was asked of it."""
        for message in self._decoder.close():
            self.apply(message)
        for line in self.plain:
            self._log(line)
        for build in self.builds:
            if succeeded:
                self._finish(build)
            elif build.state in {State.WAITING, State.RUNNING}:
                build.state = State.STOPPED
        self._update(self.builds)

    def apply(self, message: Mapping[str, Any]) -> None:
        """Takes one message of BuildKit."""
        vertexes = [
            (vertex, self._step(vertex.get("digest", ""), vertex.get("name", "")))
            for vertex in message.get("vertexes") or ()
        ]
        # What a step printed is taken before its end, which may be in the same message.
        for status in message.get("statuses") or ():
            self._status(status)
        for log in message.get("logs") or ():
            self._output(log)
        changed: dict[Build, None] = {}
        for vertex, step in vertexes:
            changed.update(dict.fromkeys(self._vertex(vertex, step)))
        for warning in message.get("warnings") or ():
            self._warning(warning)
        self._update(changed)

    def _update(self, builds: Iterable[Build]) -> None:
        """Tells of builds, but for those of targets that make no image: their end is not the image's."""
        shown = tuple(build for build in builds if not build.aside)
        if self._watcher and shown:
            self._watcher.update(shown)

    def failure(self) -> Failure | None:
        """Returns what went wrong, read from the failed step and the final error; None if nothing did."""
        return read_failure(self._failed, self.plain, self.targets, self._root)

    def done(self, target: str) -> bool:
        """Whether a target is all there, on each of its platforms: built, and loaded or pushed as it was to be."""
        return all(build.state is State.DONE for build in self._builds[target])

    def cached(self, image: str) -> tuple[int, int]:
        """Returns how many of an image's own steps came from the cache, and how many there were."""
        steps = {id(step): step for build in self._of(image) for step in build.counted}.values()
        return sum(1 for step in steps if step.cached), len(steps)

    def seconds(self, image: str) -> float:
        """Returns the time from the start of an image's first step to the end of its last."""
        starts = [build.started for build in self._of(image) if build.started is not None]
        ends = [build.ended for build in self._of(image) if build.ended is not None]
        return max(ends) - min(starts) if starts and ends else 0.0

    def _of(self, image: str) -> list[Build]:
        return [build for build in self.builds if build.image == image]

    def _vertex(self, vertex: Mapping[str, Any], step: Step) -> list[Build]:
        """Takes a vertex's news of its step and returns the builds they are about."""
        builds = self._builds_of(step)
        started, ended = read_time(vertex.get("started")), read_time(vertex.get("completed"))
        # Messages repeat what was said before: only the latest of a step's runs is news.
        if started is None or (step.started is not None and started < step.started):
            return builds
        if started != step.started:
            step.started, step.ended = started, None
            step.first = step.first or self._clock()
        step.cached = bool(vertex.get("cached"))
        secrets = step.target.hidden if step.target else ()
        step.error = quiet(vertex.get("error", ""), secrets) or step.error
        if step.running:
            for build in builds:
                build.state = State.RUNNING if build.state in {State.WAITING, State.DONE} else build.state
        if ended is not None and step.ended is None:
            step.ended, step.last = ended, self._clock()
            self._end(vertex.get("digest", ""), step, builds)
        return builds

    def _step(self, digest: str, name: str) -> Step:
        """Returns the step of this digest for the target that the name tells."""
        new = read_step(name, self.targets)
        of = new.target.name if new.target else ""
        same = self._steps.setdefault(digest, {})
        if of in same:
            return same[of]
        for other_name, other in same.items():
            if other_name in self._bases.get(of, ()):
                new.owner = other.owner or other.image
            elif of in self._bases.get(other_name, ()) and not other.owner:
                other.owner = new.image
        same[of] = new
        for build in self._builds_of(new):
            build.steps.append(new)
        return new

    def _end(self, digest: str, step: Step, builds: Sequence[Build]) -> None:
        step.transfers.clear()
        if step.canceled:
            return
        told = self._owned(digest, step)
        if step.failed:
            step.owner = step.owner or (told.image if told is not step else "")
            for build in self._builds_of(told):
                build.state = State.FAILED
        elif step.label.startswith("exporting to "):
            for build in builds:
                self._finish(build)
        if digest not in self._told or (not step.asked and step.seconds >= LONG):
            self._told.add(digest)
            self._tell(step, told)
        if not step.failed:
            step.lines.clear()

    def _tell(self, step: Step, told: Step) -> None:
        for line in step.flush():
            self._log(f"{step.words} | {line}")
        how = "cached" if step.cached else f"{step.seconds:.1f} s"
        self._log(f"{told.words} {f'failed: {step.error}' if step.failed else how}")
        if step.failed:
            self._failed = self._failed or told
        if self._watcher:
            self._watcher.step(told)

    def _owned(self, digest: str, step: Step) -> Step:
        """Returns the step under the name of the image it really belongs to.

        A base's step is reported for what stands on it first, and for the base itself perhaps only on
        another platform by the time it fails.
        """
        for base in self._bases.get(step.target.name, ()) if step.target else ():
            if base in self._steps[digest]:
                return replace(step, target=self.targets[base], owner="")
            others = (other for build in self._builds[base] for other in build.steps)
            if any(
                other.asked and other.label == step.label
                for other in others
                if other.platform != step.platform
            ):
                return replace(step, target=self.targets[base], owner="")
        return step

    def _finish(self, build: Build) -> None:
        build.state = State.DONE
        for step in build.steps:
            if step.started is None:  # what comes after it was cached, so nobody asked for it
                step.cached = True

    def _status(self, status: Mapping[str, Any]) -> None:
        for step in self._steps.get(status.get("vertex", ""), {}).values():
            name = str(status.get("id", ""))
            if status.get("current"):
                step.transfers[name] = int(status["current"]), int(status.get("total", 0))
            step.doing = "" if status.get("completed") else name

    def _output(self, log: Mapping[str, Any]) -> None:
        text = base64.b64decode(log.get("data") or "").decode(errors="replace")
        steps = list(self._steps.get(log.get("vertex", ""), {}).values())
        for index, step in enumerate(steps):
            for line in step.write(text):
                if index == 0:
                    self._log(f"{step.words} | {line}")

    def _warning(self, warning: Mapping[str, Any]) -> None:
        step = next(iter(self._steps.get(warning.get("vertex", ""), {}).values()), None)
        text = base64.b64decode(warning.get("short") or "").decode(errors="replace")
        said = f"warning: {step.image}: {text}" if step and step.image else f"warning: {text}"
        self._log(said)
        if self._watcher:
            self._watcher.line(said)

    def _builds_of(self, step: Step) -> list[Build]:
        builds = self._builds[step.target.name] if step.target else []
        return [build for build in builds if step.platform in {"", build.platform}]
