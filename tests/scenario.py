"""A small project and the real command line: what tests tell their stories with.

>>> fleet.image("api", "FROM busybox:stable")
>>> fleet.toml("[images.api]")
>>> assert "api" in fleet.inv("build --images api").ok().out
"""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

ROOT = Path(__file__).parents[1]

HEAD = """
[project]
registry = "{registry}"
owner = "{owner}"
version = "0.1.0"
"""


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def ok(self) -> Ran:
        """Asserts success and returns itself; a failure shows what was printed."""
        assert self.code == 0, f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"
        return self

    def failed(self, code: int) -> Ran:
        """Asserts this exit code, and that no traceback was shown."""
        assert self.code == code, (
            f"exit {self.code}, not {code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"
        )
        assert "Traceback" not in self.err + self.out, self.err
        return self


@dataclass
class Fleet:
    """A project folder, and the environment its commands run in (the test's own, not the machine's)."""

    root: Path
    env: dict[str, str]
    registry: str = "localhost:1"
    owner: str = "acme"
    _written: list[Path] = field(default_factory=list)

    def file(self, path: str, text: str | bytes = "", mode: int = 0o644) -> Path:
        """Writes a file of the project (text is dedented)."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else dedent(text).lstrip("\n").encode())
        target.chmod(mode)
        return target

    def toml(self, text: str, head: str = HEAD) -> Path:
        """Writes build.toml: the usual [project] table, then `text`."""
        return self.file("build.toml", head.format(registry=self.registry, owner=self.owner) + dedent(text))

    def image(self, name: str, dockerfile: str = "FROM busybox:stable\n") -> Path:
        """Writes docker/NAME/Dockerfile."""
        return self.file(f"docker/{name}/Dockerfile", dockerfile)

    def inv(self, line: str, env: Mapping[str, str] | None = None, cwd: str = ".") -> Ran:
        """Runs the real command line in this process: fast, and as deep as a process of its own."""
        from tasks.cli import program

        out, err = io.StringIO(), io.StringIO()
        before, environ = Path.cwd(), dict(os.environ)
        os.chdir(self.root / cwd)
        os.environ.clear()
        os.environ.update(self.env | dict(env or {}))
        try:
            with redirect_stdout(out), redirect_stderr(err):
                program.run(["argosy", *shlex.split(line)], exit=True)
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        finally:
            os.chdir(before)
            os.environ.clear()
            os.environ.update(environ)
        return Ran(code, out.getvalue(), err.getvalue())

    def run(self, *argv: str, env: Mapping[str, str] | None = None, cwd: str = ".", **options: Any) -> Ran:
        """Runs any program in the project's folder and environment."""
        done = subprocess.run(
            argv,
            cwd=self.root / cwd,
            env=self.env | dict(env or {}),
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, line: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Starts the command line in a process of its own, for tests that interrupt it."""
        return subprocess.Popen(
            [sys.executable, "-m", "tasks.cli", *shlex.split(line)],
            cwd=self.root,
            env=self.env | {"PYTHONPATH": str(ROOT)} | dict(env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def under_test(self) -> list[str]:
        """The containers, running or not, in which `inv test` has an image of this fleet.

        Other fleets may be under test in the same engine, so one of theirs may be gone before it is looked at.
        """
        listed = self.run("docker", "ps", "-aq", "--filter", "label=dev.argosy.test").ok().out.split()
        if not listed:
            return []
        named = (
            self.run("docker", "image", "ls", "--no-trunc", "--format", "{{.Repository}} {{.ID}}").ok().out
        )
        mine = {self.owner} | {line.split()[1] for line in named.splitlines() if self.owner in line}
        found = self.run("docker", "container", "inspect", "--format", "{{.Id}} {{.Config.Image}}", *listed)
        return [line for line in found.out.splitlines() if any(word in line for word in mine)]

    def git(self, *arguments: str) -> str:
        """Runs git in the project."""
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        return self.run("git", *identity, *arguments).ok().out.strip()

    def commit(self, message: str = "a change") -> str:
        """Commits everything (making the repository if there is none) and returns the commit."""
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")
