"""Processes as the kernel lists them: who is ours, starting them apart, ending them. Knows no daemon by name."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc."""

    pid: int
    arguments: tuple[str, ...]
    cgroups: frozenset[str]

    @property
    def program(self) -> str:
        """The program's name without its folder."""
        return os.path.basename(self.arguments[0]) if self.arguments else ""  # noqa: PTH119 - text, not a path

    def mentions(self, folder: Path) -> bool:
        """Whether an argument names this folder or something in it."""
        text = str(folder)
        return any(f"{argument}/".find(f"{text}/") >= 0 for argument in self.arguments)


def _read(pid: int) -> Process | None:
    folder = Path("/proc") / str(pid)
    try:
        words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        lines = (folder / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    parts = {part for line in lines for part in line.split(":", 2)[-1].split("/")}
    return Process(pid, tuple(words), frozenset(parts))


def listed() -> list[Process]:
    """Returns all processes but kernel threads and this one."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - 5 times faster
    found = (_read(pid) for pid in pids if pid != os.getpid())
    return [process for process in found if process is not None and process.arguments]


def alive(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be buried."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def detach(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts a daemon in a session of its own, its output going to `log`, so that it outlives the shell."""
    # Containers inherit this limit; the usual soft one (1024 open files) is too small for a daemon.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=dict(environment),
            umask=0o022,
            start_new_session=True,
        )


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Polls until the condition holds; returns whether it did in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def end(pids: Iterable[int], patience: float = 10.0) -> None:
    """Asks processes to end, and kills those that have not after `patience` seconds."""
    remaining = [pid for pid in pids if alive(pid)]
    for word, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        for pid in remaining:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, word)
        group = tuple(remaining)
        if wait_until(lambda group=group: not any(map(alive, group)), seconds):  # type: ignore[misc]
            return
        remaining = [pid for pid in remaining if alive(pid)]


def tail(path: Path, lines: int = 15) -> str:
    """Returns the last lines of a log, indented, for a message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return "    (no log)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
