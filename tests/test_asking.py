"""What every task begins with: flags become settings, and what takes something away asks first."""

from __future__ import annotations

import io

import pytest

from tasks.commands.asking import confirm, overrides
from tasks.commands.choice import Choice
from tasks.errors import ConfigError
from tests.planned import project
from tests.scenario import Fleet


class Terminal(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        return True


def test_a_flag_left_empty_says_nothing() -> None:
    assert overrides(Choice()) == []
    (owner,) = overrides(Choice(owner="me"))
    assert (owner.path, owner.text, owner.origin) == ("project.owner", "me", "--owner")


def test_every_flag_that_is_a_setting_sets_something_that_is_there(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]")
    said = Choice(registry="x", owner="x", tags="x", platforms="linux/386")
    paths = {path: text for _, path, text in said.settings()}
    assert len(paths) == 4
    origins = project(fleet, None, **{path.replace(".", "__"): text for path, text in paths.items()}).origins
    assert set(origins) == set(paths)


@pytest.mark.parametrize("answer", ["y\n", "Yes\n", " y \n"])
def test_yes_goes_on(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    confirm("Remove it?", yes=False)


@pytest.mark.parametrize("answer", ["n\n", "\n", "maybe\n"])
def test_anything_else_does_nothing(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    with pytest.raises(ConfigError, match="nothing was done"):
        confirm("Remove it?", yes=False)


def test_where_nobody_can_answer_it_must_be_said_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(ConfigError, match=r"Remove it\? Nobody is here to answer; say it with --yes"):
        confirm("Remove it?", yes=False)
    confirm("Remove it?", yes=True)


def test_ctrl_d_is_no_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(""))
    with pytest.raises(ConfigError, match="nothing was done"):
        confirm("Remove it?", yes=False)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Remove it? [y/N] ")


@pytest.mark.parametrize(
    "line", ["list --images ''", "clean --yes --images ,", "plan --images=", "build --group ' '"]
)
def test_a_name_that_a_script_left_empty_is_not_the_whole_fleet(fleet: Fleet, line: str) -> None:
    fleet.image("api")
    fleet.toml("[images.api]")
    flag = "--group" if "group" in line else "--images"
    assert f"{flag} names nothing" in fleet.inv(line).failed(2).err
