"""The engine that is there already, chosen as the docker client chooses: DOCKER_HOST, context, default socket.

A choice that does not answer is an error, never a reason for another engine.

It only looks; an engine or configuration of the user's is never touched.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import api, files
from .problem import ProblemError

DEFAULT = "unix:///var/run/docker.sock"
PLUGIN_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)


@dataclass(frozen=True, slots=True)
class Existing:
    """An address, and what chose it; `chosen` is None for the default socket, which nobody chose."""

    host: str
    chosen: str | None


def _client_folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")


def find(environment: Mapping[str, str]) -> Existing:
    """Returns the engine that the docker client would use in this environment."""
    host = environment.get("DOCKER_HOST", "")
    if host:
        return Existing(host, f"DOCKER_HOST={host}")
    folder = _client_folder(environment)
    context, chosen = environment.get("DOCKER_CONTEXT", ""), "DOCKER_CONTEXT={}"
    if not context:
        context = str(files.read_json(folder / "config.json").get("currentContext") or "")
        chosen = f"the current context {{}} in {folder / 'config.json'}"
    if context in {"", "default"}:
        return Existing(DEFAULT, None)
    meta = folder / "contexts/meta" / hashlib.sha256(context.encode()).hexdigest() / "meta.json"
    endpoint = files.read_json(meta).get("Endpoints", {}).get("docker", {}).get("Host", "")
    return Existing(str(endpoint), chosen.format(context))


def answers(existing: Existing, environment: Mapping[str, str]) -> bool:
    """Whether an engine answers there. Plain sockets are asked directly, ssh and TLS through the docker client."""
    if existing.host.startswith("unix://"):
        return api.engine_answers(existing.host)
    if existing.host.startswith("tcp://") and not environment.get("DOCKER_TLS_VERIFY"):
        return api.engine_answers(existing.host)
    client = shutil.which("docker", path=environment.get("PATH"))
    if not existing.host or client is None:
        return False
    command = [client, "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=15,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


def has_buildx(environment: Mapping[str, str]) -> bool:
    """Whether there is a docker client with the buildx plugin."""
    folders = (_client_folder(environment) / "cli-plugins", *map(Path, PLUGIN_FOLDERS))
    plugins = (folder / "docker-buildx" for folder in folders)
    client = shutil.which("docker", path=environment.get("PATH"))
    return client is not None and any(os.access(plugin, os.X_OK) for plugin in plugins)


def usable(own: str, environment: Mapping[str, str]) -> Existing | None:
    """Returns the user's engine where one with buildx answers, or None where the private one is to be used.

    `own` is the private engine's address; a shell that was pointed at it has chosen nothing else. Raises ProblemError
    where an engine was chosen and does not serve.
    """
    found = find(environment)
    if found.host == own:
        return None
    if answers(found, environment):
        if has_buildx(environment):
            return found
        if found.chosen:
            raise ProblemError(
                f"The engine of {found.chosen} answers, but there is no docker client with the buildx plugin here.\n"
                "Install docker-cli and docker-buildx (Debian 13) or docker-buildx-plugin (Docker's packages)."
            )
    elif found.chosen:
        address = (
            f" (its address: {found.host or 'unknown'})"
            if found.host not in found.chosen or not found.host
            else ""
        )
        raise ProblemError(
            f"No Docker Engine answers at {found.chosen}{address}.\n"
            "It was chosen, so no other engine is used in its place. Start it, or take the choice back."
        )
    return None
