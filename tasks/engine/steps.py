"""One step of a build as BuildKit reports it: whose it is, what it does, what it printed.

BuildKit calls it a vertex; whose it is stands only in its name, e.g. `[api linux/arm64 build 2/5] RUN make`
(moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go, prefixCommand; docker/buildx
util/progress/multiwriter.go, addPrefix). How steps add up to images is progress.py's business.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

KEPT_LINES = 1000
"""Lines of output kept of a step that runs or failed; one that succeeded keeps none."""
LONGEST_LINE = 4000

_NAME = re.compile(r"\[(?P<head>[^\]]*)\] ?(?P<text>.*)", re.DOTALL)
_POSITION = re.compile(r"\d+/\d+")
_PLATFORM = re.compile(
    r"(?P<os>[a-z][a-z0-9]*)(?:\([^)]*\))?/(?P<arch>[a-z0-9]+(?:/v\d+)?)(?:->(?P<to>\S+))?"
)
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]"
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Target:
    """One target of the bake file being run: its name there, the image it makes, for which platforms.

    `platforms` is empty where the builder chooses; `dockerfile` and `context` are the paths failures name.
    """

    name: str
    image: str
    platforms: tuple[str, ...] = ()
    dockerfile: str = "Dockerfile"
    context: str = "."


@dataclass(slots=True)
class Step:
    """One step: times are seconds since 1970; `platform` is "" where it serves all platforms of its image.

    `counted` tells a step that a Dockerfile asks for from BuildKit's own work (loading, exporting).
    """

    target: Target | None
    platform: str
    label: str
    counted: bool
    started: float | None = None
    ended: float | None = None
    cached: bool = False
    error: str = ""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    dropped: int = 0
    _open: str = ""

    @property
    def image(self) -> str:
        """The image it belongs to, or "" for the work of bake itself."""
        return self.target.image if self.target else ""

    @property
    def running(self) -> bool:
        """Whether it has started and not ended."""
        return self.started is not None and self.ended is None

    @property
    def failed(self) -> bool:
        """Whether it ended badly of itself."""
        return bool(self.error) and not self.canceled

    @property
    def canceled(self) -> bool:
        """Whether it was ended because another one failed, or by the user."""
        return "context canceled" in self.error or self.error.startswith("Canceled")

    @property
    def seconds(self) -> float:
        """How long it ran; 0 while that is not known."""
        return self.ended - self.started if self.started is not None and self.ended is not None else 0.0

    def write(self, text: str) -> list[str]:
        """Takes a piece of the step's output and returns the lines it completes, free of control codes."""
        *complete, self._open = (self._open + text).split("\n")
        if len(self._open) > LONGEST_LINE:
            complete.append(self._open)
            self._open = ""
        shown = [readable(line) for line in complete]
        self.dropped += max(0, len(self.lines) + len(shown) - KEPT_LINES)
        self.lines.extend(shown)
        return shown

    def flush(self) -> list[str]:
        """Ends an unfinished last line, and returns it."""
        return self.write("\n") if self._open else []


def read_step(name: str, targets: Mapping[str, Target]) -> Step:
    """Reads a vertex's name: `[target platform stage n/m] text`, each part there only where it is needed.

    A single target is not named, a single platform mostly not. A platform `linux/amd64->arm64` is a step
    that runs on the first for the second.
    """
    match = _NAME.fullmatch(name)
    words = match["head"].split() if match else []
    text = " ".join((match["text"] if match else name).split())
    target = None
    if len(targets) == 1:
        target = next(iter(targets.values()))
    elif words and words[0] in targets:
        target = targets[words.pop(0)]
    platform = ""
    if words and (found := _PLATFORM.fullmatch(words[0])):
        platform = _aimed_at(found)
        words.pop(0)
    counted = bool(words) and _POSITION.fullmatch(words[-1]) is not None
    if target is None:
        platform = ""
    elif len(target.platforms) == 1:
        platform = target.platforms[0]
    else:
        platform = next((one for one in target.platforms if plain_platform(one) == platform), "")
    head = " ".join(word for word in words if word != "internal")
    return Step(target, platform, f"[{head}] {text}" if head else text, counted)


def plain_platform(platform: str) -> str:
    """Returns the platform as BuildKit writes it: without the variant that goes without saying."""
    return {"linux/arm64/v8": "linux/arm64", "linux/amd64/v1": "linux/amd64"}.get(platform, platform)


def readable(line: str) -> str:
    """Returns a line of output as it would stand on a screen in the end: no colours, no overwritten text."""
    return _CONTROL.sub("", line.rstrip("\r").rsplit("\r", 1)[-1])


def seconds(time: str | None) -> float | None:
    """Returns Go's RFC 3339 time with its nanoseconds as seconds since 1970; None for none."""
    match = _TIME.fullmatch(time or "")
    if not match:
        return None
    moment, fraction, zone = match.groups()
    whole = datetime.fromisoformat(moment + ("+00:00" if zone == "Z" else zone)).timestamp()
    return whole + float(f"0.{fraction or 0}")


def _aimed_at(match: re.Match[str]) -> str:
    system, arch, to = match.group("os", "arch", "to")
    if not to:
        return f"{system}/{arch}"
    # BuildKit leaves the system out where it is the same: `->arm64`, `->arm/v7`, but `->windows/amd64`.
    first = to.split("/")[0]
    return str(to) if "/" in to and first in {"linux", "windows", "darwin", "freebsd"} else f"{system}/{to}"
