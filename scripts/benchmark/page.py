"""docs/benchmarks.md: the figures, their targets, and how to repeat them. Pure text."""

from __future__ import annotations

from .cell import ARGOSY, BAKE, INVOKE, LOOK, LOOP, Cell, cells
from .figures import Figures, Series
from .targets import TARGETS, Verdict, judge

HEAD = """\
# Benchmarks

Written by `scripts/bench`; the rounds themselves are in [benchmarks.json](benchmarks.json).

Argosy against two other ways to build the same images: **bake** is one raw `docker buildx bake` of the very
definition that `argosy plan --format bake` prints (for a push with each image's real names, as `bake --push` would),
**loop** is one `docker buildx build --load` or `--push` after another, as shell scripts do it.

In each round every way runs once, one after the other, each when the machine has come to rest (an engine collects for
seconds what a build has left), and ratios are taken pair by pair; what stands here are medians. *Cold*: each run has
files never seen before in every image and an owner of its own, so nothing is cached, loaded or pushed yet.
*Unchanged*: the same command once more, when all ways have had their turn. *1 changed*: one image has a new file;
Argosy is asked for the whole fleet, bake for that image alone. *A second machine*: an engine without images and
cache; a first machine has pushed all images, and for bake a cache beside each of them (`mode=max`); both give the
images another name. Processor time is Argosy's with that of all processes it starts. The large context is walked and
every file's digest looked up, from the start of the reading to its end. Every *image* is the least there can be:
`FROM busybox:stable`, one small file copied, one command run on it. A *service* is nearer to what repositories have:
eight steps and 42 files, of which it copies first what seldom changes. The first of a fleet is a base on which every
second one of the others stands. Each gets two names.
"""

REPEAT = """\
## How to repeat this

    make bench                                          # everything; goes on where it was interrupted
    scripts/bench --quick                               # a look in three minutes; writes nothing
    scripts/bench --images 20 --only "cold push"        # one figure, taken up into this page
    scripts/bench --again --images 20 --runs 3          # drop what is there and measure anew

Other work on the machine disturbs the figures, the differences more than the ratios.
"""


def page(figures: Figures) -> str:
    """Returns the whole page."""
    parts = [HEAD, machine(figures), "## Targets\n", targets(figures), "## Fleets\n", fleets(figures), REPEAT]
    return "\n".join(parts)


def machine(figures: Figures) -> str:
    """Returns a sentence about where this was measured."""
    about = ", ".join(f"{name} {value}" for name, value in figures.machine.items())
    return f"Measured on: {about or 'nothing yet'}.\n"


def targets(figures: Figures) -> str:
    """Returns each target beside its figure."""
    lines = ["| what | target | measured | |", "|---|---|---|---|"]
    for verdict in (judge(target, figures) for target in TARGETS):
        target = verdict.target
        lines.append(f"| {target.cell.title} | {target.text} | {verdict.figure} | {mark(verdict)} |")
    return "\n".join(lines) + "\n"


def mark(verdict: Verdict) -> str:
    """Returns a verdict in a word."""
    return {True: "reached", False: "**missed**", None: "open"}[verdict.reached]


def fleets(figures: Figures) -> str:
    """Returns the table of all cells that were measured, in their natural order."""
    lines = [
        "| fleet | Argosy | bake | ratio | loop | ratio | Argosy completed | bake completed |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    sizes = sorted({int(key.split("x")[0]) for key in figures.series if key[0].isdigit()})
    for cell in cells(sizes, (1, 2)):
        series = figures.series.get(cell.key)
        if series is None or not series.rounds or cell.kind not in {"build", "second"}:
            continue
        lines.append(
            f"| {cell.title} | {seconds(series, ARGOSY)} | {seconds(series, BAKE)} | {ratio(series, BAKE)} "
            f"| {seconds(series, LOOP)} | {ratio(series, LOOP)} | {completed(series, ARGOSY)} "
            f"| {completed(series, BAKE)} |"
        )
    return "\n".join(lines) + "\n"


def seconds(series: Series, way: str) -> str:
    """Returns the median in seconds, "failed" where no run succeeded, "" where there was none."""
    value = series.typical(way)
    if value is None:
        return "failed" if series.started(way) else ""
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def ratio(series: Series, other: str) -> str:
    """Returns Argosy's share of another way's time."""
    value = series.ratio(ARGOSY, other)
    return "" if value is None else f"{value:.2f}"


def completed(series: Series, way: str) -> str:
    """Returns how many runs succeeded, of how many."""
    return f"{len(series.times(way))} of {series.started(way)}" if series.started(way) else ""


def told(cell: Cell, one: dict[str, float | None]) -> str:
    """Returns one round as a line of progress."""
    other = {"build": BAKE, "list": INVOKE, "release": BAKE, "second": BAKE, "naming": LOOK}.get(
        cell.kind, ""
    )
    words = [f"{way} {'failed' if time is None else f'{time:.2f} s'}" for way, time in one.items()]
    mine, theirs = one.get(ARGOSY), one.get(other)
    share = [f"{mine / theirs:.2f} of {other}"] if mine and theirs else []
    return "  ".join([cell.state or cell.kind, *words, *share])
