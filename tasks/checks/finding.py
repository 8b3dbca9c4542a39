"""One fault that a check found, before it is known what becomes of it.

`rule` is its one word, by which build.toml may name it. Whether it is an error is the rule's own matter; that it
is ignored, or taken more seriously, is decided above.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: what it is, where (file and line, or a path in the image), and what to do about it."""

    rule: str
    detail: str
    where: str = ""
    error: bool = False
