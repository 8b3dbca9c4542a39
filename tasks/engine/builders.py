"""The buildx builder that build.toml names: created and started if absent, removed if asked.

The builder a person currently uses is never changed: nothing here says `--use`.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ConfigError
from ..model import Builder
from . import docker, inquiry
from .processes import Done


def settle(builder: Builder, *, remove: bool = False, told: Callable[[str], object] = lambda _: None) -> str:
    """Brings the builder about (or away) and returns what was done in one sentence.

    `told` hears what may take long. Raises ConfigError where build.toml names none, SurroundingsError where
    docker refuses.
    """
    if not builder.name:
        raise ConfigError(
            "build.toml names no builder, so the engine's own is used. To have one of your own:\n"
            '  [builder]\n  name = "fleet"\n  driver = "docker-container"'
        )
    inquiry.serves()
    there = bool(_buildx("inspect", builder.name))
    if remove:
        if there:
            _must(_buildx("rm", builder.name), builder.name)
        return f"builder {builder.name} {'removed' if there else 'was not there'}"
    if not there:
        _create(builder)
    told(f"starting builder {builder.name} ({builder.driver}) ...")
    _must(_buildx("inspect", "--bootstrap", builder.name), builder.name)
    driver, platforms = inquiry.inspect(builder.name)
    state = "was there" if there else "created"
    return f"builder {builder.name} ({driver}) {state} and is up: {', '.join(platforms)}"


def _create(builder: Builder) -> None:
    """Creates it with all its nodes, or not at all: the next run would find it there and ask no more."""
    first, *others = creation(builder)
    _must(_buildx(*first), builder.name)
    try:
        for call in others:
            _must(_buildx(*call), builder.name)
    except BaseException:
        _buildx("rm", "--force", builder.name)
        raise


def creation(builder: Builder) -> list[list[str]]:
    """Returns the arguments of the `docker buildx` calls that create a builder, one for each node."""
    calls: list[list[str]] = []
    for number, node in enumerate(builder.nodes or ({},)):
        call = ["create", "--name", builder.name, "--driver", builder.driver]
        if number:
            call.append("--append")
        for key, flag in (("name", "--node"), ("platforms", "--platform"), ("options", "--driver-opt")):
            if key in node:
                call += [flag, node[key]]
        calls.append([*call, node["endpoint"]] if "endpoint" in node else call)
    return calls


def _buildx(*arguments: str) -> Done:
    return docker.ask("docker", "buildx", *arguments)


def _must(done: Done, name: str) -> None:
    if not done:
        raise docker.explain(done, name)
