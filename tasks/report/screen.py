"""The living screen: a line for each image and platform, redrawn in place by rich.

Imported only where there is a terminal. Lines are put together by hand, not by rich's tables: that is an
order of magnitude cheaper, and a screen must not take time away from the builds it shows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from ..buildkit.builds import Build, State
from ..buildkit.steps import Step
from . import units
from .live import failed_lines

if TYPE_CHECKING:
    from typing_extensions import Self

REFRESHES = 8
"""How often a second the screen is redrawn at most."""

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MARKS = {
    State.WAITING: ("·", "dim"),
    State.DONE: ("✓", "green"),
    State.FAILED: ("✗", "bold red"),
    State.STOPPED: ("■", "yellow"),
}
_ASCII = str.maketrans("·✓✗■…⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", ".vx#~|/-\\|/-\\|/")
# Where not all lines fit: what failed, what runs, what was done last, what is still to come.
_FIRST = (State.FAILED, State.RUNNING, State.STOPPED, State.DONE, State.WAITING)


class Screen:
    """Shows builds on a terminal; `builds` are all images and platforms to come, in the order to show."""

    def __init__(self, builds: Iterable[tuple[str, str]], stream: TextIO) -> None:
        self._builds = {key: Build(*key) for key in builds}
        self._console = Console(file=stream, highlight=False)
        self._started = time.time()
        self._spinner = 0
        self._live = Live(
            self,
            console=self._console,
            refresh_per_second=REFRESHES,
            transient=True,  # the table of results takes its place
            redirect_stdout=False,  # stdout may be a file, and is nobody's business here
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, builds: Sequence[Build]) -> None:
        """Takes the builds' new state; it is drawn when the next refresh is due."""
        for build in builds:
            self._builds[build.image, build.platform] = build

    def step(self, step: Step) -> None:
        """Prints everything a failed step has written above the lines, where it stays."""
        if step.failed:
            head, *log, error = failed_lines(step)
            self._print(Text(head, style="bold red"), *map(Text, log), Text(error, style="red"))

    def line(self, text: str) -> None:
        """Prints a line above the others, where it stays."""
        self._print(Text(text, style="yellow"))

    def _print(self, *lines: Text) -> None:
        for line in lines:
            self._console.print(line, soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draws the lines that fit; called by rich for each refresh."""
        self._spinner += 1
        builds = list(self._builds.values())
        room = max(1, (options.height or console.height) - 2)
        shown = builds
        if len(builds) > room:
            order = {id(build): index for index, build in enumerate(builds)}
            ranked = sorted(builds, key=_rank)
            shown = sorted(ranked[:room], key=lambda build: order[id(build)])
        names = max((len(build.image) for build in shown), default=0)
        platforms = max((len(build.platform) for build in shown), default=0)
        # The terminal writes ^C behind the last line: no new line may begin by that, or one is left standing.
        width = options.max_width - 3
        for build in shown:
            yield self._fit(self._row(build, names, platforms), width)
        yield self._fit(self._count(builds), width)

    def _row(self, build: Build, names: int, platforms: int) -> tuple[Text, str]:
        mark, style = _MARKS.get(build.state, (_SPINNER[self._spinner % len(_SPINNER)], "cyan"))
        left = Text.assemble((mark, style), " ", (build.image.ljust(names), "bold"))
        if platforms:
            left.append(f"  {build.platform.ljust(platforms)}")
        step = build.failed or build.current
        if build.state is State.WAITING:
            left.append("  waiting", style="dim")
        elif build.state is State.DONE:
            left.append("  done", style="green")
        elif step:
            left.append(f"  {_told(step)}", style="dim" if step.cached or step.owner else "")
        return left, self._figures(build)

    def _figures(self, build: Build) -> str:
        if build.started is None:
            return ""
        until = (build.ended if build.state is not State.RUNNING else None) or time.time()
        cached = f"{build.cached} cached  " if build.cached else ""
        steps = f"{build.done}/{build.total}  " if build.total else ""
        return f"  {cached}{steps}{units.duration(max(until - build.started, 0.0)):>8}"

    def _count(self, builds: Sequence[Build]) -> tuple[Text, str]:
        states = [build.state for build in builds]
        parts = [f"{states.count(state)} {state.value}" for state in State if states.count(state)]
        return Text(f"  {', '.join(parts)}", style="dim"), units.duration(time.time() - self._started)

    def _fit(self, row: tuple[Text, str], width: int) -> Text:
        """Returns one line of the terminal's width: the left side gives way, the figures never do."""
        left, right = row
        left.truncate(max(width - len(right), 0), overflow="ellipsis", pad=True)
        left.append(right, style="dim")
        left.no_wrap = True
        if self._console.encoding.startswith("utf"):
            return left
        plain = Text(left.plain.translate(_ASCII), no_wrap=True)
        plain.spans = left.spans
        return plain


def _rank(build: Build) -> tuple[int, bool, float]:
    waits = build.state is State.RUNNING and build.current is not None and bool(build.current.owner)
    return _FIRST.index(build.state), waits, -(build.ended or 0.0) if build.state is State.DONE else 0.0


def _told(step: Step) -> str:
    """Returns what a step does, and how far its transfers are."""
    if step.owner:
        return f"waits for {step.owner}"
    done, total = step.transferred
    if done:
        return f"{step.label}  {units.size(done)}" + (f" of {units.size(total)}" if total else "")
    if step.doing and not step.asked:
        return f"{step.label}: {step.doing.partition(' sha256:')[0]}"
    return step.label
