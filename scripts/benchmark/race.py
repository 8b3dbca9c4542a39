"""Runs a cell's rounds against the clock: prepares, times, takes away what it made.

Only the commands themselves are timed, from the start of the first process to the end of the last.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import ways
from .cell import ARGOSY, BAKE, PLANNED, Cell
from .figures import Round, Series
from .fleet import Fleet

PATIENCE = 900
"""Seconds after which a command counts as failed."""

Clock = Callable[[str], "float | None"]


@dataclass(slots=True)
class Track:
    """Where the races take place: a temporary folder, the engine's platforms, a registry, this checkout."""

    folder: Path
    platforms: tuple[str, ...]
    registry: str
    root: Path
    say: Callable[[str], None]
    made: list[str] = field(default_factory=list)
    marks: int = 0

    def mark(self) -> str:
        """Returns a word that was never used before; fit for an owner."""
        self.marks += 1
        return f"bench-{time.time_ns():x}-{self.marks}"


def rounds(track: Track, cell: Cell, series: Series, chosen: Sequence[str], most: int) -> Iterator[Round]:
    """Runs the rounds that are still missing; yields the series' new round after each way's turn is over."""
    missing = {way: cell.runs(way, most) - series.started(way) for way in cell.ways if way in chosen}
    ways_left = [way for way, count in missing.items() if count > 0]
    if not ways_left:
        return
    with _clock(track, cell, ways_left) as clock:
        while ways_left:
            one: Round = {way: clock(way) for way in cell.ways if way in ways_left}
            _remove(track, track.made if cell.state == "cold" else [])
            series.rounds.append(one)
            yield one
            missing = {way: count - (way in one) for way, count in missing.items()}
            ways_left = [way for way in ways_left if missing[way] > 0]


@contextmanager
def _clock(track: Track, cell: Cell, chosen: Sequence[str]) -> Iterator[Clock]:
    """Gives what runs one way once and returns its seconds."""
    if cell.kind == "list":
        empty = track.folder / "empty"
        empty.mkdir(exist_ok=True)
        empty.joinpath("tasks.py").touch()
        # Invoke calls an empty collection an error (exit 1); it has done all its work by then.
        yield lambda way: timed(track, ways.listed(way), track.root if way == ARGOSY else empty, (0, 1))
        return
    count = PLANNED if cell.kind == "plan" else cell.images
    platforms = track.platforms[: cell.platforms or 1]
    fleet = Fleet(track.folder / cell.key.replace(" ", "-"), count, platforms, track.registry)
    fleet.write()
    if cell.kind == "plan":
        yield lambda _: timed(track, ways.plan(), fleet.root)
        return
    fleet.change(track.mark())
    try:
        if cell.state == "cold":
            yield lambda way: _cold(track, fleet, way, cell.output)
        else:
            again = {way: _prepared(track, fleet, way, track.mark(), cell.output) for way in chosen}
            for commands in again.values():
                timed(track, commands, fleet.root)
            yield lambda way: timed(track, again[way], fleet.root)
    finally:
        _remove(track, track.made)


def _cold(track: Track, fleet: Fleet, way: str, output: str) -> float | None:
    mark = track.mark()
    fleet.change(mark)
    return timed(track, _prepared(track, fleet, way, mark, output), fleet.root)


def _prepared(track: Track, fleet: Fleet, way: str, owner: str, output: str) -> list[ways.Command]:
    """Returns a way's commands; for raw bake its file is written before the clock starts."""
    track.made += [reference for name in fleet.names for reference in fleet.references(name, owner)]
    if output == "push" and way == ARGOSY:
        # On the containerd store a push loads as well, under the name it went up by.
        track.made += [f"{fleet.registry}/{owner}/{name}:argosy-staging" for name in fleet.names]
    file = track.folder / f"{owner}.json"
    if way == BAKE:
        printed = subprocess.run(
            ways.definition(owner, output), cwd=fleet.root, check=True, capture_output=True, text=True
        ).stdout
        planned = json.loads(printed)
        whole = ways.pushing(planned, fleet, owner) if output == "push" else planned
        file.write_text(json.dumps(whole), encoding="utf-8")
    return ways.commands(way, fleet, owner, output, file)


def timed(
    track: Track, commands: list[ways.Command], where: Path, good: tuple[int, ...] = (0,)
) -> float | None:
    """Runs commands one after the other; returns their seconds, None if one fails (and says how)."""
    log = track.folder / "output.log"
    environ = {**os.environ, "XDG_STATE_HOME": str(track.folder / "state")}
    with log.open("wb") as stream:
        started = time.perf_counter()
        for command in commands:
            try:
                status = subprocess.run(
                    command, cwd=where, env=environ, stdin=subprocess.DEVNULL, stdout=stream,
                    stderr=subprocess.STDOUT, check=False, timeout=PATIENCE,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                status = -1
            if status not in good:
                last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-8:]
                track.say(
                    "\n".join(
                        [f"failed ({status}): {' '.join(command)[:200]}", *(f"  | {line}" for line in last)]
                    )
                )
                return None
        return time.perf_counter() - started


def _remove(track: Track, references: list[str]) -> None:
    """Takes images out of the engine again; those that are not there do not matter."""
    for start in range(0, len(references), 400):
        subprocess.run(
            ways.removal(references[start : start + 400]),
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    references.clear()
