"""Runs a race's rounds against the clock: prepares, times, takes away what it made.

Only the commands themselves are timed, from the start of the first process to the end of the last.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import ways
from .cell import ARGOSY, BAKE, PLANNED, Cell
from .figures import Round, Series
from .fleet import Fleet
from .surroundings import CannotMeasureError

PATIENCE = 900
"""Seconds after which a command counts as failed."""

Turn = Callable[[str], "float | None"]


@dataclass(slots=True)
class Track:
    """Where the races take place: a temporary folder, the engine's platforms, a registry, this checkout."""

    folder: Path
    platforms: tuple[str, ...]
    registry: str
    root: Path
    say: Callable[[str], None]
    marks: int = 0

    def mark(self) -> str:
        """Returns a word that was never used before; fit for an owner."""
        self.marks += 1
        return f"bench-{time.time_ns():x}-{self.marks}"


def rounds(
    track: Track, cells: Sequence[Cell], known: Mapping[Cell, Series], most: Mapping[Cell, Mapping[str, int]]
) -> Iterator[dict[Cell, Round]]:
    """Runs what is missing of `most` rounds for each way; adds every round to its series and yields it.

    In a round each way has its turn cold, one after the other, then each once more, unchanged.
    """

    def missing(cell: Cell) -> list[str]:
        return [way for way in cell.ways if known[cell].started(way) < most[cell].get(way, 0)]

    while any(missing(cell) for cell in cells):
        open_ways = {cell: missing(cell) for cell in cells}
        taking_part = [way for way in cells[0].ways if any(way in found for found in open_ways.values())]
        last = {cell.state: cell for cell in cells}
        done: dict[Cell, Round] = {}
        with _turns(track, cells[0], taking_part) as turn:
            for state in ("", "cold", "unchanged"):
                cell = last.get(state)
                if cell or state == "cold":
                    # Nothing is unchanged before it was built, so the first run takes place even unasked.
                    part = taking_part if state == "cold" else open_ways[cell] if cell else []
                    times = {way: turn(way) for way in part} if cell or cells[0].state else {}
                    if cell:
                        done[cell] = {way: times[way] for way in open_ways[cell]}
        for cell, one in done.items():
            known[cell].rounds.append(one)
        yield done
