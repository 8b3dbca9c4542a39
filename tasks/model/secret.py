"""Something a build may see and an image must never hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """Where one secret of a build is, never what it is: in a file (`~` not expanded) or in a variable."""

    id: str
    file: str = ""
    env: str = ""
    optional: bool = False

    def __str__(self) -> str:
        return self.file or f"the variable {self.env}"
