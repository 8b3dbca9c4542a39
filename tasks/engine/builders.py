"""The buildx builder that build.toml names: created and started if absent, removed if asked.

The builder a person currently uses is never changed: nothing here says `--use`.
"""

from __future__ import annotations

import subprocess

from ..errors import ConfigError
from ..model import Builder
from . import docker


def settle(builder: Builder, *, remove: bool = False) -> str:
    """Brings the builder about (or away) and returns what was done in one sentence.

    Raises ConfigError where build.toml names none, SurroundingsError where docker refuses.
    """
    if not builder.name:
        raise ConfigError(
            "build.toml names no builder, so the engine's own is used. To have one of your own:\n"
            '  [builder]\n  name = "fleet"\n  driver = "docker-container"'
        )
    there = _buildx("inspect", builder.name).returncode == 0
    if remove:
        if there:
            _must(_buildx("rm", builder.name), builder.name)
        return f"builder {builder.name} {'removed' if there else 'was not there'}"
    if not there:
        for call in creation(builder):
            _must(_buildx(*call), builder.name)
    _must(_buildx("inspect", "--bootstrap", builder.name), builder.name)
    found = docker.engine(builder.name)
    state = "was there" if there else "created"
    return f"builder {builder.name} ({found.driver}) {state} and is up: {', '.join(found.platforms)}"


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


def _buildx(*arguments: str) -> subprocess.CompletedProcess[str]:
    call = [str(word) for word in docker.client().client_config.docker_cmd]
    return subprocess.run([*call, "buildx", *arguments], capture_output=True, text=True, check=False)


def _must(done: subprocess.CompletedProcess[str], name: str) -> None:
    if done.returncode != 0:
        raise docker.explain(RuntimeError(done.stderr), name)
