"""Ctrl-C and its relatives, on a real build in a process of its own: an end within two seconds, nothing left."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario import ROOT, Fleet

pytestmark = pytest.mark.engine


def running(word: str) -> list[str]:
    """The command lines of all processes that hold a word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if word in line:
                found.append(line)
    return found


def until(what: str, seconds: float, *, there: bool) -> None:
    """Waits until a process with that word runs, or until none does any more."""
    deadline = time.monotonic() + seconds
    while bool(running(what)) != there:
        assert time.monotonic() < deadline, (what, running(what))
        time.sleep(0.02)


def start_up(fleet: Fleet) -> float:
    """How many seconds the program's mere start takes on this machine now: what two seconds are worth."""
    began = time.monotonic()
    with fleet.start("--version") as process:
        process.communicate(timeout=120)
    return time.monotonic() - began


@pytest.fixture
def sleeping(real: Fleet, tmp_path: Path) -> Iterator[tuple[Fleet, str]]:
    """A fleet with an image that is quickly built and one that sleeps; and the sleeper's command line."""
    nap = f"sleep {random.randrange(3000, 10**6)}"  # noqa: S311 - a word no other process has
    (tmp_path / "tmp").mkdir()
    real.env["TMPDIR"] = str(tmp_path / "tmp")
    real.image("quick", f"FROM busybox:stable\nRUN echo {nap}\n")
    real.image("slow", f"FROM busybox:stable\nRUN {nap}\n")
    real.toml("[images.quick]\n[images.slow]\n")
    yield real, nap
    until(nap, 10, there=False)


@pytest.mark.parametrize(
    ("task", "number", "code", "word"),
    [
        ("build", signal.SIGINT, 130, "interrupted"),
        ("push", signal.SIGTERM, 143, "terminated"),
        ("build --json", signal.SIGHUP, 129, "hung up"),
    ],
)
def test_a_signal_ends_the_build_and_says_what_was_done(
    sleeping: tuple[Fleet, str], tmp_path: Path, task: str, number: int, code: int, word: str
):
    fleet, nap = sleeping
    process = fleet.start(task)
    until(nap, 60, there=True)
    assert running(str(tmp_path / "tmp"))  # buildx, with our bake file
    loads = task.startswith("build")
    reference = f"{fleet.registry}/{fleet.owner}/quick:0.1.0"
    while loads and fleet.run("docker", "image", "inspect", reference).code:
        time.sleep(0.05)
    time.sleep(1)
    slack = start_up(fleet)
    started = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert time.monotonic() - started < 2 + 2 * slack
    assert process.returncode == code
    assert not running(str(tmp_path / "tmp"))
    assert not list((tmp_path / "tmp").iterdir())
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith(f"{word}: ")
    assert "slow" in out
    assert "stopped" in out
    assert ("loaded" in out) == loads


def test_a_second_ctrl_c_leaves_nothing_running_either(sleeping: tuple[Fleet, str], tmp_path: Path):
    fleet, nap = sleeping
    process = fleet.start("build")
    until(nap, 60, there=True)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not running(str(tmp_path / "tmp"))


def test_ctrl_c_while_the_engine_is_asked_is_as_clean(real: Fleet):
    """A `docker` that hangs stands in for an engine that does."""
    nap = f"sleep 4242.{random.randrange(10**9)}"  # noqa: S311 - a word no other process has
    hanging = real.file("bin/docker", f"#!/bin/sh\nexec {nap}\n", 0o755)
    real.image("api")
    real.toml("[images.api]\n")
    env = {"PATH": f"{hanging.parent}:{real.env['PATH']}"}
    for task in ("build", "pull", "clean", "doctor", "builder"):
        real.toml("[images.api]\n[builder]\nname = 'x'\n" if task == "builder" else "[images.api]\n")
        process = real.start(task, env=env)
        until(nap, 30, there=True)
        slack = start_up(real)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
        # Python ends by the signal itself if it came in the middle of a class that is made from text (an import);
        # a shell shows 130 for either.
        assert process.returncode in {130, -signal.SIGINT}, (task, err)
        assert "Traceback" not in err, (task, err)
        assert err.splitlines()[-1] == "interrupted", task
        assert time.monotonic() - started < 2 + 2 * slack, task
        assert not running(nap), task


def test_ctrl_c_at_a_terminal_restores_it(sleeping: tuple[Fleet, str]):
    """At a terminal the key reaches the whole process group, and the screen has hidden the cursor."""
    fleet, nap = sleeping
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tasks.cli", "build"],
        cwd=fleet.root,
        env=fleet.env | {"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - no threads here
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):
                shown += os.read(ours, 1 << 16)
        if running(nap) and b"\x03" not in shown:
            os.write(ours, b"\x03")
            shown += b"\x03"
    with contextlib.suppress(OSError):
        while select.select([ours], [], [], 0.2)[0] and (piece := os.read(ours, 1 << 16)):
            shown += piece
    os.close(ours)
    assert process.wait(timeout=10) == 130
    text = shown.decode(errors="replace")
    assert text.rstrip().splitlines()[-1].startswith("interrupted: "), text[-2000:]
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert "Traceback" not in text


def _take_terminal() -> None:
    """Makes standard input the new session's terminal, as a shell's is."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
