"""What a shell may complete after a flag that names things of the fleet: its images, groups, platforms.

Invoke completes tasks and flags; it cannot know values. Nothing is asked but build.toml, and whatever is wrong
with that completes to nothing: a person who presses Tab wants no error message.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from .errors import ArgosyError

OUTPUTS = ("load", "push", "none")
USUAL = ("linux/amd64", "linux/arm64")
FLAGS = ("--images", "--group", "--platforms", "--output")


def candidates(words: Sequence[str]) -> list[str] | None:
    """Returns what may stand in the last place of a command line; None where that is no value of ours.

    A list that has begun (`api,w`) is continued: candidates hold what stands before the last comma.
    """
    flag, begun = _flag(words)
    if flag not in FLAGS:
        return None
    before, comma, _ = begun.rpartition(",")
    taken = set(before.split(","))
    return [f"{before}{comma}{value}" for value in _values(flag) if value not in taken]


def _flag(words: Sequence[str]) -> tuple[str, str]:
    """Returns the flag whose value is being typed, and what of the value is there."""
    if not words:
        return "", ""
    flag, equals, begun = words[-1].partition("=")
    if equals:
        return flag, begun
    return (words[-1], "") if words[-1].startswith("-") else (words[-2] if len(words) > 1 else "", words[-1])


def _values(flag: str) -> Iterable[str]:
    if flag == "--output":
        return OUTPUTS
    from .contents import reading

    try:
        project = reading.project(Path.cwd(), os.environ)
    except ArgosyError:
        return ()
    if flag == "--images":
        return project.images
    if flag == "--group":
        return project.groups
    return dict.fromkeys([*USUAL, *(name for image in project.images.values() for name in image.platforms)])
