"""The Docker client, through python-on-whales: what engine answers, what it can do, what its errors mean.

It is the one place that imports python-on-whales, and only inside functions: that import takes longer than
most commands that need no engine.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..errors import SurroundingsError
from ..planning.facts import Engine

if TYPE_CHECKING:
    from python_on_whales import DockerClient

# The oldest that serve: `--progress=rawjson` came with buildx 0.13, the containerd store's multi-platform
# load with Engine 24.
OLDEST_ENGINE = (24, 0)
OLDEST_BUILDX = (0, 13)
CONTAINERD = "io.containerd.snapshotter.v1"


def client() -> DockerClient:
    """Returns the client for the engine that the environment names."""
    from python_on_whales import DockerClient

    return DockerClient()


def engine(builder: str = "") -> Engine:
    """Asks the engine and the builder what they can do.

    Raises SurroundingsError where there is no docker, no engine, no buildx, or one too old.
    """
    from python_on_whales.client_config import ClientNotFoundError
    from python_on_whales.exceptions import DockerException

    docker = client()
    try:
        # Two questions at once: each is a process of its own.
        with ThreadPoolExecutor(2) as pool:
            asked = pool.submit(docker.system.info)
            looked = pool.submit(_inspect, docker, builder)
            info = asked.result()
            driver, platforms = looked.result()
    except (DockerException, ClientNotFoundError) as error:
        raise explain(error, builder) from None
    if not info.server_version:
        raise SurroundingsError(_no_engine())
    buildx = next((p.version or "" for p in _plugins(info) if p.name == "buildx"), "")
    _refuse_old("Docker Engine", info.server_version, OLDEST_ENGINE)
    _refuse_old("buildx", buildx, OLDEST_BUILDX)
    status = dict(pair for pair in info.driver_status or [] if len(pair) == 2)
    return Engine(
        version=info.server_version,
        buildx=buildx.removeprefix("v"),
        native=_native(info.os_type or "linux", info.architecture or "x86_64"),
        platforms=platforms,
        driver=driver,
        store="containerd" if status.get("driver-type") == CONTAINERD else "classic",
        builder=builder,
    )


def explain(error: Exception, builder: str = "") -> SurroundingsError:
    """Turns a failed call into one clear error: what is missing and what to do."""
    text = str(getattr(error, "stderr", None) or error)
    if "could not be found on your PATH" in text:
        return SurroundingsError(
            "no `docker` on PATH. Install Docker (https://docs.docker.com/engine/install/), "
            "or make your engine's client reachable."
        )
    if re.search(
        r"unknown command: docker buildx|'buildx' is not a docker command|unknown (shorthand )?flag", text
    ):
        return SurroundingsError(
            "docker has no buildx plugin. Install docker-buildx-plugin (Docker's packages) or docker-buildx "
            f"(Debian's); buildx {_dotted(OLDEST_BUILDX)} or newer."
        )
    if re.search(
        r"[Cc]annot connect|connection refused|no such file|dial |failed to connect|not resolve", text
    ):
        return SurroundingsError(_no_engine())
    if "permission denied" in text:
        return SurroundingsError(
            f"the engine at {endpoint()} refuses this user: permission denied. "
            "Join the group that owns its socket (`sudo usermod -aG docker $USER`, then log in again)."
        )
    if "no builder" in text:
        return SurroundingsError(f'there is no builder "{builder}"; `inv builder` creates it.')
    last = [line for line in text.strip().splitlines() if line.strip()]
    return SurroundingsError(f"docker failed: {last[-1] if last else error}")


def endpoint() -> str:
    """Returns the engine's address as the environment gives it, for messages."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    context = os.environ.get("DOCKER_CONTEXT")
    return f'docker context "{context}"' if context else "the default socket"


def _no_engine() -> str:
    return f"no Docker Engine answers at {endpoint()}. Start it, or set DOCKER_HOST; `inv doctor` checks the rest."


def _inspect(docker: DockerClient, builder: str) -> tuple[str, tuple[str, ...]]:
    """Returns a builder's driver and platforms, in the builder's own order.

    python-on-whales' own inspect lists all builders, dead ones too, and so takes seconds where one hangs.
    """
    from python_on_whales.utils import run

    command = [*docker.client_config.docker_cmd, "buildx", "inspect", *([builder] if builder else [])]
    text = str(run(command))
    driver = re.search(r"^Driver:\s*(\S+)", text, re.MULTILINE)
    lines = re.findall(r"^Platforms:\s*(.+)$", text, re.MULTILINE)
    found = [word.strip(" *") for line in lines for word in line.split(",")]
    return (driver[1] if driver else "docker"), tuple(dict.fromkeys(found))


def _plugins(info: Any) -> list[Any]:
    return list((info.client_info and info.client_info.plugins) or [])


def _native(system: str, machine: str) -> str:
    names = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7"}
    return f"{system}/{names.get(machine, machine)}"


def _refuse_old(what: str, version: str, oldest: tuple[int, int]) -> None:
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if match and (int(match[1]), int(match[2])) < oldest:
        raise SurroundingsError(f"{what} {version} is too old; {_dotted(oldest)} or newer is needed.")


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
