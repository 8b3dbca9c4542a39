"""One call of bake: the arguments that docker is given, and what becomes of its process."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from python_on_whales import DockerClient

from tasks.engine import bake, processes

SCRIPT = """#!/bin/sh
# A docker that writes down what it is asked and answers as it is told.
printf '%s\\n' "$@" > "$RECORD/arguments"
env > "$RECORD/environment"
pwd > "$RECORD/folder"
while [ $# -gt 0 ]; do
    [ "$1" = --file ] && cp "$2" "$RECORD/bake.json"
    [ "$1" = --metadata-file ] && cp "$RECORD/metadata.json" "$2"
    shift
done
cat "$RECORD/says" >&2
exit "$(cat "$RECORD/status")"
"""


class Heard:
    """What bake said, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.ended: bool | None = None

    def feed(self, text: str) -> None:
        self.pieces.append(text)

    def close(self, *, succeeded: bool) -> None:
        self.ended = succeeded


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a recording docker; it succeeds and says nothing until it is told to."""
    (tmp_path / "docker").write_text(SCRIPT)
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "says").write_text("")
    (tmp_path / "status").write_text("0")
    (tmp_path / "metadata.json").write_text("{}")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("RECORD", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path


def run(record: Path, heard: Heard, builder: str = "", context: str | None = None) -> bake.Baked:
    docker = DockerClient(client_call=[str(record / "docker")], context=context)
    return bake.run(docker, {"target": {"api": {}}}, record, heard, builder)


def arguments(record: Path) -> list[str]:
    return (record / "arguments").read_text().splitlines()


def test_the_argument_list_begins_as_python_on_whales_does(record: Path):
    run(record, Heard(), builder="fleet", context="far")
    first, second, *rest = arguments(record)
    assert [first, second] == ["--context", "far"]
    folder = Path(rest[5]).parent
    assert rest == [
        "buildx", "bake", "--builder", "fleet", "--file", f"{folder}/bake.json",
        "--metadata-file", f"{folder}/metadata.json", "--progress", "rawjson",
    ]  # fmt: skip
    run(record, Heard())
    assert "--builder" not in arguments(record)


def test_the_bake_file_is_given_whole_and_nothing_is_left(record: Path):
    run(record, Heard())
    assert json.loads((record / "bake.json").read_text()) == {"target": {"api": {}}}
    assert (record / "folder").read_text().strip() == str(record)
    environment = (record / "environment").read_text().splitlines()
    assert "BUILDX_BAKE_ENTITLEMENTS_FS=0" in environment
    assert "BUILDX_GIT_LABELS=0" in environment
    assert not list((record / "tmp").iterdir())


def test_what_it_says_is_heard_to_the_last_byte(record: Path):
    said = (
        "".join(f'{{"number": {n}, "text": "ümläut ✓"}}\n' for n in range(5000)) + "no newline at the end ✗"
    )
    (record / "says").write_text(said)
    heard = Heard()
    (record / "metadata.json").write_text('{"api": {"containerimage.digest": "sha256:1"}}')
    assert run(record, heard) == bake.Baked(True, {"api": {"containerimage.digest": "sha256:1"}})
    assert "".join(heard.pieces) == said
    assert heard.ended is True


def test_a_failure_is_an_answer(record: Path):
    (record / "status").write_text("1")
    (record / "metadata.json").write_text('{"half": "written')
    heard = Heard()
    assert run(record, heard) == bake.Baked(False, {})
    assert heard.ended is False


def test_one_that_does_not_heed_the_interrupt_is_killed(record: Path):
    """It ignores SIGINT, and so does what it has started."""
    pids = record / "pids"
    text = f"#!/bin/sh\ntrap '' INT\nsleep 100000 & echo $! $$ > {pids}\necho said >&2\nwait\n"
    (record / "docker").write_text(text)

    class Impatient(Heard):
        def feed(self, text: str) -> None:
            super().feed(text)
            raise KeyboardInterrupt

    heard = Impatient()
    with pytest.raises(KeyboardInterrupt):
        run(record, heard)
    assert heard.ended is False
    for pid in pids.read_text().split():
        assert ends(int(pid))


def test_ctrl_c_while_it_is_being_started_ends_it_too(record: Path, monkeypatch: pytest.MonkeyPatch):
    (record / "docker").write_text("#!/bin/sh\nexec sleep 600\n")
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        """It runs already, and nobody has got it yet: then a signal comes."""

        def __init__(self, *words: Any, **how: Any) -> None:
            super().__init__(*words, **how)
            started.append(self)
            if processes.end_all():  # as every task takes a signal
                raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    heard = Heard()
    with pytest.raises(KeyboardInterrupt):
        run(record, heard)
    [process] = started
    try:
        assert process.poll() is not None
        assert heard.ended is False
    finally:
        process.kill()
        process.wait()


def ends(pid: int) -> bool:
    """Whether a process that was killed is gone; that takes a moment where nobody waits for it."""
    deadline = time.monotonic() + 30
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
