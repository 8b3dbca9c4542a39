"""build.toml as text that is changed in places, everything around them left as it is, comments too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Key = Sequence[str | int]


@dataclass(slots=True)
class Toml:
    """A TOML file's text; `changes` are (line, old, new) of the values set."""

    path: Path
    text: str = field(init=False)
    changes: list[tuple[int, str, str]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        # Line ends stay as they are, and so does an editor's byte order mark.
        self.text = self.path.read_bytes().decode("utf-8")

    @property
    def changed(self) -> bool:
        """Whether anything became different."""
        return bool(self.changes)

    def has(self, key: Key) -> bool:
        """Tells whether the file has this value."""
        try:
            self._at(self._document(), key)
        except (KeyError, IndexError, TypeError):
            return False
        return True

    def set(self, key: Key, value: str) -> None:
        """Gives a value that is there another text; a number stays one where that means the same."""
        document = self._document()
        old = self._at(document, key)
        if _meant(old) == value:
            return
        holder = self._at(document, key[:-1])
        holder[key[-1]] = _like(old, value)
        before, after = self.text.splitlines(), self._prefix() + document.as_string()
        line = next(n for n, (a, b) in enumerate(zip(before, after.splitlines(), strict=False), 1) if a != b)
        self.text = after
        self.changes.append((line, _meant(old), value))

    def _prefix(self) -> str:
        return "\ufeff" if self.text.startswith("\ufeff") else ""

    def _document(self) -> Any:
        import tomlkit

        return tomlkit.parse(self.text.removeprefix("\ufeff"))

    @staticmethod
    def _at(node: Any, key: Key) -> Any:
        for part in key:
            node = node[part]
        return node


def _meant(item: Any) -> str:
    """Returns what a bare value means where text is meant: a number with a point is what is written."""
    text: str = item.as_string() if isinstance(item, float) else str(item)  # type: ignore[attr-defined]  # tomlkit's
    return text


def _like(old: Any, value: str) -> Any:
    if isinstance(old, str):
        return value
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        found = tomlkit.value(value)
    except TOMLKitError:
        return value
    return found if str(found.unwrap()) == value else value
