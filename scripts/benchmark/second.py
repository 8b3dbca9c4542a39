"""A second machine: an engine without images and cache, a registry in which a first machine has left everything.

Both ways give the fleet new names from there. Argosy finds its addresses; bake has a cache in the registry, which the
first machine wrote. The second machine is one more private engine, made anew for every round.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from private_engine import engine
from private_engine.place import Place
from private_engine.progress import Progress

from . import ways
from .cell import ARGOSY, BAKE, Cell
from .figures import Round
from .fleet import OUTSIDE, Fleet
from .race import Track, prepared, timed
from .surroundings import CannotMeasureError

NEW = "0.2.0"
"""The name that the second machine gives."""


def run(track: Track, cell: Cell, due: Sequence[str]) -> Round:
    """Runs one round: the first machine builds and pushes what was never seen, the second gives names."""
    found: Round = {}
    typed: dict[str, tuple[Fleet, list[ways.Command]]] = {}
    for way in due:
        owner = track.mark()
        fleet = _fleet(track, way, cell)
        fleet.change(owner)
        first, second = _argosy(owner) if way == ARGOSY else _bake(fleet, owner)
        if timed(track, [first], fleet.root) is None:
            raise CannotMeasureError(f"the first machine cannot push the fleet ({way})")
        typed[way] = fleet, [second]
    with _machine(track) as env:
        for way, (fleet, commands) in typed.items():
            found[way] = timed(track, commands, fleet.root, env=env)
    return found


def _fleet(track: Track, way: str, cell: Cell) -> Fleet:
    # A second engine has a mirror of its own: the outside base is named by where it is.
    outside = f"{track.registry}/library/{OUTSIDE}"
    root = track.folder / f"{way}-{cell.key.replace(' ', '-')}"
    fleet = Fleet(root, cell.images, track.platforms[:1], track.registry, outside, services=cell.services)
    if not root.exists():
        fleet.write()
    return fleet


def _argosy(owner: str) -> tuple[ways.Command, ways.Command]:
    push = [ways.program("argosy"), "push", "--owner", owner]
    return push, [*push, "--tags", NEW]


def _bake(fleet: Fleet, owner: str) -> tuple[ways.Command, ways.Command]:
    """Returns bake's two commands: the first writes a cache beside each image, the second reads it."""
    (command,) = prepared(fleet, BAKE, owner, "push")
    first, second = fleet.root / "bake.json", fleet.root / "second.json"
    whole = json.loads(first.read_text(encoding="utf-8"))
    caches = {name: f"type=registry,ref={fleet.registry}/{owner}/{name}:cache" for name in fleet.names}
    written = {name: {"cache-to": [f"{cache},mode=max"]} for name, cache in caches.items()}
    first.write_text(json.dumps(_with(whole, written)), encoding="utf-8")
    later = {
        name: {
            "cache-from": [cache],
            "output": [
                f"type=image,name={fleet.registry}/{owner}/{name}:{NEW},push=true,oci-mediatypes=true"
            ],
        }
        for name, cache in caches.items()
    }
    second.write_text(json.dumps(_with(whole, later)), encoding="utf-8")
    return command, [str(second) if word == str(first) else word for word in command]


def _with(whole: Mapping[str, Any], more: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    targets = {name: {**target, **more.get(name, {})} for name, target in whole["target"].items()}
    return {**whole, "target": targets}


@contextmanager
def _machine(track: Track) -> Iterator[dict[str, str]]:
    """Starts an engine that has nothing, gives what to export to use it, and removes it."""
    folder = track.folder / f"machine-{track.mark()}"
    folder.mkdir()
    place = Place.of(folder)
    try:
        engine.start(place, Progress(sys.stderr))
        yield engine.exports(place) | {"XDG_STATE_HOME": str(folder / "state")}
    finally:
        engine.remove(place)
