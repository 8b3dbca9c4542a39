"""The reader of a page: a home folder with a checkout in it, and the one shell in which the page's commands run."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.pages import DEMO, OWNER
from tests.scenario import ROOT

PATIENCE = 300.0
"""Seconds that one command may take."""


def own_name(owner: str) -> str:
    """Makes an owner of this run: as long as the given one, so that columns stay where they are; no word at all."""
    return "q" + "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in owner[1:])


@dataclass
class Reader:
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

    def sweep(self) -> None:
        """Takes this run's images out of the engine, if there is one."""
        names = self._docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
        mine = [name for name in names if {self.owner, self.demo} & set(name.split("/"))]
        if mine:
            self._docker("image", "rm", "--force", *mine)

    def _docker(self, *words: str) -> str:
        path = self.environ.get("PATH", "")
        if not shutil.which("docker", path=path):
            return ""
        done = subprocess.run(
            ["docker", *words], env=dict(self.environ), capture_output=True, text=True, check=False
        )
        return done.stdout

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
    for name in ("tasks", "docker", "docs", "tests/systems"):
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
