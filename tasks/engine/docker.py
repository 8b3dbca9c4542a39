"""The engine's client: which engine answers, what it and its builder can do, what its errors mean.

Most questions are plain calls of the program on PATH. python-on-whales begins the argument lists of builds; it is
imported inside functions only: that takes longer than most commands that need no engine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..buildkit.remedy import remedy
from ..errors import SurroundingsError
from ..planning.facts import Engine
from .processes import Done, run, unbroken

if TYPE_CHECKING:
    from python_on_whales import DockerClient

    from ..model import Client

# The oldest that serve: the containerd store's multi-platform load came with Engine 24,
# `--progress=rawjson` with buildx 0.13.
OLDEST_ENGINE = (24, 0)
OLDEST_BUILDX = (0, 13)
CONTAINERD = "io.containerd.snapshotter.v1"
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
    (
        re.compile("permission denied"),
        ("the engine at {endpoint} refuses this user: permission denied. {socket}"),
    ),
    (re.compile("no builder"), 'there is no builder "{builder}". `inv builder` creates it.'),
    (
        re.compile(
            r"cannot connect to the docker daemon|error during connect|failed to connect to the docker api"
            r"|failed to initialize|unable to resolve docker endpoint|^$",
            re.IGNORECASE,
        ),
        "no Docker Engine answers at {endpoint}. Start it, or set DOCKER_HOST; `inv doctor` checks the rest.",
    ),
)


@dataclass(frozen=True, slots=True)
class Info:
    """What the engine says of itself; `buildx` is "" where the client has no such plugin.

    `folder` is where it keeps its data, on its own machine.
    """

    version: str
    buildx: str
    native: str
    store: Literal["containerd", "classic"]
    folder: str = ""


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


def engine(builder: str = "") -> Engine:
    """Asks the engine and the builder, at once, what they can do.

    Raises SurroundingsError where there is no docker, no engine, no buildx or builder, or one too old.
    """
    with unbroken(), ThreadPoolExecutor(1) as pool:
        looked = pool.submit(inspect, builder)
        about = info()
        for problem in too_old(about).values():
            raise SurroundingsError(problem)
        driver, platforms = looked.result()
    return Engine(
        version=about.version,
        buildx=about.buildx,
        native=about.native,
        platforms=platforms,
        driver=driver,
        store=about.store,
        builder=builder,
    )


def info(seconds: float = PATIENCE) -> Info:
    """Asks client and engine for themselves. Raises SurroundingsError where no engine answers."""
    done = ask("docker", "info", "--format", "{{json .}}", seconds=seconds)
    try:
        said: dict[str, Any] = json.loads(done.out)
    except ValueError:
        said = {}
    if done.late or not said.get("ServerVersion"):
        raise explain(done)
    plugins = (said.get("ClientInfo") or {}).get("Plugins") or []
    buildx = next((str(one.get("Version", "")) for one in plugins if one.get("Name") == "buildx"), "")
    status = dict(pair for pair in said.get("DriverStatus") or [] if len(pair) == 2)
    return Info(
        version=said["ServerVersion"],
        buildx=buildx.removeprefix("v"),
        native=_native(said.get("OSType") or "linux", said.get("Architecture") or "x86_64"),
        store="containerd" if status.get("driver-type") == CONTAINERD else "classic",
        folder=said.get("DockerRootDir") or "",
    )


def too_old(about: Info) -> dict[str, str]:
    """Returns what is too old or missing to serve ("engine", "buildx"), each with what to do."""
    found = {
        "engine": ("Docker Engine", about.version, OLDEST_ENGINE),
        "buildx": ("buildx", about.buildx, OLDEST_BUILDX),
    }
    return {
        key: f"{what} {version} is too old: {dotted(oldest)} or newer is needed" if version else NO_BUILDX
        for key, (what, version, oldest) in found.items()
        if not version or _is_older(version, oldest)
    }


def inspect(builder: str = "", seconds: float = PATIENCE) -> tuple[str, tuple[str, ...]]:
    """Returns a builder's driver and its platforms, in its own order; "" is the builder in use.

    python-on-whales' own inspect lists all builders, dead ones too, and so takes seconds where one hangs.
    Raises SurroundingsError where the builder is not there or not up.
    """
    done = ask("docker", "buildx", "inspect", *([builder] if builder else []), seconds=seconds)
    driver = re.search(r"^Driver:[ \t]*(\S+)", done.out, re.MULTILINE)
    lines = re.findall(r"^Platforms:[ \t]*(.+)$", done.out, re.MULTILINE)
    problem = re.search(r"^Error:[ \t]*(.+)$", done.out, re.MULTILINE)
    if not done or problem or not driver:
        # A builder that does not answer is told on stdout, with status 0.
        raise explain(Done(done.status, "", problem[1] if problem else done.err, done.late), builder)
    found = dict.fromkeys(word.strip(" *") for line in lines for word in line.split(","))
    if not found:
        raise SurroundingsError(f'the builder "{builder or "in use"}" is not up; `inv builder` starts it.')
    return driver[1], tuple(found)


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
    place = (os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock").removeprefix("unix://")
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
    """Returns the engine's address as the environment gives it, for messages."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    context = os.environ.get("DOCKER_CONTEXT")
    return f'docker context "{context}"' if context else "the default socket"


def dotted(version: tuple[int, int]) -> str:
    """Returns a version as people write it."""
    return ".".join(map(str, version))


def _native(system: str, machine: str) -> str:
    names = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7"}
    return f"{system}/{names.get(machine, machine)}"


def _is_older(version: str, oldest: tuple[int, int]) -> bool:
    match = re.match(r"v?(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) < oldest
