"""What the engine says over its own socket, of itself and of images: a program started for that takes longer than all
the rest.

https://docs.docker.com/reference/api/engine/. It knows no error: where anything is unusual the engine's client is
asked instead, which knows contexts, TLS and ssh, and says what is wrong.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote

from ..homes import client_file
from .docker import PATIENCE, SOCKET

SHORT = 2.0
"""Seconds until an engine that does not say who it is counts as unusual: one that hangs is not waited for twice."""


class _UnusualError(Exception):
    """The engine's client is to be asked."""


class _Connection(HTTPConnection):
    def __init__(self, place: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._place = place

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._place)


def look(at: str, references: Iterable[str]) -> dict[str, dict[str, Any]] | None:
    """Returns what the engine at this socket knows of each reference that is there.

    None where anything is unusual: its client is to be asked.
    """
    paths = {name: quote(f"/images/{name}/json", ":/@") for name in references}
    answers = _answers(at, paths.values(), "Id", PATIENCE)
    if answers is None:
        return None
    return {name: about for name, path in paths.items() if (about := answers[path]) is not None}


def info(at: str) -> dict[str, Any] | None:
    """Returns what the engine at this socket says of itself; None where anything is unusual."""
    return (_answers(at, ["/info"], "ServerVersion", SHORT) or {}).get("/info")


def _answers(
    at: str, paths: Iterable[str], key: str, seconds: float
) -> dict[str, dict[str, Any] | None] | None:
    """Returns the answer to each question, one that has this key, or None for an image that is not there.

    None of them where anything is unusual.
    """
    connection = _Connection(at, seconds)
    try:
        return {path: _asked(connection, path, key) for path in paths}
    except (OSError, HTTPException, ValueError, _UnusualError):
        return None
    finally:
        connection.close()


def _asked(connection: _Connection, path: str, key: str) -> dict[str, Any] | None:
    connection.request("GET", path)
    response = connection.getresponse()
    body = json.loads(response.read())
    if not isinstance(body, dict):
        raise _UnusualError
    if response.status == 404 and str(body.get("message", "")).startswith("No such image"):
        return None
    if response.status != 200 or key not in body:
        raise _UnusualError
    return body


def place() -> str:
    """Returns the path of the engine's socket, "" where only its client knows the way."""
    said = os.environ.get("DOCKER_HOST") or (SOCKET if _is_default() else "")
    return said.removeprefix("unix://") if said.startswith("unix://") else ""


def _is_default() -> bool:
    """Whether nobody has chosen a context: https://docs.docker.com/engine/manage-resources/contexts/."""
    if os.environ.get("DOCKER_CONTEXT", "default") != "default":
        return False
    try:
        said = json.loads(client_file(os.environ).read_bytes()).get("currentContext")
    except FileNotFoundError:
        return True
    except (OSError, ValueError, AttributeError):
        return False
    return said in (None, "", "default")
