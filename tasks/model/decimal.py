"""A number of build.toml with a point in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Decimal(float):
    """A number as it is written: bare where text is meant, `GO = 1.20` is "1.20", not "1.2"."""

    def __new__(cls, text: str) -> Self:
        """Reads it, and keeps the text."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __str__(self) -> str:
        return self.text

    def __deepcopy__(self, memo: object) -> Self:
        return self
