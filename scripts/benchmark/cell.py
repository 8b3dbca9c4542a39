"""What is measured: one cell of the table, which ways are compared in it, and how often. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

ARGOSY, BAKE, LOOP, INVOKE = "argosy", "bake", "loop", "invoke"
LOOK, IMAGETOOLS = "look", "imagetools"
WAYS = (ARGOSY, BAKE, LOOP)
STATES = ("cold", "unchanged", "one")
CPU = "cpu"
"""Stands beside the ways in a round: the processor seconds of Argosy and of all it started."""
FILES = 100_000
"""How many files the context has whose reading is timed."""
PLANNED = 1000
"""How many images the fleet has whose `plan` is timed."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One question: this many images for this many platforms, loaded or pushed, cold or unchanged.

    `kind` is "build" for those; state "one" is one image changed, against baking that one alone. "naming" and "release"
    are about releases; "second" is a second machine: an empty engine, and a registry in which all is. "list"
    (`inv --list` against an empty tasks.py), "plan" and "tree" (a large context seen before) have no more to say.
    `services` are images of the common kind, of some more steps and files than the least there can be.
    """

    kind: str
    images: int = 0
    platforms: int = 0
    output: str = ""
    state: str = ""
    services: bool = False

    @property
    def key(self) -> str:
        """Its name in the results: `20x2 cold push`, `list`, `plan`, `tree`, `second`, `second services`."""
        kind = (
            f"{self.images}x{self.platforms} {self.state} {self.output}"
            if self.kind == "build"
            else self.kind
        )
        return f"{kind} services" if self.services else kind

    @property
    def title(self) -> str:
        """Its name in words."""
        what = "services" if self.services else "images"
        if self.kind == "list":
            return "`inv --list`, against an empty tasks.py"
        if self.kind == "naming":
            return f"naming {self.images} unchanged images, {self.platforms} platforms, 3 names each"
        if self.kind == "release":
            return f"a release of {self.images} {what}, {self.platforms} platforms, cold"
        if self.kind == "plan":
            return f"`plan` of {PLANNED:,} images"
        if self.kind == "tree":
            return f"a context of {FILES:,} files, warm"
        if self.kind == "second":
            return f"a second machine, {self.images} {what}, names only"
        several = "s" if self.platforms > 1 else ""
        state = f"1 of {self.images} changed," if self.state == "one" else self.state
        how = f"{state} {self.output}".strip()
        return f"{self.images} {what}, {self.platforms} platform{several}, {how}"

    @property
    def race(self) -> Cell:
        """What it is measured in: cold, unchanged and one changed in one, the same command again and again."""
        return replace(self, state="")

    @property
    def ways(self) -> tuple[str, ...]:
        """What is timed in turn in each round."""
        if self.state == "one" or self.services:
            return (ARGOSY, BAKE)
        others = {"build": WAYS, "list": (ARGOSY, INVOKE), "second": (ARGOSY, BAKE)}
        others |= {"naming": (LOOK, ARGOSY, IMAGETOOLS), "release": (ARGOSY, BAKE)}
        return others.get(self.kind, (ARGOSY,))

    def runs(self, way: str, most: int, *, full: bool = False) -> int:
        """How many rounds a way takes part in.

        Unless `full`, what takes long and has no target is measured less often, so that the whole takes an hour:
        the loop, fleets of 5, and fleets of 100 but for the one whose runs must all complete.
        """
        if full or self.kind != "build":
            return most
        if way == LOOP:
            often = {20: 3 if self.platforms == 1 else 2}.get(self.images, 1)
            return min(most, often if self.state == "cold" else 0)
        if self.images == 20:
            return most
        if (self.images, self.platforms, self.output) == (100, 1, "load"):
            return most if way == ARGOSY and self.state == "cold" else 1
        return min(most, 3 if self.images == 100 and way == ARGOSY else 1)


def cells(images: Collection[int], platforms: Iterable[int], only: Sequence[str] = ()) -> list[Cell]:
    """Returns the selected cells, the quickest first; `only` are words of which a cell's key must hold all of one.

    `only=["cold load", "plan"]` are all cold loads, and the plan.
    """
    kinds = product(images, platforms, ("load", "push"), STATES, (False, True))
    builds = [Cell("build", *kind) for kind in kinds]
    whole = [Cell("naming", 20, 2)]
    twice = (("release", 2), ("second", 0))
    whole += [Cell(kind, 20, count, services=of) for of in (False, True) for kind, count in twice]
    every = [Cell("list"), Cell("plan"), Cell("tree"), *whole, *filter(_is_asked, builds)]
    wanted = [set(words.split()) for words in only]
    return [cell for cell in every if not wanted or any(words <= set(cell.key.split()) for words in wanted)]


def _is_asked(cell: Cell) -> bool:
    """One image changed is a question of one platform and no registry.

    Services are asked what has a target: a load for one platform, a push for two.
    """
    if cell.services and (cell.images, cell.platforms, cell.output) not in {(20, 1, "load"), (20, 2, "push")}:
        return False
    if cell.state == "one":
        return (cell.platforms, cell.output) == (1, "load") and cell.images < 100
    return True


def races(chosen: Iterable[Cell]) -> dict[Cell, list[Cell]]:
    """Groups cells by the race that measures them."""
    found: dict[Cell, list[Cell]] = {}
    for cell in chosen:
        found.setdefault(cell.race, []).append(cell)
    return found
