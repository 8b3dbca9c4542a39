"""An image as an engine's own store has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """What an engine says of an image that it holds: its id, its size in bytes, all names it has there."""

    id: str
    size: int
    names: tuple[str, ...] = ()
