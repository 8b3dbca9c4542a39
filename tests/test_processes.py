"""Programs run to their end: what they came to, and who they were."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from tasks.engine import processes
from tasks.engine.docker import explain


def test_what_is_read_as_it_comes_is_told_by_the_program_s_own_name(tmp_path: Path) -> None:
    """The words of podman mean other things than docker's, and its name is how they are told apart."""
    podman = tmp_path / "podman"
    podman.write_text("#!/bin/sh\necho 'Error: something is damaged' >&2\nexit 125\n")
    podman.chmod(0o755)
    with processes.streamed([str(podman), "image", "save", "x"]) as (out, done):
        assert out.read() == b""
    assert str(explain(done[0])) == "podman says: something is damaged"


def test_a_program_is_not_waited_for_through_what_it_has_started() -> None:
    """A child keeps the pipes of one that was killed, as docker's plugins may."""
    done = processes.run(["sh", "-c", "sleep 40 & echo $!; wait"], 0.2)
    assert done.late
    child = Path("/proc", done.out.strip())
    assert child.joinpath("stat").read_text().split()[2] != "Z", "it has not ended yet"
    os.kill(int(child.name), signal.SIGKILL)


def test_a_program_that_does_not_end_when_it_is_asked_to_is_killed(tmp_path: Path) -> None:
    """`docker run` of Docker 28 waits for its third signal, and the thread that waits for it would wait as long."""
    script = f"trap 'touch {tmp_path}/asked' TERM; touch {tmp_path}/there; while true; do sleep 0.1; done"
    found: list[processes.Done] = []
    waiter = threading.Thread(
        target=lambda: found.append(processes.run(["sh", "-c", script], 60)), daemon=True
    )
    waiter.start()
    deadline = time.monotonic() + 60
    while not (tmp_path / "there").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    processes.end_programs()
    waiter.join(30)
    assert [(done.status, done.late) for done in found] == [(-signal.SIGKILL, False)]
    assert (tmp_path / "asked").exists()
