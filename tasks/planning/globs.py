"""Go's rules for paths and patterns, which Docker's own follow: filepath.Clean and filepath.Match.

Texts in, texts out: it knows no file system, no ignore file and no COPY.
"""

from __future__ import annotations

import re

# `[`, an optional `^`, at least one item: a character or an escaped one, or a range of two of them.
_ITEM = re.compile(r"(\\.|[^\\\]-])(?:-(\\.|[^\\\]-]))?", re.DOTALL)
_CLASS = re.compile(rf"\[(\^|(?!\^))((?:{_ITEM.pattern})+)\]", re.DOTALL)
_WILD = re.compile(r"(?:\\.|[^\\*?[])*[*?[]", re.DOTALL)

Ranges = list[tuple[str, str]]


class PatternError(ValueError):
    """A pattern that Go calls malformed; the message names it."""


def cleaned(path: str) -> str:
    """Returns the shortest path of the same meaning, as filepath.Clean does: no `.`, `//` or inner `..`."""
    rooted = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."} and not (part == ".." and rooted):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def has_wildcard(text: str) -> bool:
    """Tells whether Go takes the text for a pattern: an unescaped `*`, `?` or `[` is in it."""
    return bool(_WILD.match(text))


def character_class(pattern: str, position: int) -> tuple[bool, Ranges, int]:
    """Reads the class that opens at `position`: (negated, ranges, the position after it).

    Raises PatternError where filepath.Match does.
    """
    found = _CLASS.match(pattern, position)
    if not found:
        raise PatternError(pattern)
    ranges = [(low[-1], (high or low)[-1]) for low, high in _ITEM.findall(found[2])]
    return bool(found[1]), ranges, found.end()


def class_regex(negated: bool, ranges: Ranges) -> str:
    """Returns a class as a regular expression; a range that runs backwards holds nothing."""
    inside = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in ranges if low <= high)
    if not inside:
        return r"[\s\S]" if negated else "(?!)"
    return f"[{'^' if negated else ''}{inside}]"


def matcher(pattern: str) -> re.Pattern[str]:
    """Returns filepath.Match's reading of a pattern, for `fullmatch`: `*` and `?` stop at a slash.

    A class does not: `[^a]` takes a slash too. Raises PatternError for a malformed pattern.
    """
    expression, position = "", 0
    while position < len(pattern):
        char = pattern[position]
        if char == "[":
            negated, ranges, position = character_class(pattern, position)
            expression += class_regex(negated, ranges)
            continue
        position += 1
        if char == "*":
            expression += "[^/]*"
        elif char == "?":
            expression += "[^/]"
        elif char != "\\":
            expression += re.escape(char)
        elif position < len(pattern):
            expression += re.escape(pattern[position])
            position += 1
        else:
            raise PatternError(pattern)
    return re.compile(expression)
