"""How the fleet is linted and scanned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["low", "medium", "high", "critical"]
RULES = (
    "credential",
    "health",
    "ignore-file",
    "internal-base",
    "key-file",
    "leak",
    "lockstep",
    "processor",
    "secret",
)
"""The rules of our own; hadolint's and BuildKit's have names of theirs (DL3008, StageNameCasing)."""


@dataclass(frozen=True, slots=True)
class Linting:
    """`ignore` are rules, or RULE:GLOB for those whose file or path matches; `strict` lets warnings fail."""

    ignore: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Scanning:
    """The scanner's command (none: one that is known and on PATH), and which findings make a scan fail.

    `folder` is where its reports are kept; with `fail` False findings are reported only.
    """

    command: tuple[str, ...] = ()
    severity: Severity = "high"
    fail: bool = True
    folder: str = "artifacts/scan"
