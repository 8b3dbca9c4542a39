"""Health checks that cannot fail, told from their text: such a container is healthy for ever, whatever it does.

It knows shells a little: what a line's status is, and what a search through processes finds. What it does not
understand it lets pass.
"""

from __future__ import annotations

import re
import shlex

RULE = "health"

# Commands that end with status 0 whatever they are given.
_ALWAYS = frozenset({"true", ":", "echo", "printf", "exit 0", "sleep", "date", "ls -la /", "ps"})
# What a pipe may end in without ever failing for what comes in.
_PASSIVE = frozenset(
    {"cat", "tee", "head", "tail", "wc", "sort", "uniq", "tr", "cut", "xargs", "true", "echo"}
)
_SEPARATORS = re.compile(r"\|\||&&|;|\n|\|")


def cannot_fail(command: str) -> str:
    """Returns in words why a health check's shell command cannot fail; "" if it may."""
    parts, separators = _parts(command)
    if not parts:
        return ""
    last, before = parts[-1], separators[-1] if separators else ""
    if _is_always(last) and before in {"||", ";", "\n"}:
        return f"it ends in `{before.strip() or ';'} {last}`, so its status is always 0"
    if _is_always(last) and not separators:
        return f"`{last}` always succeeds"
    if before == "|" and _first(last) in _PASSIVE and "pipefail" not in command:
        return f"a pipe's status is that of its last command, and `{_first(last)}` never fails"
    return _finds_itself(command, parts, separators)


def _finds_itself(command: str, parts: list[str], separators: list[str]) -> str:
    """The shell that runs the check has the check's own words on its command line."""
    for before, part, pipe in zip(parts, parts[1:], separators, strict=False):
        words = _words(part)
        searches = pipe == "|" and _first(before) == "ps" and words[:1] in (["grep"], ["egrep"])
        excluded = re.search(r"grep\s+(?:-\w*v\w*|--invert-match)\s+[\"']?grep", command)
        if searches and not excluded and not _is_bracketed(words):
            return (
                f"`{part}` finds the process that runs the check: its command line has the same words. Write the "
                "first letter as [x], or ask the service itself"
            )
    for part in parts:
        words = _words(part)
        whole = any(re.fullmatch(r"-\w*f\w*|--full", word) for word in words)
        if words[:1] == ["pgrep"] and whole and separators and not _is_bracketed(words):
            return (
                f"`{part}` finds the shell that runs the check: its command line has the same words. Write the "
                "first letter as [x], or ask the service itself"
            )
    return ""


def _parts(command: str) -> tuple[list[str], list[str]]:
    """Splits a line at what separates commands; what is quoted is left whole."""
    quiet = re.sub(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", lambda match: "\0" * len(match[0]), command)
    places = list(_SEPARATORS.finditer(quiet))
    starts, ends = [0, *(p.end() for p in places)], [*(p.start() for p in places), len(command)]
    pieces = [command[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    separators = [place[0] for place in places]
    while pieces and not pieces[-1]:
        pieces.pop()
        separators = separators[: max(len(pieces) - 1, 0)]
    return pieces, separators


def _is_always(part: str) -> bool:
    return part in _ALWAYS or _first(part) in {"true", ":", "echo", "printf"}


def _first(part: str) -> str:
    return next(iter(_words(part)), "")


def _words(part: str) -> list[str]:
    try:
        return shlex.split(part)
    except ValueError:
        return part.split()


def _is_bracketed(words: list[str]) -> bool:
    return any("[" in word for word in words[1:])
