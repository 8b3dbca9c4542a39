"""Up means: a connection to host:port is accepted."""

from __future__ import annotations

import socket


def check(target: str) -> None:
    """Raise OSError unless the port accepts a connection."""
    host, _, port = target.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=3):
        pass
