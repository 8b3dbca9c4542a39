"""The engine's client: the program that asks it, where it is, what its errors mean.

Most questions are plain calls of the program on PATH. python-on-whales begins the argument lists of builds; it is
imported inside functions only: that takes longer than most commands that need no engine.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from ..buildkit.remedy import remedy
from ..errors import SurroundingsError
from .processes import Done, run

if TYPE_CHECKING:
    from python_on_whales import DockerClient

    from ..model import Client

# The oldest that serve: the containerd store's multi-platform load came with Engine 24,
# `--progress=rawjson` with buildx 0.13.
OLDEST_ENGINE = (24, 0)
OLDEST_BUILDX = (0, 13)
PATIENCE = 10.0
"""Seconds an engine may take for a question that changes nothing; one that hangs is as good as none."""

_FROM_ENGINE = "Error response from daemon: "
NO_BUILDX = (
    "docker has no buildx plugin. Install docker-buildx-plugin (Docker's packages) or docker-buildx (Debian's), "
    f"{'.'.join(map(str, OLDEST_BUILDX))} or newer."
)
ABSENT: dict[Client, str] = {
    "docker": (
        "there is no `docker` on PATH. Install Docker (https://docs.docker.com/engine/install/), "
        "or put your engine's client on PATH."
    ),
    "podman": (
        "there is no `podman` on PATH, and build.toml asks for it (engine.client). Install it "
        "(https://podman.io/docs/installation), or use Docker."
    ),
}
# The docker client's words (docker/cli, docker/buildx), and what they come to.
_KNOWN = (
    (re.compile(r"unknown command: docker buildx|'buildx' is not a docker command|unknown flag"), NO_BUILDX),
    (re.compile("no builder"), 'there is no builder "{builder}". `inv builder` creates it.'),
    (
        # Of the socket alone: the client also warns of files of its own that it may not read, and goes on.
        re.compile(
            r"permission denied while trying to connect|dial unix \S+: connect: permission denied",
            re.IGNORECASE,
        ),
        "the engine at {endpoint} refuses this user: permission denied. {socket}",
    ),
    (
        re.compile(
            r"cannot connect to the docker daemon|error during connect|failed to connect to the docker api"
            r"|unable to resolve docker endpoint|^$",
            re.IGNORECASE,
        ),
        "no Docker Engine answers at {endpoint}. Start it, or set DOCKER_HOST; `inv doctor` checks the rest.",
    ),
)


SOCKET = "unix:///var/run/docker.sock"
"""Where the engine listens unless something says otherwise."""


def client() -> DockerClient:
    """Returns the client for the engine that the environment names."""
    from python_on_whales import DockerClient

    return DockerClient()


def ask(client: Client, *arguments: str, seconds: float | None = None) -> Done:
    """Runs `docker …` (or `podman …`, which knows the same words) and returns what it printed.

    Raises SurroundingsError where there is no such program.
    """
    return run([program(client), *arguments], seconds)


def program(client: Client) -> str:
    """Returns the path of the client's program. Raises SurroundingsError where there is none."""
    found = shutil.which(client)
    if found is None:
        raise SurroundingsError(ABSENT[client])
    return found


def explain(done: Done, builder: str = "") -> SurroundingsError:
    """Turns a failed call into one clear error: what is missing and what to do."""
    text = done.err.strip()
    if done.program == "podman":
        return _podman(done)
    if _FROM_ENGINE in text and not done.late:
        # The engine is there and refuses: what it says of registries is worth a remedy.
        said = text.rpartition(_FROM_ENGINE)[2].strip()
        return SurroundingsError("\n".join(filter(None, [f"the engine says: {said}", remedy(text)])))
    whose = f'the builder "{builder}"' if builder else f"the engine at {endpoint()}"
    if done.late:
        then = "`inv builder` starts it." if builder else "Restart it, or set DOCKER_HOST."
        return SurroundingsError(f"{whose} does not answer in time. {then}")
    for pattern, sentence in _KNOWN:
        if pattern.search(text):
            return SurroundingsError(sentence.format(endpoint=endpoint(), builder=builder, socket=_socket()))
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1].removeprefix("ERROR: ") if lines else "it said nothing"
    return SurroundingsError(f"{whose} does not serve: {last}" if builder else f"docker failed: {last}")


def _socket() -> str:
    """Says whose the engine's socket is and who we are, and what to do."""
    place = address().removeprefix("unix://")
    groups = ", ".join(map(str, sorted({os.getegid(), *os.getgroups()})))
    try:
        gid = os.stat(place).st_gid  # noqa: PTH116 - an address is no path
    except OSError:
        return "Join the group that owns its socket (`sudo usermod -aG docker $USER`, then log in again)."
    return (
        f"Its socket {place} belongs to group {gid}; this user ({os.geteuid()}) is in {groups}. Join that group "
        f"(`sudo usermod -aG $(stat -c %G {place}) $USER`, then log in again); in a container: --group-add {gid}."
    )


def _podman(done: Done) -> SurroundingsError:
    if done.late:
        return SurroundingsError("podman does not answer in time; `podman info` may say why.")
    lines = [line for line in done.err.strip().splitlines() if line.startswith("Error: ")]
    said = lines[-1].removeprefix("Error: ") if lines else done.err.strip() or "nothing"
    what = remedy(done.err).replace("docker login", "podman login")
    return SurroundingsError("\n".join(filter(None, (f"podman says: {said}", what))))


def endpoint() -> str:
    """Returns where the engine is looked for, for messages."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    context = os.environ.get("DOCKER_CONTEXT") or _context("{{.Name}}") or "default"
    return "the default socket" if context == "default" else f'docker context "{context}"'


def address() -> str:
    """Returns the engine's address as docker's client takes it: DOCKER_HOST, DOCKER_CONTEXT, or the context in use."""
    return os.environ.get("DOCKER_HOST") or _context("{{.Endpoints.docker.Host}}") or SOCKET


def _context(field: str) -> str:
    done = ask("docker", "context", "inspect", "--format", field)
    return done.out.strip() if done else ""


def is_older(version: str, least: tuple[int, int]) -> bool:
    """Tells whether a version ("4.3.1", "v0.13.1") is older; one that is not known is not."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) < least


def dotted(version: tuple[int, int]) -> str:
    """Returns a version as people write it."""
    return ".".join(map(str, version))
