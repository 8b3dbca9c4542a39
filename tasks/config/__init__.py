"""Floor 1: build.toml -> Project. Strict; collects every finding; knows where each value came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import given

if TYPE_CHECKING:
    from ..model import Project


def load(
    start: Path, environ: Mapping[str, str], flags: Sequence[given.Override] = (), text: str | None = None
) -> Project:
    """Finds build.toml from `start` upward and reads it, or `text` in its place. Raises ConfigError with every finding.

    pydantic is imported only here, when a project is really read: `inv --list` does without.
    """
    return read(given.find(start), environ, flags, text).project


def read(
    path: Path, environ: Mapping[str, str], flags: Sequence[given.Override] = (), text: str | None = None
) -> given.Reading:
    """Reads this build.toml, or `text` in its place. Raises ConfigError with every finding."""
    from . import document, resolve

    found = document.read(path, environ, flags, text)
    return given.Reading(resolve.resolve(found), tuple(found.written.env), found.looked)
