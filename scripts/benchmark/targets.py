"""What the figures are held to, and whether they reach it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .cell import ARGOSY, BAKE, CPU, IMAGETOOLS, INVOKE, LOOK, LOOP, Cell
from .figures import Figures, Series

RUNS = 7

Measure = Literal["ratio", "share", "more", "seconds", "cpu", "completed"]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure's limit.

    `ratio` to another way, seconds `more` than it, plain `seconds`, `cpu` seconds, runs `completed`. `share` is what
    naming takes beyond looking at what is there, as a ratio to another way of naming.
    """

    cell: Cell
    measure: Measure
    limit: float
    other: str = ""

    @property
    def text(self) -> str:
        """The limit in words."""
        return {
            "ratio": f"≤ {self.limit:g} of {self.other}",
            "share": f"≤ {self.limit:g} of {self.other}, looking apart",
            "more": f"≤ {self.other} + {self.limit:g} s",
            "seconds": f"≤ {self.limit:g} s",
            "cpu": f"≤ {self.limit:g} s of the processor",
            "completed": f"{self.limit:g} of {self.limit:g} complete",
        }[self.measure]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target beside what was measured; `reached` is None as long as there is no figure."""

    target: Target
    figure: str
    reached: bool | None


def _fleet_targets() -> list[Target]:
    found = []
    for platforms in (1, 2):
        load, push = (Cell("build", 20, platforms, output, "cold") for output in ("load", "push"))
        found += [
            Target(load, "more", 0.6, BAKE),
            Target(load, "ratio", 0.6, LOOP),
            Target(push, "ratio", 1.15, BAKE),
            Target(push, "ratio", 0.6, LOOP),
        ]
    return found


def _address_targets(*, services: bool) -> list[Target]:
    return [
        Target(Cell("build", 20, 1, "load", "unchanged", services), "ratio", 0.25, BAKE),
        Target(Cell("build", 20, 2, "push", "unchanged", services), "ratio", 0.1, BAKE),
        Target(Cell("build", 20, 1, "load", "one", services), "ratio", 1.2, BAKE),
        Target(Cell("second", 20, services=services), "ratio", 0.15, BAKE),
    ]


TARGETS = (
    *_fleet_targets(),
    *(target for services in (False, True) for target in _address_targets(services=services)),
    Target(Cell("build", 100, 1, "push", "unchanged"), "cpu", 2),
    Target(Cell("tree"), "seconds", 1),
    Target(Cell("build", 100, 1, "load", "cold"), "completed", RUNS),
    Target(Cell("naming", 20, 2), "more", 1.5, LOOK),
    Target(Cell("naming", 20, 2), "share", 0.15, IMAGETOOLS),
    *(Target(Cell("release", 20, 2, services=of), "ratio", 1.05, BAKE) for of in (False, True)),
    Target(Cell("list"), "ratio", 1.5, INVOKE),
    Target(Cell("plan"), "seconds", 3),
)


def judge(target: Target, figures: Figures) -> Verdict:
    """Holds a figure against its target."""
    series = figures.series.get(target.cell.key)
    if series is None or not series.rounds:
        return Verdict(target, "not measured", None)
    if target.measure == "completed":
        done, started = len(series.times(ARGOSY)), series.started(ARGOSY)
        enough = started >= target.limit or None
        return Verdict(target, f"{done} of {started}", False if done < started else enough)
    value = _value(target, series)
    if value is None:
        return Verdict(target, "not measured", None)
    told = {"ratio": f"{value:.2f}", "share": f"{value:.2f}", "more": f"{value:+.2f} s"}
    text = told.get(target.measure, f"{value:.2f} s")
    return Verdict(target, text, value <= target.limit)


def _value(target: Target, series: Series) -> float | None:
    if target.measure == "ratio":
        return series.ratio(ARGOSY, target.other)
    if target.measure == "share":
        more, whole = series.difference(ARGOSY, LOOK), series.typical(target.other)
        return more / whole if more is not None and whole else None
    if target.measure == "more":
        return series.difference(ARGOSY, target.other)
    if target.measure == "cpu":
        return series.typical(CPU)
    return series.typical(ARGOSY)
