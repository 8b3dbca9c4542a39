"""One instruction of a Dockerfile: its keyword, flags and arguments, taken from one joined line.

It knows nothing of stages, scopes or files. Variables stay unexpanded.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from ..errors import ConfigError, available, nearest
from .arguments import ArgumentError, Arguments, arguments, flags, keyword_of
from .heredocs import Heredoc, is_opening

_AT_LEAST = {"ADD": 2, "ARG": 1, "COPY": 2, "ENV": 1, "EXPOSE": 1, "HEALTHCHECK": 1, "LABEL": 1}
_AT_LEAST |= {
    "MAINTAINER": 1,
    "ONBUILD": 1,
    "SHELL": 1,
    "STOPSIGNAL": 1,
    "USER": 1,
    "VOLUME": 1,
    "WORKDIR": 1,
}
KEYWORDS = tuple(sorted({*_AT_LEAST, "CMD", "ENTRYPOINT", "FROM", "RUN"}))


@dataclass(frozen=True, slots=True)
class Instruction:
    """What one instruction says. Lines count from 1 and include continuations and heredocs."""

    keyword: str
    """Upper-case, whatever the file has."""
    flags: tuple[tuple[str, str], ...]
    """(name, value) in order, without the dashes; the value is "" for a bare flag (`--link`)."""
    arguments: tuple[str, ...]
    """The JSON list, the words, `NAME=value` words (quotes kept), or the whole rest as one text (RUN …)."""
    exec_form: bool
    """Whether the arguments were a JSON list."""
    text: str
    """What BuildKit's result depends on: comments, spacing between words and the keyword's case are gone.
    Two instructions with one text mean the same; the bodies of heredocs are part of it."""
    line: int
    end: int = 0
    heredocs: tuple[Heredoc, ...] = ()
    trigger: Instruction | None = None
    """What an ONBUILD will run. BuildKit checks it only when it runs, so its keyword may be unknown."""

    def flag(self, name: str) -> str | None:
        """Returns the value of the flag, "" if it is bare, or None if it is not there."""
        return next(iter(self.flag_values(name)), None)

    def flag_values(self, name: str) -> tuple[str, ...]:
        """Returns every value of a flag that may be repeated (`--mount`), in order."""
        return tuple(value for known, value in self.flags if known == name)

    def pairs(self) -> tuple[tuple[str, str | None], ...]:
        """Returns the names and unexpanded values of ARG, ENV or LABEL; None where ARG gives no default."""
        split = (argument.partition("=") for argument in self.arguments)
        return tuple((name, value if equals else None) for name, equals, value in split)

    @property
    def takes_heredocs(self) -> bool:
        """Whether `<<X` in it opens a heredoc."""
        inner = self.trigger or self
        return inner.keyword in {"ADD", "COPY", "RUN"} and not inner.exec_form

    def finished(self, heredocs: tuple[Heredoc, ...], end: int) -> Instruction:
        """Returns the instruction with the bodies of its heredocs and its last line."""
        text = "\n".join([self.text, *(heredoc.content + heredoc.name for heredoc in heredocs)])
        trigger = self.trigger.finished(heredocs, end) if self.trigger else None
        return replace(self, text=text, end=end, heredocs=heredocs, trigger=trigger)


def parse(line: str, escape: str, number: int, where: str, *, checked: bool = True) -> Instruction:
    """Reads a joined line, the file's line `number`, into an instruction that still lacks its heredocs.

    `checked=False` is for what follows ONBUILD: BuildKit looks at it when it runs. Raises ConfigError.
    """
    word, rest = keyword_of(line)
    keyword = word.upper()
    if checked and keyword not in KEYWORDS:
        hint = nearest(keyword, KEYWORDS)
        known = available("instructions", KEYWORDS, limit=len(KEYWORDS))
        raise ConfigError(f'{where}:{number}: unknown instruction "{word}"{hint}. {known}')
    flagged, rest = flags(rest, escape)
    trigger = None
    if keyword == "ONBUILD" and rest:
        trigger = parse(rest, escape, number, where, checked=False)
    try:
        found = arguments(keyword, rest, escape)
        if checked:
            _check(keyword, found, trigger)
    except ArgumentError as wrong:
        raise ConfigError(f"{where}:{number}: {keyword} {wrong}") from None
    text = " ".join(part for part in [keyword, *map(_shown, flagged), found.written] if part)
    pairs = tuple((name, value) for name, _, value in (flag[2:].partition("=") for flag in flagged))
    return Instruction(keyword, pairs, found.words, found.exec_form, text, number, trigger=trigger)


def _check(keyword: str, found: Arguments, trigger: Instruction | None) -> None:
    """Refuses what BuildKit's instructions package refuses (parse.go), flags aside."""
    words = found.words
    least = _AT_LEAST.get(keyword, 0)
    if len(words) < least:
        raise ArgumentError("needs a source and a destination" if least > 1 else "needs an argument")
    if keyword == "SHELL" and not found.exec_form:
        raise ArgumentError('needs a JSON list of strings, such as ["/bin/sh", "-c"]')
    if keyword == "VOLUME" and not all(word.strip() for word in words):
        raise ArgumentError("cannot have an empty path")
    if keyword == "HEALTHCHECK" and (words[0], len(words) > 1) not in {("CMD", True), ("NONE", False)}:
        raise ArgumentError("is either CMD with a command, or NONE alone")
    if keyword in {"ADD", "COPY"} and is_opening(words[-1]):
        raise ArgumentError("needs a destination after its heredocs")
    if trigger and trigger.keyword in {"ONBUILD", "FROM", "MAINTAINER"}:
        raise ArgumentError(f"cannot have {trigger.keyword} as its trigger")


def _shown(flag: str) -> str:
    # Its quotes are gone; without new ones `--chown="a b" c` and `--chown=a b c` would read the same.
    return json.dumps(flag) if re.search(r"[\s\"\\]", flag) else flag
