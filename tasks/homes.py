"""Where "~" is, for a user whom this machine may not know, as in a container that runs under any number; and where
docker's client keeps what it was told.

It knows nothing of what is written there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def home(environ: Mapping[str, str] | None = None) -> Path:
    """Returns the user's home; "/" where nobody has said and no account has one, as containers have it."""
    said = (os.environ if environ is None else environ).get("HOME")
    try:
        return Path(said) if said else Path.home()
    except RuntimeError:
        return Path("/")


def client_file(environ: Mapping[str, str]) -> Path:
    """Returns the file in which docker's client keeps what it was told, whether it exists or not."""
    return Path(environ.get("DOCKER_CONFIG") or home(environ) / ".docker") / "config.json"


def expanded(text: str, environ: Mapping[str, str] | None = None) -> Path:
    """Returns a path with its "~" replaced; that of an unknown user stays as it is, as in a shell."""
    if text == "~" or text.startswith("~/"):
        return home(environ) / text[2:]
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
