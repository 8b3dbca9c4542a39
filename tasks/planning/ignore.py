"""Docker's ignore rules: what of a build context BuildKit is never sent.

Pure: the text of an ignore file in, an answer for a path out. The rules are those of moby/patternmatcher and
of the walk over it in tonistiigi/fsutil (filter.go), quirks included: patterns are rooted, the last match
wins, and a folder's fate is asked for before that of what lies in it. It knows no file system.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import ConfigError
from .blanks import SPACE
from .globs import PatternError, character_class, class_regex, cleaned, matcher

NAME = ".dockerignore"
# What stands for itself in Go's regular expressions once it is escaped.
_ESCAPABLE = r"[^a-zA-Z0-9\x80-\U0010ffff]"
# What is not literal in a pattern with wildcards: patternmatcher means to escape | and {2} and does not, and
# to Go all bytes that are not UTF-8 are the same character.
_ACTIVE = re.compile(r"\||\{\d+(?:,\d*)?\}|[\udc80-\udcff]")


class _UnclearError(ValueError):
    """A pattern that Go's regular expressions read in a way of their own."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of an ignore file; `exception` if it began with `!`."""

    text: str
    exception: bool
    regex: re.Pattern[str]
    start: str | None
    """The folder below which alone an exception can match, or None where that can be anywhere."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What is known of a folder when its entries are looked at: what matched it or a folder above it."""

    patterns: tuple[bool, ...]
    runs: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring patterns of one kind: for a file it does not matter which of them matches."""

    first: int
    last: int
    exception: bool
    regex: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns of one ignore file, in order. `note` says why nothing is left out where that is so."""

    patterns: tuple[Pattern, ...] = ()
    note: str = ""
    _runs: tuple[_Run, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_runs", _runs(self.patterns))

    def excludes(self, path: str) -> bool:
        """Tells whether a path of the context ("a/b", as the file system has it) is left out.

        A folder that is left out is still sent, as an empty shell, for what an exception keeps below it.
        """
        above = self.top()
        for slash in re.finditer("/", path):
            _, inside = self.folder(path[: slash.start()], above)
            if inside is None:
                return True
            above = inside
        return self.file(path, above)

    def top(self) -> Folder:
        """Returns what is known of the context's root."""
        return self._folder([False] * len(self.patterns))

    def file(self, path: str, above: Folder) -> bool:
        """Tells whether anything but a folder is left out, given what is known of the folder it is in."""
        out = False
        for run, hit in zip(self._runs, above.runs, strict=True):
            if hit or (out is run.exception and run.regex.fullmatch(path)):
                out = not run.exception
        return out

    def folder(self, path: str, above: Folder) -> tuple[bool, Folder | None]:
        """Returns whether a folder is left out, and what to know in it: None if nothing in it can be sent."""
        out, matched = False, list(above.patterns)
        for number, pattern in enumerate(self.patterns):
            # fsutil passes over a pattern that would change nothing, and then does not remember it below.
            if not matched[number] and pattern.exception is out:
                matched[number] = pattern.regex.fullmatch(path) is not None
            if matched[number]:
                out = not pattern.exception
        return out, None if out and not self._reaches(path) else self._folder(matched)

    def _folder(self, matched: list[bool]) -> Folder:
        return Folder(tuple(matched), tuple(any(matched[run.first : run.last]) for run in self._runs))

    def _reaches(self, folder: str) -> bool:
        exceptions = [pattern for pattern in self.patterns if pattern.exception]
        starts = [pattern.start for pattern in exceptions if pattern.start is not None]
        return len(starts) < len(exceptions) or any(f"{start}/".startswith(f"{folder}/") for start in starts)


def ignore_files(context: str, dockerfile: str | None = None) -> tuple[str, ...]:
    """Returns the paths an ignore file can have, the first that is there holds, even if it is empty.

    `dockerfile` belongs to the main context, wherever it lies; a named context has none.
    """
    own = (f"{dockerfile}{NAME}",) if dockerfile else ()
    return (*own, NAME if context in {"", "."} else f"{context.rstrip('/')}/{NAME}")


def read(text: str, where: str = NAME) -> Rules:
    """Reads an ignore file; `where` is its name in messages.

    Bytes that are not UTF-8 come as Python has them in file names (surrogateescape). Raises ConfigError for
    what BuildKit refuses. A pattern whose meaning is not certain leaves nothing out at all, with a note.
    """
    patterns: list[Pattern] = []
    note = ""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        word = "" if line.startswith("#") else _normal(line.strip(SPACE)).strip(SPACE)
        try:
            if word:
                patterns.append(_pattern(cleaned(word)))
        except PatternError:
            remedy = "name something behind a !, close the [ of a class, escape nothing at the end"
            raise ConfigError(f"{where}:{number}: {line.strip()} is no pattern; {remedy}") from None
        except _UnclearError:
            note = f"{where}:{number}: the meaning of {line.strip()} is not certain, so nothing is left out"
    return Rules((), note) if note else Rules(tuple(patterns))


def _normal(word: str) -> str:
    """Returns a line as ignorefile.ReadAll hands it on: cleaned, and without a leading slash."""
    mark = "!" if word.startswith("!") else ""
    rest = word[len(mark) :].strip(SPACE)
    rest = cleaned(rest) if rest else ""
    return mark + (rest[1:] if rest.startswith("/") and rest != "/" else rest)


def _pattern(word: str) -> Pattern:
    """Reads a line as patternmatcher.New does. Only now a `!` counts: `./!a` is an exception too."""
    text = word.removeprefix("!")
    if not text:
        raise PatternError(word)
    matcher(text)  # for what Go calls malformed
    start = text.removesuffix("/**").removesuffix("/*")
    anywhere = any(char in start for char in "*[]?^\\")
    return Pattern(text, word.startswith("!"), re.compile(_expression(text)), None if anywhere else start)


def _runs(patterns: Sequence[Pattern]) -> tuple[_Run, ...]:
    runs: list[_Run] = []
    first = 0
    for end in range(1, len(patterns) + 1):
        if end == len(patterns) or patterns[end].exception is not patterns[first].exception:
            together = "|".join(f"(?:{pattern.regex.pattern})" for pattern in patterns[first:end])
            runs.append(_Run(first, end, patterns[first].exception, re.compile(together)))
            first = end
    return tuple(runs)


def _expression(pattern: str) -> str:
    """Returns a pattern as patternmatcher's compile() understands it; there are four kinds of patterns."""
    expression, kind = _translated(pattern)
    if kind == "exact":
        return re.escape(pattern)
    if kind == "prefix":
        return re.escape(pattern[:-2]) + r"[\s\S]*"
    if kind == "suffix":
        rest = pattern[2:]
        also = f"|{re.escape(rest[1:])}" if rest.startswith("/") else ""
        return rf"[\s\S]*{re.escape(rest)}{also}"
    return expression


def _translated(pattern: str) -> tuple[str, str]:
    expression, kind, position = "", "exact", 0
    while position < len(pattern):
        char, begin = pattern[position], position
        if char == "[":
            piece, position = _class(pattern, position)
            kind = "regex"
        elif char == "*" and pattern.startswith("**", position):
            position += 2 + pattern.startswith("/", position + 2)
            if position < len(pattern):
                piece, kind = "(?:.*/)?", "regex"
            else:
                piece, kind = ".*", "prefix" if kind == "exact" else "regex"
            kind = kind if begin else "suffix"
        elif char in "*?":
            piece, kind, position = "[^/]*" if char == "*" else "[^/]", "regex", position + 1
        elif char == "\\":
            piece, kind, position = _escaped(pattern[position + 1]), "regex", position + 2
        else:
            # Go leaves this one as it is, and so it asks for the beginning of the path.
            piece, position = char if char == "^" else re.escape(char), position + 1
            kind = "regex" if char == "]" else kind
        expression += piece
    if kind == "regex" and _ACTIVE.search(pattern):
        raise _UnclearError(pattern)
    return expression, kind


def _class(pattern: str, position: int) -> tuple[str, int]:
    """Returns a class as a regular expression, and the position after it."""
    negated, ranges, end = character_class(pattern, position)
    # Go's matcher goes on rewriting `*` and `?` in here, and its regular expressions know [:alpha:] and \d.
    inside = re.sub(rf"\\{_ESCAPABLE}", "", pattern[position + 1 : end - 1])
    if re.search(r"[*?\\]|\[:", inside) or any(low > high for low, high in ranges):
        raise _UnclearError(pattern)
    return class_regex(negated, ranges), end


def _escaped(char: str) -> str:
    if re.fullmatch(_ESCAPABLE, char):
        return re.escape(char)
    raise _UnclearError(char)
