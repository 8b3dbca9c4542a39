"""What `podman build` prints, line by line, as the steps of an image on its platforms.

`[linux/arm64] [2/3] STEP 1/4: RUN make` begins a step (platform and stage only where there are several); `--> Using
cache …` and `--> ID` end it; whatever else comes is its output (buildah, imagebuildah/stage_executor.go).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from ..buildkit.builds import Build, State, Watcher
from ..buildkit.steps import Step, Target, quiet
from ..planning import dockerfile as dockerfiles

_STEP = re.compile(
    r"(?:\[(?P<platform>[a-z]+/[\w/]+)\] )?(?:\[(?P<stage>\d+/\d+)\] )?STEP (?P<number>\d+/\d+): (?P<text>.*)"
)
_CACHED = "--> Using cache"
_ENDED = re.compile(r"--> [0-9a-f]{11,64}$")
_AT_STEP = re.compile(r'building at STEP "(?P<text>.*)": (?P<said>.*)', re.DOTALL)


class Output:
    """Listens to one build and tells a watcher how it goes."""

    def __init__(self, target: Target, watcher: Watcher | None, log: Callable[[str], None]) -> None:
        self.builds = {platform: Build(target.image, platform) for platform in target.platforms}
        self.errors: list[str] = []
        self._target, self._watcher, self._log = target, watcher, log
        self._step: Step | None = None
        self._started = time.time()

    def line(self, text: str) -> None:
        """Takes one line."""
        text = quiet(text, self._target.hidden)
        self._log(text)
        if match := _STEP.fullmatch(text):
            self._end()
            self._begin(match)
        elif text.startswith(_CACHED) and self._step:
            self._step.cached = True
        elif _ENDED.match(text):
            self._end()
        elif text.startswith("Error: "):
            self.errors.append(text.removeprefix("Error: "))
        elif text.lstrip().startswith("* ") and self.errors:
            self.errors.append(text.strip().removeprefix("* "))
        elif self._step:
            self._step.write(f"{text}\n")
        self._tell()

    def close(self, *, succeeded: bool) -> None:
        """Takes the end."""
        if self._step and not succeeded:
            self._step.error = self.message or "failed"
        self._end()
        for build in self.builds.values():
            failed = any(step.failed for step in build.steps)
            build.state = State.DONE if succeeded else State.FAILED if failed else State.STOPPED
        self._tell()

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did."""
        steps = [step for build in self.builds.values() for step in build.steps]
        return next((step for step in steps if step.failed), None)

    @property
    def message(self) -> str:
        """What podman says went wrong, without the step that it repeats."""
        last = self.errors[-1] if self.errors else ""
        match = _AT_STEP.fullmatch(last)
        return match["said"] if match else last

    @property
    def seconds(self) -> float:
        """How long it has taken so far, in seconds."""
        return time.time() - self._started

    @property
    def counted(self) -> tuple[int, int]:
        """How many steps came from the cache, and how many there were."""
        builds = self.builds.values()
        return sum(build.cached for build in builds), sum(build.total for build in builds)

    def _begin(self, match: re.Match[str]) -> None:
        platform = match["platform"] or next(iter(self.builds))
        build = self.builds.get(platform) or next(iter(self.builds.values()))
        where = f"{match['stage']}: {match['number']}" if match["stage"] else match["number"]
        now = time.time()
        text = match["text"]
        label = f"[{where}] {text}"
        asked = not text.startswith("FROM ")
        step = Step(self._target, build.platform, label, asked, first=now, started=now)
        build.state = State.RUNNING
        build.steps.append(step)
        self._step = step

    def _end(self) -> None:
        step, self._step = self._step, None
        if step is None:
            return
        step.flush()
        step.ended = step.last = time.time()
        if self._watcher:
            self._watcher.step(step)

    def _tell(self) -> None:
        if self._watcher:
            self._watcher.update(tuple(self.builds.values()))


def line_of(step: Step, text: str, where: str) -> str:
    """Returns `Dockerfile:line` of the instruction that a step ran, "" where several look alike."""
    said = " ".join(step.label.partition("] ")[2].split())
    file: Sequence[dockerfiles.Stage] = dockerfiles.read(text, where).stages
    lines = {
        instruction.line
        for stage in file
        for instruction in stage.instructions
        if " ".join(instruction.text.split()) == said
    }
    return f"{where}:{lines.pop()}" if len(lines) == 1 else ""
