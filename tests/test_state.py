"""Where logs go: a folder for each project, the newest few kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.contents import state
from tasks.errors import SurroundingsError


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
