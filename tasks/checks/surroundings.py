"""The words of `docker run` for a test's container: its image, its command and all it is given. It starts nothing."""

from __future__ import annotations

from pathlib import Path

from ..engine import host
from ..engine.docker import address
from ..errors import SurroundingsError
from ..homes import expanded
from ..model import Client, ImageTest, Surroundings
from .subject import Subject


def around(given: Surroundings, root: Path, client: Client) -> list[str]:
    """Returns the options of `docker run` for a test's surroundings. Raises SurroundingsError for an absent path."""
    options = [word for key, value in given.env.items() for word in ("--env", f"{key}={value}")]
    for mount in given.mounts:
        source, target, *how = mount.split(":")
        path = (root / expanded(source)).resolve()
        if not path.exists():
            raise SurroundingsError(f"{source} cannot be mounted: there is no {path}")
        options += host.mounted(client, path, target, read_only=how == ["ro"])
    options += [word for group in given.groups for word in ("--group-add", group)]
    options += ["--memory", given.memory] if given.memory else []
    options += ["--cpus", given.cpus] if given.cpus else []
    return options + (_socket(client) if given.socket else [])


def _socket(client: Client) -> list[str]:
    """Returns the options that give a container the engine's own socket, and the group that owns it."""
    found = host.socket()
    if found is None:
        raise SurroundingsError(
            f"the engine's socket cannot be given to a container: it is reached at {address()}"
        )
    return [*host.mounted(client, found, str(host.SOCKET)), "--group-add", host.group(found)]


def words(subject: Subject, test: ImageTest, options: list[str]) -> list[str]:
    """Returns what follows `docker run` for a test: options, image and command."""
    if test.entrypoint is not None:
        options = [*options, "--entrypoint", test.entrypoint]
    return ["--platform", subject.platform, *options, subject.run, *(test.run or ())]
