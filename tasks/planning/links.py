"""Where a path leads when symlinks are followed as BuildKit does it: inside a root, by their texts.

The rules are those of RootPath in containerd/continuity. What is a symlink, others say.
"""

from __future__ import annotations

from collections.abc import Callable

from .globs import cleaned

_MOST = 255


class TooManyLinksError(ValueError):
    """The symlinks of a path lead in a circle."""


def inside(path: str) -> str:
    """Returns a path as one below the root ("" is the root itself), out of which no `..` leads."""
    return cleaned(f"/{path}")[1:]


def followed(path: str, text_of: Callable[[str], str | None]) -> str:
    """Returns the path that a path below the root leads to.

    `text_of` gives the text of the symlink at a path, None for anything else. What is not there is taken as
    it is written. Raises TooManyLinksError.
    """
    passed = 0
    here, waiting = "", _parts(path)
    while waiting:
        part, *waiting = waiting
        folder, here = here, f"{here}/{part}" if here else part
        text = text_of(here)
        if text is None:
            continue
        passed += 1
        if passed > _MOST:
            raise TooManyLinksError(path)
        target = inside(text if text.startswith("/") else f"{folder}/{text}")
        here, waiting = "", [*_parts(target), *waiting]
    return here


def is_plain(text: str) -> bool:
    """Tells whether a symlink's text means the same read as text and walked: `a/../b` may not."""
    names = [part for part in text.split("/") if part not in {"", "."}]
    while names and names[0] == "..":
        del names[0]
    return ".." not in names


def _parts(path: str) -> list[str]:
    return path.split("/") if path else []
