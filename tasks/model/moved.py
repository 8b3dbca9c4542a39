"""One name in a registry, before and after it was moved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """One name that was (or was not) moved in a registry: old digest -> new digest; "" is "not there"."""

    reference: str
    old: str
    new: str
