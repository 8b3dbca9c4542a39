"""Three ways to build one fleet, as argument lists: Argosy, raw bake, a loop of `docker buildx build`.

All build the same definitions to the same names, without provenance. It runs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .cell import ARGOSY, BAKE, LOOP
from .fleet import Fleet

Command = list[str]


def program(name: str) -> str:
    """Returns a program of the environment that this script runs in: `argosy`, `inv`."""
    return str(Path(sys.executable).parent / name)


def commands(way: str, fleet: Fleet, owner: str, output: str, bakefile: Path) -> list[Command]:
    """Returns what is typed, one after the other; `bakefile` is where bake's definition is."""
    if way == ARGOSY:
        verb = "push" if output == "push" else "build"
        return [[program("argosy"), verb, "--owner", owner]]
    if way == BAKE:
        return [["docker", "buildx", "bake", "--file", str(bakefile)]]
    if way == LOOP:
        return [_build(fleet, name, owner, output) for name in fleet.names]
    raise ValueError(f"there is no way {way!r}")


def definition(owner: str, output: str) -> Command:
    """Returns the command that prints the fleet's bake file: raw bake builds what Argosy plans."""
    return [program("argosy"), "plan", "--format", "bake", "--output", output, "--owner", owner]


def locking(owner: str) -> Command:
    """Returns the command that writes build.lock: one build, of which nothing but the cache is kept."""
    return [program("argosy"), "build", "--images", "base", "--output", "none", "--owner", owner]


def named(planned: Mapping[str, Any], fleet: Fleet, owner: str, output: str) -> dict[str, Any]:
    """Returns a bake file that loads or pushes each image under its own names, and those only.

    Argosy's own gives each its address as well; it pushes that alone, and moves the names when all are built.
    """
    targets = dict(planned["target"])
    for name in fleet.names:
        names = fleet.references(name, owner)
        pushed = {"output": [f'type=image,"name={",".join(names)}",push=true,oci-mediatypes=true']}
        targets[name] = {**targets[name], **(pushed if output == "push" else {"tags": names})}
    return {**planned, "target": targets}


def _build(fleet: Fleet, name: str, owner: str, output: str) -> Command:
    words = ["docker", "buildx", "build", "--provenance=false", "--platform", ",".join(fleet.platforms)]
    for reference in fleet.references(name, owner):
        words += ["--tag", reference]
    if fleet.on_base(name):
        words += ["--build-arg", f"REGISTRY={fleet.registry}", "--build-arg", f"OWNER={owner}"]
    return [*words, f"--{output}", str(fleet.root / "docker" / name)]


def listed() -> list[Command]:
    """Returns the command whose start is timed; where it runs makes the difference."""
    return [[program("inv"), "--list"]]


def plan() -> list[Command]:
    """Returns the command that shows the plan of a whole fleet."""
    return [[program("argosy"), "plan"]]


def images() -> Command:
    """Returns the command that lists every name in the engine."""
    return ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]


def removal(name: str) -> Command:
    """Returns the command that takes a name out of the engine."""
    return ["docker", "image", "rm", "--force", name]
