"""The documents as values: the files and commands of a page, and whether what it shows is what was printed.

Conventions of every page (README.md and docs/):
- A ```console block holds commands, each behind `$ `, and below each what it prints. A command with nothing
  below it may print anything. `…` stands for any text in a line; a line of `…` alone for any number of lines.
- A command may fail only where the next one is `echo $?`, so that the page shows the exit code.
- A block whose first line is `# PATH` is a file, written into the current folder.
- `<!-- cd FOLDER -->` goes to another folder (made if need be), unseen by the reader.
- `~/argosy` is a checkout of Argosy; pages start in the empty folder ~/project.
What differs from run to run is not compared: times, sizes, shares, digests, ports, dates, the space between columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$|^<!-- cd (?P<folder>\S+) -->$",
    re.MULTILINE | re.DOTALL,
)
PATH_LINE = re.compile(r"^# (?P<path>[\w./-]*(?:[./][\w-]+|Makefile|Dockerfile|VERSION))\n")
OWNER, DEMO = "acme", "argosy"
"""The owners of the pages' images and of the demo fleet's; in a run each has a name of its own."""
REGISTRY = "localhost:5000"
VARYING = (
    (re.compile(r"\b[0-9]{8}-[0-9]{6}-[0-9]+-"), "DATE-"),
    (re.compile(r"-[0-9a-f]{10}(?=/logs)"), "-KEY"),
    (re.compile(r"\b(sha256:)?[0-9a-f]{12}[0-9a-f]*…?"), "DIGEST"),
    (re.compile(r"(?:\b\d+ [hm] )?\b[\d.]+ [hms]\b"), "N s"),
    (re.compile(r"\b[\d.]+ ([kMGT]?B)\b"), "N B"),
    (re.compile(r"\b\d+ %"), "N %"),
    (re.compile(r"\b\d+/\d+ cached"), "N/N cached"),
    (re.compile(r"localhost:\d+"), REGISTRY),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True)
class Command:
    """One command of a page, what the page says it prints (None: nothing is said), and its line."""

    text: str
    shown: str | None
    line: int


@dataclass(frozen=True)
class Step:
    """One block of a page: a file, commands, a move to another folder, or text in a language."""

    line: int
    language: str = ""
    text: str = ""
    path: str = ""
    folder: str = ""
    commands: tuple[Command, ...] = ()


def steps(page: Path) -> Iterator[Step]:
    """Yields the blocks of a page in order."""
    text = page.read_text()
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["folder"]:
            yield Step(line, folder=match["folder"])
            continue
        body = dedent(match["text"])
        if match["language"] == "console":
            yield Step(line, "console", body, commands=tuple(_commands(body, line + 1)))
        elif found := PATH_LINE.match(body):
            yield Step(line, match["language"], body.removeprefix(found[0]), path=found["path"])
        else:
            yield Step(line, match["language"], body)


def _commands(block: str, line: int) -> Iterator[Command]:
    for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE):
        if part.startswith("$ "):
            lines = part[2:].splitlines()
            # A line that ends in a backslash goes on in the next one, as in a shell.
            end = next(number for number, text in enumerate(lines) if not text.endswith("\\")) + 1
            said = "\n".join(lines[end:]).strip("\n")
            yield Command("\n".join(lines[:end]), said or None, line)
        line += part.count("\n")


def same(shown: str, printed: str) -> bool:
    """Tells whether what a page shows is what was printed, apart from what varies and what is left out."""
    pattern = ""
    for line in _plain(shown).splitlines():
        if line == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += "[^\n]*".join(map(re.escape, line.split("…"))) + "\n"
    return re.fullmatch(pattern, _plain(printed) + "\n") is not None


def _plain(text: str) -> str:
    # A digest that the program itself shortens ends in the same sign that leaves out: it goes first.
    for varying, word in VARYING:
        text = varying.sub(word, text)
    return "\n".join(line.strip() for line in text.strip("\n").splitlines())
