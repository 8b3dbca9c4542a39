"""What is measured: one cell of the table, and which ways of doing it are compared in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

ARGOSY, BAKE, LOOP, INVOKE = "argosy", "bake", "loop", "invoke"
WAYS = (ARGOSY, BAKE, LOOP)
PLANNED = 1000
"""How many images the fleet has whose `plan` is timed."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One question: this many images for this many platforms, cold or unchanged, loaded or pushed.

    `kind` is "build" for those; "list" (`inv --list` against an empty tasks.py) and "plan" have no more to say.
    """

    kind: str
    images: int = 0
    platforms: int = 0
    state: str = ""
    output: str = ""

    @property
    def key(self) -> str:
        """Its name in the results: `20x2 cold push`, `list`, `plan`."""
        return (
            f"{self.images}x{self.platforms} {self.state} {self.output}"
            if self.kind == "build"
            else self.kind
        )

    @property
    def ways(self) -> tuple[str, ...]:
        """What is timed in turn in each round."""
        return {"build": WAYS, "list": (ARGOSY, INVOKE)}.get(self.kind, (ARGOSY,))

    def runs(self, way: str, most: int) -> int:
        """How many rounds a way takes part in.

        Every figure that has a target gets all rounds; what only illustrates is measured less often where a
        round takes minutes, or the whole would take hours.
        """
        if self.kind != "build" or self.images < 100:
            return min(most, 3) if way == LOOP and self.images >= 20 and self.state == "unchanged" else most
        if way == LOOP:
            return min(most, 1) if self.platforms == 1 else 0
        return most if (self.platforms, self.state, self.output) == (1, "cold", "load") else min(most, 3)


def cells(images: Iterable[int], platforms: Iterable[int], only: Sequence[str] = ()) -> list[Cell]:
    """Returns the selected cells, the quickest first; `only` are words of which a cell's key must hold all of one.

    `only=["cold load", "plan"]` are all cold loads, and the plan.
    """
    builds = [
        Cell("build", *choice)
        for choice in product(images, platforms, ("cold", "unchanged"), ("load", "push"))
    ]
    every = [Cell("list"), Cell("plan"), *builds]
    wanted = [set(words.split()) for words in only]
    return [cell for cell in every if not wanted or any(words <= set(cell.key.split()) for words in wanted)]
