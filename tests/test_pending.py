"""Word of addresses that nobody is sure of yet: left by who was killed, taken back by who is sure, never in the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.contents import pending, state
from tests.scenario import ROOT

KILLED = """
import os, sys
from pathlib import Path
from tasks.contents import pending
with pending.unsure(Path(sys.argv[1]), ["r/api:argosy-1", "r/api:argosy-2"]):
    print("building", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def forgotten(root: Path) -> list[str]:
    found: list[str] = []
    pending.forget(root, found.extend)
    return found


def test_word_stays_until_somebody_is_sure(tmp_path: Path) -> None:
    with pending.unsure(tmp_path, ["r/api:argosy-1"]) as sure:
        assert forgotten(tmp_path) == [], "who builds holds it"
        sure()
    assert forgotten(tmp_path) == []
    with pytest.raises(ValueError, match="broken"), pending.unsure(tmp_path, ["r/api:argosy-1"]):
        raise ValueError("broken")
    assert forgotten(tmp_path) == ["r/api:argosy-1"]
    assert forgotten(tmp_path) == [], "once"


def test_who_is_killed_leaves_word_that_the_next_one_reads(tmp_path: Path) -> None:
    line = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == b"building\n"
        assert forgotten(tmp_path) == []
        process.kill()
    assert forgotten(tmp_path) == ["r/api:argosy-1", "r/api:argosy-2"]


def test_word_that_cannot_be_acted_on_is_left(tmp_path: Path) -> None:
    with pending.unsure(tmp_path, ["r/api:argosy-1"]):
        pass

    def refuses(_: object) -> None:
        raise RuntimeError("no engine")

    with pytest.raises(RuntimeError, match="no engine"):
        pending.forget(tmp_path, refuses)
    assert forgotten(tmp_path) == ["r/api:argosy-1"]


@pytest.mark.parametrize("blocked", ["file", "full"])
def test_where_no_word_can_be_kept_the_build_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: str
) -> None:
    if blocked == "file":
        state.folder(tmp_path).parent.mkdir(parents=True)
        state.folder(tmp_path).write_text("in the way")
    else:
        monkeypatch.setattr("fcntl.flock", _no_room)
    with pending.unsure(tmp_path, ["r/api:argosy-1"]) as sure:
        sure()
    assert forgotten(tmp_path) == []


def _no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")
