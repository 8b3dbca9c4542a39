"""What a registry's refusal comes to in words: who refuses, what, and the line that logs in there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.registries import refusals
from tasks.registries.request import Answer


def answer(status: int) -> Answer:
    """An answer with this status and the registry's own words."""
    return Answer(status, {}, b'{"errors": [{"code": "DENIED", "message": "no such right"}]}')


@pytest.fixture(params=["docker", "podman"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The one client that this machine has."""
    name: str = request.param
    (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return name


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("actions", "scope"),
    [
        (("pull",), "read:packages"),
        (("pull", "push"), "write:packages"),
        (("delete",), "delete:packages"),
    ],
)
def test_github_s_registry_is_told_by_its_login_line_and_the_scope_of_a_token(
    client: str, status: int, actions: tuple[str, ...], scope: str
) -> None:
    said = str(refusals.refused("ghcr.io", answer(status), "lapce/lapdev-api", actions, None, {"HOME": "/h"}))
    assert said.startswith("ghcr.io ")
    assert f"lapce/lapdev-api: {status} (DENIED: no such right). " in said
    assert f"Its token needs the scope {scope}." in said
    assert f"{client} login ghcr.io" in said


def test_no_other_registry_knows_such_scopes(client: str) -> None:
    said = str(refusals.refused("quay.io", answer(403), "acme/api", ("pull", "push"), None, {"HOME": "/h"}))
    assert "packages" not in said
    assert f"{client} login quay.io" in said
