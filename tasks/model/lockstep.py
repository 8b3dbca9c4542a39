"""Constants elsewhere in the source that must agree with the project's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lockstep:
    """What must stand in some files: the first group of `regex`, wherever it matches, is what `equals` comes to.

    With `images` (names) `equals` is expanded for each of them, and every file names exactly these values. `where`
    is its key path.
    """

    where: str
    files: tuple[str, ...]
    regex: str
    equals: str
    images: tuple[str, ...] = ()
