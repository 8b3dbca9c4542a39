"""Reads a Dockerfile's text into stages and instructions, true to BuildKit's own parser.

Text in, values out: it opens no file and expands no variable. Where frontends differ it follows the newest
(docker/dockerfile 1.x), and accepts what an older one accepts. Flags are taken as they come, known or not: a
newer frontend may have more of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from ..errors import ConfigError
from .blanks import SPACE
from .heredocs import Heredoc, UnendedHeredocError, bodies
from .instruction import Instruction, parse

__all__ = ["Dockerfile", "Heredoc", "Instruction", "Stage", "read", "targets"]

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = ("syntax", "escape", "check")
# BuildKit also looks the name up among named contexts, so it must be a part of a reference.
_STAGE_NAME = re.compile(r"[a-z][a-z0-9]*(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_CONTINUED = {
    "\\": re.compile(r"(^|[^\\])\\[ \t]*\Z"),
    "`": re.compile(r"(^|[^`])`[ \t]*\Z"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it, as written: `base` and `platform` hold unexpanded variables."""

    index: int
    name: str
    """Lower-case; "" for a stage without AS."""
    base: str
    platform: str
    """The value of --platform, or ""."""
    instructions: tuple[Instruction, ...]
    line: int

    @property
    def label(self) -> str:
        """What BuildKit calls the stage: its name, or `stage-0` by its index."""
        return self.name or f"stage-{self.index}"


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A whole file; `where` is its name in messages."""

    where: str
    directives: Mapping[str, str]
    """The parser directives at the top (syntax, escape, check)."""
    globals: tuple[Instruction, ...]
    """The ARGs before the first FROM."""
    stages: tuple[Stage, ...]
    text: str = ""
    """All of it, for a frontend that reads it in another way."""

    @property
    def escape(self) -> str:
        """The character that escapes and continues lines: a backslash unless the file says otherwise."""
        return self.directives.get("escape", "\\")

    def place(self, line: int) -> str:
        """Returns `file:line` for messages."""
        return f"{self.where}:{line}"

    def named(self, name: str, before: int | None = None) -> Stage | None:
        """Returns the last stage of that lower-case name, among those before an index if one is given."""
        stages = self.stages[:before]
        return next((stage for stage in reversed(stages) if stage.name and stage.name == name), None)


def targets(dockerfile: Dockerfile) -> tuple[str, ...]:
    """Returns the names that `target` can have, in file order. Stages without a name cannot be targets."""
    return tuple(dict.fromkeys(stage.name for stage in dockerfile.stages if stage.name))


@cache  # one Dockerfile is often that of many images, and asked for by several rooms
def read(text: str, where: str) -> Dockerfile:
    """Reads a Dockerfile; `where` is its name in messages.

    The text must have its line ends as they are in the file (CRLF kept: heredocs carry them). Raises
    ConfigError with file and line for what BuildKit's parser refuses.
    """
    if not text:
        raise ConfigError(f"{where}: the Dockerfile is empty; it needs at least a FROM")
    lines = [line + "\n" for line in text.removeprefix("\ufeff").split("\n")]
    lines[-1] = lines[-1][:-1]
    directives = _directives(lines, where)
    if lines[0].startswith("#!"):
        # BuildKit passes over such a line where it looks for the frontend, and nowhere else (parser/directives.go).
        directives |= {key: it for key, it in _directives(lines[1:], where).items() if key == "syntax"}
    global_args: list[Instruction] = []
    froms: list[Instruction] = []
    inside: list[list[Instruction]] = []
    for instruction in _instructions(lines, directives.get("escape", "\\"), where):
        if instruction.keyword == "FROM":
            froms.append(instruction)
            inside.append([])
        elif inside:
            inside[-1].append(instruction)
        elif instruction.keyword == "ARG":
            global_args.append(instruction)
        else:
            place = f"{where}:{instruction.line}"
            raise ConfigError(
                f"{place}: {instruction.keyword} before the first FROM; only ARG can stand there"
            )
    if not froms:
        raise ConfigError(f"{where}: there is no FROM, so nothing to build")
    stages = [
        _stage(i, start, body, where) for i, (start, body) in enumerate(zip(froms, inside, strict=True))
    ]
    return Dockerfile(where, directives, tuple(global_args), tuple(stages), text)


def _stage(index: int, start: Instruction, inside: list[Instruction], where: str) -> Stage:
    place, words = f"{where}:{start.line}", start.arguments
    named = len(words) == 3 and words[1].lower() == "as"
    if not named and len(words) != 1:
        raise ConfigError(f"{place}: FROM takes one image, or an image, AS and a name; here: {start.text}")
    name = words[2].lower() if named else ""
    if named and not _STAGE_NAME.fullmatch(name):
        allowed = "a letter, then letters and digits, with - _ . between them"
        raise ConfigError(f'{place}: "{words[2]}" cannot name a stage ({allowed})')
    return Stage(index, name, words[0], start.flag("platform") or "", tuple(inside), start.line)


def _directives(lines: list[str], where: str) -> dict[str, str]:
    """Reads `# name=value` lines at the very top; the first line that is none ends them."""
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _DIRECTIVE.fullmatch(line.strip())
        name = match[1].lower() if match else ""
        if not match or name not in _DIRECTIVES:
            break
        if name in found:
            raise ConfigError(f"{where}:{number}: the {name} directive can be given only once")
        if name == "escape" and match[2] not in _CONTINUED:
            raise ConfigError(f'{where}:{number}: escape can be \\ or `, not "{match[2]}"')
        found[name] = match[2]
    return found


def _instructions(lines: list[str], escape: str, where: str) -> Iterator[Instruction]:
    position = 0
    while position < len(lines):
        first = position + 1
        line, position = _joined(lines, position, _CONTINUED[escape])
        if line is None:
            continue
        instruction = parse(line, escape, first, where)
        heredocs: tuple[Heredoc, ...] = ()
        if "<<" in line and instruction.takes_heredocs:
            try:
                heredocs, taken = bodies(line, lines[position:])
            except UnendedHeredocError as unended:
                missing = f"no line below consists of {unended} alone"
                message = f'{where}:{first}: the heredoc "{unended}" is never ended: {missing}'
                raise ConfigError(message) from None
            position += taken
        yield instruction.finished(heredocs, position)


def _joined(lines: list[str], position: int, continued: re.Pattern[str]) -> tuple[str | None, int]:
    """Returns the instruction that begins at a line, its continuations joined, and the position after it."""
    line = lines[position].strip("\r\n").lstrip(SPACE)
    position += 1
    if not line or line.startswith("#"):
        return None, position
    joined = ""
    while match := continued.search(line):
        joined += line[: match.end(1)]
        line = ""
        # Comments and empty lines inside a continuation are passed over and do not end it.
        while position < len(lines):
            line = lines[position].rstrip("\r\n")
            position += 1
            if line.strip(SPACE) and not line.lstrip(SPACE).startswith("#"):
                break
            line = ""
    return joined + line, position
