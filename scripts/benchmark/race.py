"""Runs one round of a race against the clock: prepares, times each way in turn, takes away what was made.

Only the commands themselves are timed, from the start of the first process to the end of the last.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import tree, ways
from .cell import ARGOSY, BAKE, CPU, PLANNED, Cell
from .figures import Round
from .fleet import Fleet
from .surroundings import CannotMeasureError, come_to_rest

PATIENCE = 900
"""Seconds after which a command counts as failed."""
REMOVALS = 48
"""How many names are removed at once."""


@dataclass(slots=True)
class Track:
    """Where races take place: a temporary folder, the engine's platforms, a registry, this checkout."""

    folder: Path
    platforms: tuple[str, ...]
    registry: str
    root: Path
    say: Callable[[str], None]
    marks: int = 0
    cpu: float = 0.0
    """Processor seconds of what was timed last, all processes it started included."""

    def mark(self) -> str:
        """Returns a word that was never used before; fit for an owner."""
        self.marks += 1
        return f"bench-{time.time_ns():x}-{self.marks}"


def run(track: Track, race: Cell, due: Mapping[str, Sequence[str]]) -> dict[str, Round]:
    """Runs one round; `due` are the ways whose time is wanted, by state ("" for a race that has none)."""
    if race.kind == "list":
        return {"": {way: _listed(track, way) for way in due[""]}}
    if race.kind == "plan":
        fleet = fleet_of(track, race, ARGOSY, PLANNED)
        return {"": {way: timed(track, ways.plan(), fleet.root) for way in due[""]}}
    if race.kind == "tree":
        return {"": {way: tree.read(track.folder / "tree") for way in due[""]}}
    if race.kind in {"naming", "release", "second"}:
        from . import releases, second  # its rounds are made of what stands below

        tried = {"naming": releases.naming, "release": releases.cold, "second": second.run}
        return {"": tried[race.kind](track, race, due[""])}
    return _built(track, race, due)


def _built(track: Track, race: Cell, due: Mapping[str, Sequence[str]]) -> dict[str, Round]:
    """Each way cold, one after the other, then each once more, then with one image changed.

    A way has a folder and an owner of its own. Nothing is unchanged before it was built, so the cold run takes place
    even where its time is not wanted.
    """
    taking_part = [way for way in race.ways if any(way in some for some in due.values())]
    typed: dict[str, list[ways.Command]] = {}
    fleets = {way: fleet_of(track, race, way, race.images) for way in taking_part}
    cold: Round = {}
    owners: list[str] = []
    try:
        for way, fleet in fleets.items():
            owner = track.mark()
            fleet.change(owner)
            owners.append(owner)
            typed[way] = prepared(fleet, way, owner, race.output)
            cold[way] = timed(track, typed[way], fleet.root)
        again = {way: timed(track, typed[way], fleets[way].root) for way in due.get("unchanged", ())}
        if ARGOSY in again:
            again[CPU] = track.cpu
        one: Round = {}
        for way in due.get("one", ()):
            name = fleets[way].names[1]
            fleets[way].change_one(name, track.mark())
            alone = [[*command, name] for command in typed[way]] if way == BAKE else typed[way]
            one[way] = timed(track, alone, fleets[way].root)
    finally:
        _remove(owners)
    return {"cold": {way: cold[way] for way in due.get("cold", ())}, "unchanged": again, "one": one}


def fleet_of(track: Track, race: Cell, way: str, count: int) -> Fleet:
    """Returns a way's own fleet; build.lock is there, as it is in every repository after its first build."""
    platforms = track.platforms[: race.platforms or 1]
    folder = track.folder / f"{way}-{count}x{len(platforms)}{'-services' * race.services}"
    fleet = Fleet(folder, count, platforms, track.registry, services=race.services)
    if not fleet.root.exists():
        fleet.write()
        if way in {ARGOSY, BAKE}:
            printed(ways.locking(track.mark()), fleet.root)
    return fleet


def _listed(track: Track, way: str) -> float | None:
    empty = track.folder / "empty"
    empty.mkdir(exist_ok=True)
    empty.joinpath("tasks.py").touch()
    # Invoke calls an empty collection an error (exit 1); it has done all its work by then.
    return timed(track, ways.listed(), track.root if way == ARGOSY else empty, good=(0, 1))


def prepared(fleet: Fleet, way: str, owner: str, output: str) -> list[ways.Command]:
    """Returns a way's commands; for raw bake its file is written before the clock starts."""
    file = fleet.root / "bake.json"
    if way == BAKE:
        planned = json.loads(printed(ways.definition(owner, output), fleet.root))
        whole = ways.named(planned, fleet, owner, output)
        file.write_text(json.dumps(whole), encoding="utf-8")
    return ways.commands(way, fleet, owner, output, file)


def printed(command: ways.Command, where: Path) -> str:
    """Runs a command that prepares something; returns what it prints. Raises CannotMeasureError if it fails."""
    done = subprocess.run(command, cwd=where, check=False, capture_output=True, text=True)
    if done.returncode:
        raise CannotMeasureError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
    return done.stdout


def timed(
    track: Track,
    commands: list[ways.Command],
    where: Path,
    good: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
) -> float | None:
    """Runs commands one after the other on a quiet machine; returns their seconds, None if one fails (and says how)."""
    log = track.folder / "output.log"
    environ = {**os.environ, "XDG_STATE_HOME": str(track.folder / "state"), **(env or {})}
    # Whoever runs a program twice has it compiled: neither Argosy nor Invoke is timed without that.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    come_to_rest()
    with log.open("wb") as stream:
        started, spent = time.perf_counter(), _spent()
        for command in commands:
            status = _status(command, where, environ, stream.fileno())
            if status not in good:
                last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-8:]
                said = [f"failed ({status}): {' '.join(command)[:200]}", *(f"  | {line}" for line in last)]
                track.say("\n".join(said))
                return None
        track.cpu = _spent() - spent
        return time.perf_counter() - started


def _spent() -> float:
    """Returns the processor seconds of all processes that were waited for so far, with those they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _status(command: ways.Command, where: Path, environ: Mapping[str, str], output: int) -> int:
    """Returns the exit status; -1 for a command that ran out of time, and was killed."""
    try:
        return subprocess.run(
            command,
            cwd=where,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            timeout=PATIENCE,
        ).returncode
    except subprocess.TimeoutExpired:
        return -1


def _remove(owners: Sequence[str]) -> None:
    """Takes all that was made below these owners out of the engine again, whatever names it has there.

    Many at once: the containerd store collects garbage for each name removed, but once for all that wait for it.
    """
    listed = subprocess.run(ways.images(), check=False, capture_output=True, text=True).stdout.split()
    names = [name for name in listed if any(f"/{owner}/" in name for owner in owners)]
    with ThreadPoolExecutor(REMOVALS) as pool:
        list(
            pool.map(lambda name: subprocess.run(ways.removal(name), check=False, capture_output=True), names)
        )
