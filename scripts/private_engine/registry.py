"""The checkout's registry: Debian's docker-registry on loopback, also the engine's mirror for Docker Hub names."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from . import api, files, network, processes
from .place import Place
from .problem import ProblemError

READY_WITHIN = 15.0


def settings_file(place: Place) -> Path:
    """Returns where the registry's configuration is."""
    return place.data / "registry.json"


def log(place: Place) -> Path:
    """Returns where the registry's output goes."""
    return place.data / "logs" / "registry.log"


def kept_port(place: Place) -> int | None:
    """Returns the port that was chosen for this checkout, or None before its first start."""
    value = files.read_json(place.data / "choices.json").get("port")
    return value if isinstance(value, int) else None


def running(place: Place) -> list[int]:
    """Returns the process ids of this checkout's registry."""
    return [
        process.pid
        for process in processes.listed()
        if process.program == "docker-registry" and process.mentions(settings_file(place))
    ]


def answers(place: Place) -> bool:
    """Whether this checkout's registry answers on its port."""
    port = kept_port(place)
    return port is not None and api.registry_answers(port)


def _configuration(place: Place, port: int) -> dict[str, object]:
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(place.data / "registry")},
            "delete": {"enabled": True},
        },
        "http": {"addr": f"127.0.0.1:{port}", "secret": secrets.token_hex(16)},
    }


def start(place: Place, programs: Path) -> int:
    """Starts the registry if it does not run; returns its port. The port is kept as long as nobody else takes it."""
    kept = kept_port(place)
    if kept is not None and running(place) and api.registry_answers(kept):
        return kept
    stop(place)
    port = network.free_port(place.key, kept)
    files.write_json(place.data / "choices.json", {"port": port})
    # JSON is YAML, which the registry reads.
    files.write_json(settings_file(place), _configuration(place, port))
    command = [str(programs / "usr/bin/docker-registry"), "serve", str(settings_file(place))]
    # Its variables (REGISTRY_...) would change the configuration.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "OTEL_"))
    }
    process = processes.detach(command, log(place), environment)
    ready = processes.wait_until(
        lambda: api.registry_answers(port) or process.poll() is not None, READY_WITHIN
    )
    if not ready or process.poll() is not None:
        processes.end([process.pid])
        raise ProblemError(
            f"The registry did not start on 127.0.0.1:{port}. The end of {log(place)}:\n{processes.tail(log(place))}"
        )
    return port


def stop(place: Place) -> None:
    """Ends the registry; what it stores stays."""
    processes.end(running(place))
