"""What is measured: one cell of the table, which ways are compared in it, and how often. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

ARGOSY, BAKE, LOOP, INVOKE = "argosy", "bake", "loop", "invoke"
LOOK, IMAGETOOLS = "look", "imagetools"
WAYS = (ARGOSY, BAKE, LOOP)
STATES = ("cold", "unchanged")
PLANNED = 1000
"""How many images the fleet has whose `plan` is timed."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One question: this many images for this many platforms, loaded or pushed, cold or unchanged.

    `kind` is "build" for those; "naming" and "release" are about releases; "list" (`inv --list` against an empty
    tasks.py) and "plan" have no more to say.
    """

    kind: str
    images: int = 0
    platforms: int = 0
    output: str = ""
    state: str = ""

    @property
    def key(self) -> str:
        """Its name in the results: `20x2 cold push`, `list`, `plan`."""
        return (
            f"{self.images}x{self.platforms} {self.state} {self.output}"
            if self.kind == "build"
            else self.kind
        )

    @property
    def title(self) -> str:
        """Its name in words."""
        if self.kind == "list":
            return "`inv --list`, against an empty tasks.py"
        if self.kind == "naming":
            return f"naming {self.images} unchanged images, {self.platforms} platforms, 3 names each"
        if self.kind == "release":
            return f"a release of {self.images} images, {self.platforms} platforms, cold"
        if self.kind == "plan":
            return f"`plan` of {PLANNED:,} images"
        several = "s" if self.platforms > 1 else ""
        how = f"{self.state} {self.output}".strip()
        return f"{self.images} images, {self.platforms} platform{several}, {how}"

    @property
    def race(self) -> Cell:
        """What it is measured in: cold and unchanged in one, the same command twice."""
        return replace(self, state="")

    @property
    def ways(self) -> tuple[str, ...]:
        """What is timed in turn in each round."""
        others = {"build": WAYS, "list": (ARGOSY, INVOKE)}
        others |= {"naming": (LOOK, ARGOSY, IMAGETOOLS), "release": (ARGOSY, BAKE)}
        return others.get(self.kind, (ARGOSY,))

    def runs(self, way: str, most: int, *, full: bool = False) -> int:
        """How many rounds a way takes part in.

        Unless `full`, what takes minutes a round and has no target is measured less often, or the whole would
        take hours: the loop, and fleets of 100 but for the one whose runs must all complete.
        """
        if full or self.kind != "build":
            return most
        if self.images < 100:
            return min(most, 3) if way == LOOP else most
        first = (self.platforms, self.output) == (1, "load")
        if way == LOOP:
            return min(most, 1) if first and self.state == "cold" else 0
        if way == ARGOSY and first and self.state == "cold":
            return most
        return min(most, 3 if first else 1)


def cells(images: Iterable[int], platforms: Iterable[int], only: Sequence[str] = ()) -> list[Cell]:
    """Returns the selected cells, the quickest first; `only` are words of which a cell's key must hold all of one.

    `only=["cold load", "plan"]` are all cold loads, and the plan.
    """
    builds = [Cell("build", *choice) for choice in product(images, platforms, ("load", "push"), STATES)]
    releases = [Cell("naming", 20, 2), Cell("release", 20, 2)]
    every = [Cell("list"), Cell("plan"), *releases, *builds]
    wanted = [set(words.split()) for words in only]
    return [cell for cell in every if not wanted or any(words <= set(cell.key.split()) for words in wanted)]


def races(chosen: Iterable[Cell]) -> dict[Cell, list[Cell]]:
    """Groups cells by the race that measures them."""
    found: dict[Cell, list[Cell]] = {}
    for cell in chosen:
        found.setdefault(cell.race, []).append(cell)
    return found
