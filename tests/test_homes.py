"""Where "~" is, for users whom a machine knows and for those it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.homes import expanded, home
from tests.scenario import Fleet


def test_a_home_is_what_the_environment_says_then_the_account_then_the_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert home({"HOME": "/home/ada"}) == Path("/home/ada")
    assert home({}) == Path.home()

    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    assert home({}) == Path("/")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("~", "/home/ada"),
        ("~/key.pem", "/home/ada/key.pem"),
        ("key.pem", "key.pem"),
        ("~nobody-has-this-name/key.pem", "~nobody-has-this-name/key.pem"),
    ],
)
def test_a_path_is_read_as_a_shell_does(text: str, path: str) -> None:
    assert expanded(text, {"HOME": "/home/ada"}) == Path(path)


@pytest.mark.engine
def test_a_secret_of_a_user_that_is_not_there_is_a_missing_file(real: Fleet) -> None:
    real.image("api")
    real.toml('[images.api.secrets.token]\nfile = "~nobody-has-this-name/token"\n')
    refused = real.inv("build").failed(3)
    assert "there is no file ~nobody-has-this-name/token" in refused.err
