"""Images brought back from the registry, and this project's names taken away: nothing else is touched."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import ROOT, Fleet

pytestmark = pytest.mark.engine


def mine(engine: PrivateEngine, fleet: Fleet) -> set[str]:
    """All names that the engine has and the fleet's owner is in, without registry and owner."""
    names = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return {name.rpartition("/")[2] for name in names if fleet.owner in name}


@pytest.fixture
def pushed(real: Fleet, engine: PrivateEngine) -> Fleet:
    """A fleet whose images api and worker are in the registry, and not in the engine."""
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner} > /mark\n")
    real.image("worker", f"FROM busybox:stable\nRUN echo {real.owner} worker > /mark\n")
    real.image("tool")
    real.toml(
        "[images.api]\nlocal = ['{owner}-api:dev']\n[images.worker]\n[images.tool]\npublish = false\nselected = false\n"
    )
    real.inv("push --tags 0.1.0,stable").ok()
    assert not mine(engine, real)
    return real


def test_pull_brings_the_images_and_their_local_names(pushed: Fleet, engine: PrivateEngine):
    ran = pushed.inv("pull").ok()
    assert mine(engine, pushed) == {"api:0.1.0", f"{pushed.owner}-api:dev", "worker:0.1.0"}
    assert engine.docker("run", "--rm", f"{pushed.owner}-api:dev", "cat", "/mark") == pushed.owner
    assert f"{pushed.owner}-api:dev" in ran.out
    assert {"api  pulled", "worker  pulled"} <= set(ran.err.splitlines())
    pushed.inv("pull --images api --tag stable").ok()
    assert "api:stable" in mine(engine, pushed)


def test_what_is_not_there_is_passed_over_or_with_strict_an_error(pushed: Fleet, engine: PrivateEngine):
    pushed.image("absent", "FROM busybox:stable\n")
    with (pushed.root / "build.toml").open("a") as file:
        file.write("[images.absent]\n")
    ran = pushed.inv("pull").ok()
    assert f"{pushed.registry}/{pushed.owner}/absent has no 0.1.0" in ran.out
    assert {"api:0.1.0", "worker:0.1.0"} <= mine(engine, pushed)
    ran = pushed.inv("pull --strict").failed(3)
    assert ran.err.splitlines()[-1] == "not there: absent"
    # One that is never published is not missed.
    pushed.inv("pull --strict --images api,tool").ok()
    ran = pushed.inv("pull --strict --images api --platform linux/arm64").failed(3)
    assert "api has no 0.1.0 for linux/arm64" in ran.out


def test_a_registry_that_is_down_is_no_missing_image(pushed: Fleet):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ran = pushed.inv(f"pull --registry 127.0.0.1:{port}").failed(3)
    assert f"127.0.0.1:{port}" in ran.err
    assert "no Docker Engine" not in ran.err


def test_clean_removes_this_projects_names_and_no_other(pushed: Fleet, engine: PrivateEngine):
    pushed.inv("build").ok()
    engine.docker("tag", f"{pushed.owner}-api:dev", f"{pushed.owner}-other:1")
    engine.docker("tag", f"{pushed.owner}-api:dev", f"{pushed.registry}/{pushed.owner}/other:1")
    # A local name may stand in a repository that is not the fleet's own.
    for tag in ("stable", "argosy-tools"):
        engine.docker("tag", f"{pushed.owner}-api:dev", f"{pushed.owner}-api:{tag}")
    pushed.inv("build --images tool").ok()
    before = mine(engine, pushed)
    ran = pushed.inv("clean").failed(2)
    assert "--yes" in ran.err
    assert mine(engine, pushed) == before
    ran = pushed.inv("clean --yes --images worker").ok()
    assert f"{pushed.registry}/{pushed.owner}/worker:0.1.0" in ran.out
    assert {name for name in mine(engine, pushed) if name.startswith("worker:")} == set()
    assert "api:0.1.0" in mine(engine, pushed)
    pushed.inv("clean --yes").ok()
    assert mine(engine, pushed) == {
        f"{pushed.owner}-other:1",
        f"{pushed.owner}-api:stable",
        f"{pushed.owner}-api:argosy-tools",
        "other:1",
    }
    assert "busybox" in engine.docker("run", "--rm", f"{pushed.owner}-other:1", "busybox", "--help")
    assert "nothing to remove" in pushed.inv("clean --yes").ok().out


@pytest.mark.parametrize(("answer", "left"), [("n", True), ("y", False)])
def test_clean_asks_at_a_terminal(pushed: Fleet, engine: PrivateEngine, answer: str, *, left: bool):
    pushed.inv("pull --images worker").ok()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tasks.cli", "clean"],
        cwd=pushed.root,
        env=pushed.env | {"PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, f"{answer}\n".encode())
    _, err = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "Remove these 1 references? [y/N]" in err, "stdout is for programs"
    assert ("worker:0.1.0" in mine(engine, pushed)) == left, err
