"""Logins for registries, found where the container tools keep them; read, never written.

Knows configuration files and credential helpers, not registries: nothing here touches the network. The rules are
those of Docker's own client (docker/cli, cli/config/configfile and cli/config/credentials) and, after it,
podman's (containers-auth.json(5)). A secret lives only in `Login.secret`: it is never shown, logged or put into
an argument list; a helper gets its question on standard input.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SurroundingsError
from ..homes import client_file, home
from ..model import HUB

# What Docker files a login for Docker Hub under, then what others write.
_HUB_KEYS = ("https://index.docker.io/v1/", HUB, "index.docker.io", "registry-1.docker.io")
# A helper's way of saying "I hold an identity token, not a password" (docker-credential-helpers).
_IDENTITY = "<token>"
_NOT_FOUND = "credentials not found"
_HELPER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and secret for one registry, and the file or helper they came from.

    With `identity` the secret is an OAuth2 refresh token, not a password.
    """

    username: str
    secret: str = field(repr=False)
    source: str
    identity: bool = False


def find(host: str, env: Mapping[str, str]) -> Login | None:
    """Returns the first login that is kept for the registry `host`, or None.

    Raises SurroundingsError where a file cannot be understood or a helper it names cannot be used.
    """
    keys = _HUB_KEYS if host in _HUB_KEYS else (host,)
    for file in places(env):
        config = _read(file)
        login = _from_helper(config, keys, file, env) or _from_file(config, keys, file)
        if login:
            return login
    return None


def places(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Returns the files that may hold logins, in order, whether they exist or not."""
    explicit = env.get("REGISTRY_AUTH_FILE")
    configs = Path(env.get("XDG_CONFIG_HOME") or home(env) / ".config")
    # Without that variable, as in most containers and as root, podman keeps its logins by user id.
    runtime = env.get("XDG_RUNTIME_DIR")
    podman = Path(
        runtime or f"/run/containers/{os.getuid()}", "containers/auth.json" if runtime else "auth.json"
    )
    return (
        *([Path(explicit)] if explicit else []),
        client_file(env),
        podman,
        configs / "containers/auth.json",
    )


def login_line(host: str) -> str:
    """Returns the command that logs a person in to `host`: docker's, or where there is only podman, podman's."""
    program = "podman" if shutil.which("podman") and not shutil.which("docker") else "docker"
    if host in _HUB_KEYS:
        return "docker login" if program == "docker" else f"podman login {HUB}"
    return f"{program} login {host}"


def _read(file: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SurroundingsError(
            f"{file} cannot be read: {error.strerror}. Registry logins are kept there."
        ) from error
    except ValueError:
        config = None
    sections = (
        (config.get(key) or {} for key in ("auths", "credHelpers")) if isinstance(config, dict) else (None,)
    )
    if not all(isinstance(section, dict) for section in sections):
        raise SurroundingsError(
            f"{file} is not the JSON that `docker login` writes. Repair it, or log in again."
        )
    return config  # type: ignore[no-any-return]


def _from_file(config: Mapping[str, Any], keys: tuple[str, ...], file: Path) -> Login | None:
    for entry in _entries(config.get("auths") or {}, keys):
        try:
            user, _, password = (
                base64.b64decode(entry.get("auth") or "", validate=True).decode().partition(":")
            )
        except (ValueError, TypeError) as error:
            raise SurroundingsError(
                f'{file}: "auth" of {keys[0]} is not base64 of user:password. Run `{login_line(keys[0])}` again.'
            ) from error
        user, password = entry.get("username") or user, entry.get("password") or password.strip("\0")
        if token := entry.get("identitytoken"):
            return Login(user, token, str(file), identity=True)
        if user:
            return Login(user, password, str(file))
    return None


def _entries(auths: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    """Exact keys first, then old forms such as `https://host/v1/`, as Docker's client reads them."""
    yield from (auths[key] for key in keys if isinstance(auths.get(key), dict))
    for name, entry in auths.items():
        bare = name.removeprefix("https://").removeprefix("http://").partition("/")[0]
        if name not in keys and bare in keys and isinstance(entry, dict):
            yield entry


def _from_helper(
    config: Mapping[str, Any], keys: tuple[str, ...], file: Path, env: Mapping[str, str]
) -> Login | None:
    helpers = config.get("credHelpers") or {}
    key = next((key for key in keys if helpers.get(key)), keys[0])
    name = helpers.get(key) or config.get("credsStore")
    if not name:
        return None
    program = f"docker-credential-{name}"
    path = shutil.which(program, path=env.get("PATH"))
    if path is None:
        raise SurroundingsError(
            f'{file} names the credential helper "{name}", and {program} is not on PATH. '
            "Install it, or remove that line and log in again."
        )
    try:
        done = subprocess.run(
            [path, "get"],
            input=key.encode(),
            capture_output=True,
            env=dict(env),
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = (
            f"gave no answer in {_HELPER_SECONDS:.0f} s"
            if isinstance(error, subprocess.TimeoutExpired)
            else error
        )
        raise SurroundingsError(f"{program} (named by {file}) could not be used for {key}: {why}.") from error
    if done.returncode and _NOT_FOUND in (done.stdout + done.stderr).decode(errors="replace").lower():
        return None
    try:
        answer = json.loads(done.stdout)
        user, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, TypeError, KeyError):
        # Its output is not repeated here: a helper's words may hold the secret.
        raise SurroundingsError(
            f"{program} (named by {file}) gave no login for {key} (exit status {done.returncode}). "
            f"Run `{login_line(key)}` again, or ask the helper yourself: {program} get."
        ) from None
    return Login(user, secret, f"{program} ({file})", identity=user == _IDENTITY) if secret else None
