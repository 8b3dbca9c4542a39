"""Containers of images under test: started, asked, and in any case removed, with all that came with them.

Every container bears the label of its run, and by that all of them are found in the end, also those whose start was
cut short. Ports are random ones on the loopback. What the containers are asked is checks/'s matter.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import host, images, processes
from .docker import ask, explain, program

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..model import Client

LABEL = "dev.argosy.test"
PROJECT = "com.docker.compose.project"
"""The label that compose gives to all that it makes."""
_SWEEPS = 3
_UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class StoppingError(Exception):
    """The run is being ended: whoever works in it is to come back."""


class Berths:
    """All containers of one run; at its end none of them is left. Safe to use from many threads.

    `fetched` are images that may have to be pulled first (`fetch`), by digest; what was not there before goes again.
    """

    def __init__(self, client: Client, fetched: Collection[str] = ()) -> None:
        self.client: Client = client
        self._fetched = [*fetched]
        self._new: list[str] = []
        self._projects: set[str] = set()
        self.run = uuid.uuid4().hex[:12]
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        self._new = [*images.missing(self.client, self._fetched)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sweep()
        for project in self._projects:
            self._clear(project)
        if self._new:
            images.remove(self.client, self._new)

    def _sweep(self) -> None:
        for _ in range(_SWEEPS):
            listed = ask(self.client, "ps", "--all", "--quiet", "--filter", f"label={LABEL}={self.run}")
            if listed and not (left := listed.out.split()):
                return
            if listed:
                ask(self.client, "rm", "--force", "--volumes", *left)

    def _clear(self, project: str) -> None:
        """Removes what is left of a compose project."""
        for kind, all_of_it, with_it in (
            ("container", ("--all",), ("--volumes",)),
            ("network", (), ()),
            ("volume", (), ()),
        ):
            label = f"label={PROJECT}={project}"
            listed = ask(self.client, kind, "ls", *all_of_it, "--quiet", "--filter", label)
            if left := listed.out.split():
                ask(self.client, kind, "rm", "--force", *with_it, *left)

    def name(self) -> str:
        """Returns a name that nothing else has."""
        return f"argosy-test-{self.run}-{next(self._numbers)}"

    def project(self) -> str:
        """Returns the name of a compose project that nothing else has; `down` takes it away."""
        name = self.name()
        self._projects.add(name)
        return name

    def stop(self) -> None:
        """Calls everybody back: what runs is ended, what waits wakes up, and nothing more is started."""
        self._stopping.set()
        processes.end_programs()

    def pause(self, seconds: float) -> None:
        """Waits. Raises StoppingError where the run is being ended."""
        if self._stopping.wait(seconds):
            raise StoppingError

    def ask(self, *arguments: str, seconds: float | None = None) -> processes.Done:
        """Asks the engine. Raises StoppingError where the run is being ended."""
        self.pause(0)
        done = ask(self.client, *arguments, seconds=seconds)
        self.pause(0)
        return done

    def fetch(self, reference: str, platform: str) -> None:
        """Pulls an image that was not there. Raises SurroundingsError where that fails."""
        if reference in self._new:
            done = self.ask("pull", "--quiet", "--platform", platform, reference)
            if not done:
                raise explain(done)

    def once(self, words: Sequence[str], seconds: float) -> processes.Done:
        """Runs a container to its end, or as long as that may take, and removes it; `words`: options, image, command.

        On a busy engine what a short program prints may be lost on its way to us; the container's log may have it.
        A signal that ends the engine's program must not be handed on to the container instead: what runs as its
        process 1 ignores those it has no handler for (pid_namespaces(7)), and both would go on.
        """
        name = self.name()
        done = self.ask("run", "--sig-proxy=false", *self._begun(name), *words, seconds=seconds)
        if not (done.out or done.late):
            logged = self.ask("logs", name)
            done = replace(done, out=logged.out, err=done.err or logged.err) if logged else done
        ask(self.client, "rm", "--force", "--volumes", name)
        return done

    def start(self, words: Sequence[str]) -> Container:
        """Starts a container; `words` are options, image and command. Raises SurroundingsError where it does not."""
        name = self.name()
        done = self.ask("run", "--detach", *self._begun(name), *words)
        if not done:
            ask(self.client, "rm", "--force", "--volumes", name)
            raise explain(done)
        return Container(self, name)

    def compose(self, root: Path, *arguments: str, seconds: float | None = None) -> processes.Done:
        """Asks compose as from `root`, which, as the host has it, is also what `${PWD}` means. Raises as `ask`."""
        self.pause(0)
        command = [program(self.client), "compose", *arguments]
        done = processes.run(command, seconds, {"PWD": str(host.path(self.client, root))})
        self.pause(0)
        return done

    def down(self, project: str, file: Path) -> None:
        """Takes all of a compose project away; what is left while the run is being ended goes at its end."""
        how = ("--project-name", project, "--file", str(file))
        if ask(self.client, "compose", *how, "down", "--volumes", "--remove-orphans", "--timeout", "2"):
            self._projects.discard(project)

    def _begun(self, name: str) -> tuple[str, ...]:
        return (
            "--name",
            name,
            "--label",
            f"{LABEL}={self.run}",
            "--pull",
            "missing" if self._fetched else "never",
        )


@dataclass(frozen=True, slots=True)
class Container:
    """One container that was started."""

    berths: Berths
    name: str

    def probe(self, seconds: float) -> None:
        """Makes a health check now where nobody else does: podman leaves that to systemd, which may not be there."""
        if self.berths.client == "podman":
            self.berths.ask("healthcheck", "run", self.name, seconds=seconds)

    def state(self) -> dict[str, Any]:
        """Returns what the engine says of its state: Status, ExitCode, Health …"""
        done = self.berths.ask("container", "inspect", "--format", "{{json .State}}", self.name)
        if not done:
            raise explain(done)
        found: dict[str, Any] = json.loads(done.out)
        return found

    def address(self, port: str) -> tuple[str, int]:
        """Returns where a published port ("8080/tcp") is reached from here."""
        done = self.berths.ask("port", self.name, port)
        match = re.search(r"^([\d.]+):(\d+)$", done.out, re.MULTILINE)
        if not match:
            raise explain(done)
        return match[1], int(match[2])

    def memory(self) -> float:
        """Returns the memory it takes now, in bytes."""
        done = self.berths.ask("stats", "--no-stream", "--format", "{{.MemUsage}}", self.name)
        match = re.match(r"([\d.]+)\s*([A-Za-z]+)", done.out)
        if not match or match[2] not in _UNITS:
            raise explain(done)
        return float(match[1]) * _UNITS[match[2]]

    def run(self, command: Sequence[str]) -> processes.Done:
        """Runs a command in it."""
        return self.berths.ask("exec", self.name, *command)

    def signal(self, name: str) -> None:
        """Sends its main process a signal."""
        done = self.berths.ask("kill", "--signal", name, self.name)
        if not done:
            raise explain(done)

    def stop(self, seconds: int) -> int:
        """Tells it to end, kills it after `seconds`, and returns its exit code (137: it was killed)."""
        done = self.berths.ask("stop", "--time", str(seconds), self.name)
        if not done:
            raise explain(done)
        return int(self.state()["ExitCode"])

    def log(self, lines: int = 20) -> tuple[str, ...]:
        """Returns the end of what it wrote."""
        done = self.berths.ask("logs", "--tail", str(lines), self.name)
        return tuple((done.out + done.err).splitlines()[-lines:])

    def remove(self) -> None:
        """Removes it, whatever it does."""
        self.berths.ask("rm", "--force", "--volumes", self.name)
