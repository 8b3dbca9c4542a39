"""Up means: a request for the URL is answered with success."""

from __future__ import annotations

from urllib.request import urlopen


def check(target: str) -> None:
    """Raise OSError unless the URL answers."""
    with urlopen(target, timeout=3):  # noqa: S310 - the target is set by whoever runs the probe
        pass
