"""Where logs go: a folder for each project, the newest few kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.contents import state
from tasks.engine import before
from tasks.errors import SurroundingsError
from tests.planned import plan
from tests.scenario import Fleet


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def test_projects_of_one_name_have_folders_of_their_own(home: Path):
    one, other = home / "a" / "shop", home / "b" / "shop"
    assert state.folder(one) != state.folder(other)
    assert state.folder(one) == state.folder(home / "a" / ".." / "a" / "shop")
    assert state.folder(one).is_relative_to(home / "state" / "argosy")


def test_only_the_newest_logs_are_kept(home: Path):
    first = state.new_log(home, "load")
    for number in range(40):
        (first.parent / f"20200101-0000{number:02}-1-load.log").write_text("old")
    newest = state.new_log(home, "load")
    newest.write_text("new")
    left = sorted(path.name for path in newest.parent.iterdir())
    assert len(left) == state.KEPT_LOGS
    assert left[0] == "20200101-000021-1-load.log"
    assert newest.name in left


def test_a_folder_that_cannot_be_is_an_error_that_names_it(home: Path, monkeypatch: pytest.MonkeyPatch):
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "file"))
    with pytest.raises(SurroundingsError, match=r"file.*XDG_STATE_HOME"):
        state.new_log(home, "load")


NOWHERE = {"XDG_STATE_HOME": "/proc/nowhere"}
"""A folder that even root cannot make, as HOME=/ is to anybody else in a CI container."""


def test_who_only_looks_needs_no_folder_that_can_be_written(fleet: Fleet):
    fleet.registry = "localhost:1"
    fleet.image("api")
    fleet.toml("[images.api]\n")
    fleet.inv("lint", env=NOWHERE).ok()
    assert "localhost:1" in fleet.inv("history", env=NOWHERE).failed(3).err


@pytest.mark.engine
def test_a_build_says_that_it_cannot_keep_its_log(real: Fleet):
    real.image("api")
    real.toml("[images.api]\n")
    said = real.inv("build", env=NOWHERE).failed(3).err
    assert "cannot keep logs in /proc/nowhere" in said
    assert "Set XDG_STATE_HOME" in said


@pytest.mark.parametrize("log", ["/proc/nowhere.log", "/dev/full"])
def test_what_must_run_before_a_build_says_that_its_log_cannot_be_written(fleet: Fleet, log: str):
    fleet.image("api")
    fleet.toml('[images.api]\nbefore = [["echo", "made"]]\n')
    with pytest.raises(SurroundingsError, match=r"cannot write .*Free some room"):
        before.run(plan(fleet), Path(log), told=lambda _: None)
