"""What a reading of build.toml begins with and what it comes to: its place, what is said from outside, the Project.

It is loaded without pydantic, for those who only need to know whether there is anything to read anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import ConfigError

if TYPE_CHECKING:
    from ..model import Project

NAME = "build.toml"
Kind = Literal["file", "folder"]


@dataclass(frozen=True, slots=True)
class Override:
    """One setting from outside: its key path, the text given, and where that came from in words."""

    path: str
    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A Project and what it came from besides the file's text and the overrides given.

    `variables` are those of the environment that `[env]` names, `looked` what was looked for below the file's folder
    and whether it was there: other answers would have been another Project.
    """

    project: Project
    variables: tuple[str, ...]
    looked: Mapping[tuple[Kind, str], bool]


def find(start: Path) -> Path:
    """Returns the nearest build.toml in `start` or above it. Raises ConfigError if there is none."""
    for folder in [start, *start.parents]:
        if (folder / NAME).is_file():
            return folder / NAME
    raise ConfigError(
        f"no {NAME} in {start} or any folder above it. Create one at the root of the repository; the smallest is:\n"
        '  [project]\n  registry = "ghcr.io"\n  owner = "acme"\n  version = "0.1.0"\n  [images.api]'
    )


def is_there(root: Path, kind: Kind, path: str) -> bool:
    """Tells whether a file or folder is there."""
    return (root / path).is_file() if kind == "file" else (root / path).is_dir()
