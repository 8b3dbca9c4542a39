"""Floor 1: build.toml -> Project. Strict; collects every finding; knows where each value came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..model import Project
    from .overlay import Override


def load(
    start: Path, environ: Mapping[str, str], flags: Sequence[Override] = (), text: str | None = None
) -> Project:
    """Finds build.toml from `start` upward and reads it, or `text` in its place. Raises ConfigError with every finding.

    pydantic is imported only here, when a project is really read: `inv --list` does without.
    """
    from . import document, resolve

    return resolve.resolve(document.read(document.find(start), environ, flags, text))
