"""One step of a build: how it goes and what it prints.

BuildKit calls it a vertex; vertex.py reads them. How steps add up to images is progress.py's business.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

KEPT_LINES = 1000
"""Lines of output kept of a step that runs or failed; one that succeeded keeps none."""
LONGEST_LINE = 4000

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x08\x0b-\x1f\x7f]"
)
_PROCESS = re.compile(r'process ".*" did not complete successfully: (.*)', re.DOTALL)
_REF = re.compile(r" of ref \S+")


@dataclass(frozen=True, slots=True)
class Target:
    """One target of the bake file being run: its name there, the image it makes, for which platforms.

    `platforms` is empty where the builder chooses. `dockerfile` and `context` are the paths that failures
    name. `needs` are the names of the targets it is linked to: their steps are reported under its name too.
    `hidden` are texts that nothing told of it may show: its secrets. `aside` is one that makes no image: it stands in
    for what another is linked to.
    """

    name: str
    image: str
    platforms: tuple[str, ...] = ()
    dockerfile: str = "Dockerfile"
    context: str = "."
    needs: tuple[str, ...] = ()
    hidden: tuple[str, ...] = field(default=(), repr=False)
    aside: bool = False


@dataclass(slots=True, eq=False)
class Step:
    """One step of one target. It may run several times; the last one counts.

    `started` and `ended` are the builder's times, whose clock may be another, and whose work may have begun
    for somebody else: good for how long it ran. `first` and `last` are ours: when we heard of its first
    start and of its end. All are seconds since 1970.
    `platform` is "" where it serves all platforms of its image. `asked` tells a step that a Dockerfile asks
    for from BuildKit's own work (loading, exporting). `owner` is the image it really belongs to, where that
    is a linked one.
    """

    target: Target | None
    platform: str
    label: str
    asked: bool
    first: float | None = None
    last: float | None = None
    started: float | None = None
    ended: float | None = None
    cached: bool = False
    error: str = ""
    owner: str = ""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    dropped: int = 0
    transfers: dict[str, tuple[int, int]] = field(default_factory=dict)
    doing: str = ""
    _open: str = ""

    @property
    def image(self) -> str:
        """The image it is reported for, or "" for the work of bake itself."""
        return self.target.image if self.target else ""

    @property
    def words(self) -> str:
        """Whose it is and what it does."""
        return " ".join(part for part in (self.image, self.platform, self.label) if part)

    @property
    def counted(self) -> bool:
        """Whether it is one of its image's own steps."""
        return self.asked and not self.owner

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
        return "context canceled" in self.error

    @property
    def message(self) -> str:
        """Its error without what its label says already and without BuildKit's inner names."""
        match = _PROCESS.fullmatch(self.error)
        return match[1] if match else _REF.sub("", self.error)

    @property
    def seconds(self) -> float:
        """How long it ran; 0 while that is not known."""
        return self.ended - self.started if self.started is not None and self.ended is not None else 0.0

    @property
    def transferred(self) -> tuple[int, int]:
        """Bytes fetched or sent so far, and how many there are as far as is known."""
        return sum(done for done, _ in self.transfers.values()), sum(
            total for _, total in self.transfers.values()
        )

    def write(self, text: str) -> list[str]:
        """Takes a piece of the step's output and returns the lines it completes, free of control codes."""
        *complete, self._open = (self._open + text).split("\n")
        if len(self._open) > LONGEST_LINE:
            complete.append(self._open)
            self._open = ""
        secrets = self.target.hidden if self.target else ()
        shown = [quiet(readable(line), secrets) for line in complete]
        self.dropped += max(0, len(self.lines) + len(shown) - KEPT_LINES)
        self.lines.extend(shown)
        return shown

    def flush(self) -> list[str]:
        """Ends an unfinished last line, and returns it."""
        return self.write("\n") if self._open else []


def quiet(line: str, hidden: Iterable[str]) -> str:
    """Returns a line without the texts that are to be hidden."""
    for text in hidden:
        line = line.replace(text, "***")
    return line


def readable(line: str) -> str:
    """Returns a line of output as it would stand on a screen in the end: no colours, no overwritten text."""
    return _CONTROL.sub("", line.rstrip("\r").rsplit("\r", 1)[-1])


def stands_on(name: str, targets: Mapping[str, Target], bases: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Enters in `bases` all targets that one stands on, the deepest first, and returns them."""
    if name not in bases:
        bases[name] = ()  # the planner refuses circles; here they are merely survived
        found: dict[str, None] = {}
        for need in targets[name].needs:
            if need in targets:
                found.update(dict.fromkeys((*stands_on(need, targets, bases), need)))
        bases[name] = tuple(found)
    return bases[name]
