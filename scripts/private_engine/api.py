"""The first words of an HTTP conversation with an engine or a registry: does it answer, what does it say?

A few bytes over a socket instead of an HTTP library, because `ensure` stands before every build and must cost nothing.
"""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit


def _connect(host: str, seconds: float) -> socket.socket:
    if host.startswith("unix://"):
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.settimeout(seconds)
        try:
            channel.connect(host.removeprefix("unix://"))
        except OSError:
            channel.close()
            raise
        return channel
    parts = urlsplit(host)
    return socket.create_connection((parts.hostname or "localhost", parts.port or 2375), seconds)


def get(host: str, path: str, seconds: float = 5.0) -> bytes | None:
    """Returns the body of a successful GET at a `unix://` or `tcp://` address, or None where nothing answers so."""
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
    try:
        with _connect(host, seconds) as channel:
            channel.sendall(request)
            answer = b""
            while piece := channel.recv(65536):
                answer += piece
    except (OSError, ValueError):
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(maxsplit=2)[1:2]
    return body if status == [b"200"] else None


def engine_answers(host: str, seconds: float = 5.0) -> bool:
    """Whether a Docker Engine answers at this address."""
    return get(host, "/_ping", seconds) == b"OK"


def engine_says(host: str, path: str) -> dict[str, Any]:
    """Returns an object of the Engine API, or an empty one where nothing answers."""
    body = get(host, path)
    value = json.loads(body) if body else {}
    return value if isinstance(value, dict) else {}


def registry_answers(port: int, seconds: float = 2.0) -> bool:
    """Whether a registry answers on this loopback port."""
    return get(f"tcp://127.0.0.1:{port}", "/v2/", seconds) is not None
