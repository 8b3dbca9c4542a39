"""Where a path of ours lies for the engine, when we run in a container that shares the socket of the engine's host.

The engine binds paths of its own machine. What we see at /src may lie at /home/me/project there: our container's own
mounts, which the engine tells, say so. Outside a container a path is what it is.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from ..errors import SurroundingsError
from ..model import Client
from .docker import address, ask

SOCKET = Path("/var/run/docker.sock")
"""Where what runs in a container looks for the engine."""
MOUNTS = Path("/proc/self/mountinfo")
# Docker (and podman) bind these files of a container's own folder into it.
_OWN = re.compile(
    r"/(?:containers|overlay-containers)/([0-9a-f]{64})/(?:userdata/)?(?:hostname|hosts|resolv\.conf) "
)


def container(mountinfo: str) -> str:
    """Returns the ID of the container that a process's mounts are those of, "" outside one."""
    found = _OWN.search(mountinfo)
    return found[1] if found else ""


@cache
def _mounts(client: Client) -> dict[Path, Path] | None:
    """Returns our container's mounts, place -> place on the host; None where we are in no container of this engine."""
    try:
        own = container(MOUNTS.read_text(encoding="utf-8"))
    except OSError:
        own = ""
    done = ask(client, "container", "inspect", "--format", "{{json .Mounts}}", own) if own else None
    if not done:
        return None
    return {Path(one["Destination"]): Path(one["Source"]) for one in json.loads(done.out)}


def path(client: Client, ours: Path) -> Path:
    """Returns where the engine's host has a path of ours.

    Raises SurroundingsError for one that lies inside our own container, where the host cannot see it.
    """
    mounts = _mounts(client)
    return ours if mounts is None else translated(ours, mounts)


def translated(ours: Path, mounts: dict[Path, Path]) -> Path:
    """Returns a path by a container's mounts, the innermost that holds it."""
    for place in sorted(mounts, key=lambda place: len(place.parts), reverse=True):
        if ours.is_relative_to(place):
            return mounts[place] / ours.relative_to(place)
    held = ", ".join(sorted(map(str, mounts))) or "none"
    raise SurroundingsError(
        f"{ours} lies inside the container that this runs in, and the engine binds paths of its own host. Mount the "
        f"project into the container (docker run -v …:{ours.parent}); mounts of this container: {held}."
    )


def mounted(client: Client, source: Path, target: str, *, read_only: bool = False) -> list[str]:
    """Returns the option that mounts a file or folder of ours, wherever the engine's host has it."""
    option = f"type=bind,source={path(client, source)},target={target}"
    return ["--mount", f"{option},readonly" if read_only else option]


def socket() -> Path | None:
    """Returns the engine's own socket; None where the engine is reached by none of this machine."""
    place = address()
    found = Path(place.removeprefix("unix://"))
    return found if place.startswith("unix://") and found.exists() else None


def group(file: Path) -> str:
    """Returns the group that owns a file, by number: names differ inside a container."""
    return str(file.stat().st_gid)
