"""The names of a run's own, and those that runs which were cut short have left: they are taken away by the next one.

Whatever another run still builds on is left alone, so several can go on in one checkout.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..engine.docker import ask
from ..planning.plan import Plan
from . import calls


def word() -> str:
    """Returns a word for this run that no other one has now: its process, and the space in which that number counts."""
    return f"{_space()}-{os.getpid()}"


def remove(plan: Plan) -> None:
    """Takes away names of the project's runs that are gone; layers stay, and are podman's cache."""
    mine = calls.mine(plan)
    filtered = ("--filter", f"reference={mine}/*")
    for name in ask("podman", "image", "ls", *filtered, "--format", "{{.Repository}}:{{.Tag}}").out.split():
        # What is listed are images, by all of their names.
        if name.startswith(f"{mine}/") and _gone(name) and not ask("podman", "manifest", "rm", name):
            ask("podman", "untag", name, name)


def _gone(name: str) -> bool:
    """Whether a name's run is over, as far as that can be known: in another container numbers mean other processes."""
    match = re.fullmatch(r"(\d+)-(\d+)", name.rpartition(f":{calls.HELD}")[2])
    if match is None or match[1] != str(_space()):
        return False
    return match[2] == str(os.getpid()) or not Path("/proc", match[2]).exists()


def _space() -> int:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0
