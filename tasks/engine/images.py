"""Images in the engine's own store: which are there, how large, pulled, named, removed.

Several are asked for in one process: one call for each image would cost more than a build that is all cached.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .docker import explain

if TYPE_CHECKING:
    from python_on_whales import DockerClient


def inspect(docker: DockerClient, references: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Returns what the engine knows of each reference that is there.

    Raises SurroundingsError where the engine does not answer.
    """
    import subprocess

    if not references:
        return {}
    call = [str(word) for word in docker.client_config.docker_cmd]
    done = subprocess.run(
        [*call, "image", "inspect", "--format", "{{json .}}", *references],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    if len(found) == len(references):
        # Each answer stands in the order asked; one that is missing has none, and only its error tells.
        return dict(zip(references, found, strict=True))
    missing = [reference for reference in references if f"No such image: {reference}" in done.stderr]
    if len(missing) + len(found) != len(references):
        raise explain(RuntimeError(done.stderr))
    rest = [reference for reference in references if reference not in missing]
    return dict(zip(rest, found, strict=True))


def missing(docker: DockerClient, references: Sequence[str]) -> tuple[str, ...]:
    """Returns those of the references that the engine does not have."""
    there = inspect(docker, references)
    return tuple(reference for reference in references if reference not in there)


def sizes(docker: DockerClient, references: Sequence[str]) -> dict[str, int]:
    """Returns each image's size in bytes as the engine reports it (compressed on the containerd store)."""
    return {reference: int(about.get("Size", 0)) for reference, about in inspect(docker, references).items()}


def remove(docker: DockerClient, references: Iterable[str]) -> None:
    """Removes names; what no other name holds goes with them."""
    from python_on_whales.exceptions import DockerException

    try:
        docker.image.remove(list(references), force=True, prune=True)
    except DockerException as error:
        raise explain(error) from None


def listed(docker: DockerClient, repositories: Iterable[str]) -> tuple[str, ...]:
    """Returns every reference the engine has in these repositories, by one listing."""
    import subprocess

    wanted = set(repositories)
    call = [str(word) for word in docker.client_config.docker_cmd]
    done = subprocess.run(
        [*call, "image", "ls", "--format", "{{.Repository}}\t{{.Tag}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise explain(RuntimeError(done.stderr))
    pairs = (line.split("\t") for line in done.stdout.splitlines() if line)
    return tuple(sorted({f"{name}:{tag}" for name, tag in pairs if name in wanted and tag != "<none>"}))
