r"""The heredocs of a RUN, COPY or ADD line: which ones it opens, and their bodies in the lines below.

It knows neither instructions nor stages. The rules are BuildKit's, whose idea of a heredoc is its own and not
the shell's (frontend/dockerfile/parser/parser.go): `<<"<<X"` opens none, `<<\X` still expands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .words import ExpansionError, split

_OPENING = re.compile(r"\d*<<(?P<chomp>-?)(?P<blanks>\s*)(?P<word>[^<]*)")


class UnendedHeredocError(ValueError):
    """A heredoc whose closing line is missing; the message is its name."""


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One heredoc: its closing word, and its body as it stands in the file, line ends included."""

    name: str
    content: str
    expand: bool
    """Whether variables in the body are expanded (the closing word was not quoted)."""
    chomp: bool
    """Whether leading tabs are dropped (`<<-`)."""

    @property
    def text(self) -> str:
        """The body as COPY, ADD and a RUN of one heredoc use it: leading tabs dropped where `<<-` says so."""
        return re.sub(r"^\t+", "", self.content, flags=re.MULTILINE) if self.chomp else self.content


def is_opening(word: str) -> bool:
    """Tells whether a word of a COPY or ADD opens a heredoc, and is no path."""
    return re.fullmatch(r"\d*<<-?[^<]+", word) is not None


def bodies(line: str, below: Sequence[str]) -> tuple[tuple[Heredoc, ...], int]:
    """Returns the heredocs that `line` opens and how many of the lines `below` (with their ends) they take.

    Raises UnendedHeredocError where a body has no end.
    """
    found: list[Heredoc] = []
    taken = 0
    for heredoc, spaced in _openings(line):
        end = _end(heredoc, below, taken)
        if end is None:
            # Frontends before 1.16 do not see `<< X` as a heredoc; without an end it is `1 << 2` to all.
            if spaced:
                continue
            raise UnendedHeredocError(heredoc.name)
        found.append(replace(heredoc, content="".join(below[taken:end])))
        taken = end + 1
    return tuple(found), taken


def _end(heredoc: Heredoc, below: Sequence[str], start: int) -> int | None:
    for number in range(start, len(below)):
        line = below[number].rstrip("\r\n")
        if (line.lstrip("\t") if heredoc.chomp else line) == heredoc.name:
            return number
    return None


def _openings(line: str) -> list[tuple[Heredoc, bool]]:
    try:
        words = split(line, keep_quotes=True, keep_escapes=True)
    except ExpansionError:
        return []
    return [opening for word in words if (opening := _opening(word))]


def _opening(word: str) -> tuple[Heredoc, bool] | None:
    match = _OPENING.fullmatch(word)
    if not match or not match["word"]:
        return None
    plain = split(match["word"], keep_quotes=False, keep_escapes=False)
    if len(plain) != 1:
        return None
    [quoted] = split(match["word"], keep_quotes=True, keep_escapes=False)
    expand = _quotes(plain[0]) == _quotes(quoted)
    return Heredoc(plain[0], "", expand=expand, chomp=bool(match["chomp"])), bool(match["blanks"])


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')
