"""Rounds of releases: naming what is there, against looking alone and against imagetools; and a cold release."""

from __future__ import annotations

from collections.abc import Sequence

from . import ways
from .cell import ARGOSY, BAKE, IMAGETOOLS, LOOK, Cell
from .figures import Round
from .fleet import Fleet
from .race import Track, fleet_of, prepared, printed, timed

BUILT = "built"
NAMES = 3
"""How many names an image gets: what `tags.release` has where it says nothing."""


def naming(track: Track, race: Cell, due: Sequence[str]) -> Round:
    """All images are at their addresses; then each way names them once.

    Looking is the same release up to its plan of names. imagetools makes one call for each image, one after another.
    """
    fleet = fleet_of(track, race, ARGOSY, race.images)
    owner = track.mark()
    fleet.change(owner)
    printed([ways.program("argosy"), "push", "--owner", owner, "--tags", BUILT], fleet.root)
    release = [ways.program("argosy"), "release", "--tag", "v1.0.0", "--owner", owner]
    commands = {
        LOOK: [[*release, "--plan"]],
        ARGOSY: [release],
        IMAGETOOLS: [_imagetools(fleet, name, owner) for name in fleet.names],
    }
    return {way: timed(track, typed, fleet.root) for way, typed in commands.items() if way in due}


def _imagetools(fleet: Fleet, name: str, owner: str) -> ways.Command:
    where = f"{fleet.registry}/{owner}/{name}"
    tags = [word for number in range(NAMES) for word in ("--tag", f"{where}:by-hand-{number}")]
    return ["docker", "buildx", "imagetools", "create", *tags, f"{where}:{BUILT}"]


def cold(track: Track, race: Cell, due: Sequence[str]) -> Round:
    """A release of images that are nowhere yet, against raw `bake --push` of the same."""
    found: Round = {}
    for way in due:
        fleet = fleet_of(track, race, way, race.images)
        owner = track.mark()
        fleet.change(owner)
        bake = prepared(fleet, BAKE, owner, "push") if way == BAKE else []
        release = [[ways.program("argosy"), "release", "--tag", "v1.0.0", "--owner", owner]]
        found[way] = timed(track, bake or release, fleet.root)
    return found
