"""The documents as programs: their files are written, their commands run, what they show is compared.

Conventions of every page (README.md and docs/):
- A ```console block holds commands, each behind `$ `, and below each what it prints. A command with nothing
  below it may print anything. `…` stands for any text in a line; a line of `…` alone for any number of lines.
- A command may fail only where the next one is `echo $?`, so that the page shows the exit code.
- A block whose first line is `# PATH` is a file, written into the current folder.
- `<!-- cd FOLDER -->` goes to another folder (made if need be), unseen by the reader.
- `~/argosy` is a checkout of Argosy; pages start in the empty folder ~/project.
What differs from run to run is not compared: times, sizes, shares, digests, ports, dates, the space between columns.

    python -m tests.pages [--write] PAGE...      shows what differs; --write puts what was printed into the page
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent

from tests.scenario import ROOT

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$|^<!-- cd (?P<folder>\S+) -->$",
    re.MULTILINE | re.DOTALL,
)
PATH_LINE = re.compile(r"^# (?P<path>[\w./-]*(?:[./]\w+|Makefile|Dockerfile|VERSION))\n")
OWNER, DEMO = "acme", "argosy"
"""The owners of the pages' images and of the demo fleet's; in a run each has a name of its own."""
REGISTRY = "localhost:5000"
PATIENCE = 120.0
"""Seconds that one command may take."""

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


def own_name(owner: str) -> str:
    """Makes an owner of this run: as long as the given one, so that columns stay where they are; no word at all."""
    return "q" + "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in owner[1:])


@dataclass
class World:
    """A home folder with a checkout in it, and the one shell in which a page's commands run."""

    home: Path
    environ: Mapping[str, str]
    owner: str = field(default_factory=lambda: own_name(OWNER))
    demo: str = field(default_factory=lambda: own_name(DEMO))

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "project").mkdir()
        furnish(self.home / "argosy", self.demo)
        self.shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=self.home / "project",
            env={**self.environ, "HOME": str(self.home), "XDG_STATE_HOME": str(self.home / ".local/state")},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self.folder = self.home / "project"

    def run(self, command: str) -> tuple[int, str]:
        """Runs one command; returns its exit status and what it printed."""
        mark = f"--{uuid.uuid4().hex}--"
        end = f"\n}} </dev/null; __s=$?; printf '%s %s %s\\n' {mark} $__s \"$PWD\"; (exit $__s)\n"
        assert self.shell.stdin
        self.shell.stdin.write(f"{{ {self._own(command)}{end}".encode())
        self.shell.stdin.flush()
        out = self._read(mark, command)
        printed, _, rest = out.rpartition(mark)
        status, folder = rest.strip().split(" ", 1)
        self.folder = Path(folder)
        back = re.sub(rf"\b{self.owner}\b", OWNER, printed.replace(self.demo, DEMO)).replace(
            str(self.home), "~"
        )
        return int(status), back

    def write(self, path: str, text: str) -> None:
        """Writes a file into the current folder."""
        target = (self.folder / path).resolve()
        assert target.is_relative_to(self.home.resolve()), f"{path} would be written outside the page's home"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self._own(text))
        if text.startswith("#!"):
            target.chmod(0o755)

    def close(self) -> None:
        """Ends the shell and whatever it left running."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.communicate()

    def _own(self, text: str) -> str:
        """Gives a page's owner a name of this run, so that pages and checkouts share a registry."""
        return re.sub(rf"\b{OWNER}\b", self.owner, text)

    def _read(self, mark: str, command: str) -> str:
        assert self.shell.stdout
        stream, deadline, out = self.shell.stdout.fileno(), time.monotonic() + PATIENCE, b""
        while not re.search(rb"%s .*\n" % mark.encode(), out):
            ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(stream, 65536) if ready else b""
            assert piece, f"`{command}` did not end within {PATIENCE:.0f} s; it printed:\n{out.decode()}"
            out += piece
        return out.decode()


def furnish(folder: Path, owner: str) -> None:
    """Makes a checkout to read from: the real files, but scripts and environment (so the engine) of this one.

    Its demo fleet has an owner of its own, so that the README's build is always a first one.
    """
    folder.mkdir()
    for name in (
        "Makefile",
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "build.toml",
        "tasks.py",
        ".dockerignore",
    ):
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, folder)
    for name in ("tasks", "docker", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "scripts").symlink_to(ROOT / "scripts")
    for file in (folder / "build.toml", *(folder / "docker").rglob("*Dockerfile*")):
        text = file.read_text().replace(f'owner = "{DEMO}"', f'owner = "{owner}"')
        file.write_text(re.sub(rf"\b{DEMO}/", f"{owner}/", text))
    # Its environment is a folder of its own, up to date, that lends the programs: whatever a page does to it (a make
    # target that thinks it stale would clear it), ours stays as it is.
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (folder / ".venv" / ".ready").touch()


@dataclass(frozen=True)
class Difference:
    """A command that did not do what its page says."""

    command: Command
    status: int
    printed: str
    problem: str


def play(page: Path, world: World, not_run: Mapping[str, str]) -> Iterator[Difference]:
    """Writes a page's files and runs its commands, except those of `not_run`; yields what differs."""
    for step in steps(page):
        if step.folder:
            world.run(f"mkdir -p {step.folder} && cd {step.folder}")
        elif step.path:
            world.write(step.path, step.text)
        failed: Difference | None = None
        for command in step.commands:
            if command.text in not_run:
                continue
            if failed and command.text != "echo $?":
                yield failed
            status, printed = world.run(command.text)
            failed = None
            if command.shown is not None and not same(command.shown, printed):
                yield Difference(command, status, printed, "prints something else")
            elif status:
                failed = Difference(command, status, printed, f"ends with exit {status}")
        if failed:
            yield failed


def told(page: Path, difference: Difference) -> str:
    """Words a difference for a person."""
    command = difference.command
    shown = indent(command.shown or "(nothing)", "  | ")
    printed = indent(difference.printed.rstrip("\n"), "  | ")
    where = f"{page.relative_to(ROOT)}:{command.line}"
    return f"{where}: `{command.text}` {difference.problem}\n  the page shows\n{shown}\n  printed\n{printed}"


def rewrite(page: Path, difference: Difference) -> None:
    """Puts what was printed into the page; where the page left a beginning out, progress stays left out."""
    printed = difference.printed.strip("\n")
    shown = difference.command.shown
    # What went wrong today is no documentation.
    if shown is None or "\n…\n" in shown or "Traceback (most recent call last)" in printed:
        return
    if shown.startswith("…\n") and "\nIMAGE" in printed:
        printed = "…\nIMAGE" + printed.partition("\nIMAGE")[2]
    printed = re.sub(r"(localhost:\d+)(/[^\s,]+(?:, [^\s,]+)*)", _aligned, printed)
    printed = "\n".join(line.rstrip() for line in printed.splitlines())
    text = page.read_text()
    page.write_text(
        text.replace(f"$ {difference.command.text}\n{shown}", f"$ {difference.command.text}\n{printed}", 1)
    )


def _aligned(match: re.Match[str]) -> str:
    """Puts the pages' registry in the place of this one's, and keeps the column as wide as it was."""
    return f"{REGISTRY}{match[2]}{' ' * (len(match[1]) - len(REGISTRY))}"


def main() -> int:
    """Plays pages and shows, or writes down, what differs."""
    from tests.conftest import started  # the engine is only wanted here
    from tests.test_docs import NOT_RUN, surroundings

    parser = argparse.ArgumentParser(prog="python -m tests.pages", description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    found = 0
    for given in chosen.pages:
        page = given.resolve()
        with tempfile.TemporaryDirectory() as folder:
            world = World(Path(folder) / "home", surroundings(started().env, page))
            try:
                for difference in play(page, world, NOT_RUN.get(str(page.relative_to(ROOT)), {})):
                    found += 1
                    print(told(page, difference), flush=True)
                    if chosen.write:
                        rewrite(page, difference)
            finally:
                world.close()
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
