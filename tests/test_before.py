"""Commands that must have run before images are built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine

AGENT = [
    "sh",
    "-c",
    "echo compiling; echo $(( $(cat runs 2>/dev/null) + 1 )) > runs; cp version.txt docker/api/agent",
]


@pytest.fixture
def prepared(real: Fleet) -> Fleet:
    """Two images that need a guest agent, one that does not."""
    for name in ("api", "worker"):
        real.image(name, "FROM busybox:stable\nCOPY . /here\n")
    real.image("cron")
    real.file("version.txt", "1")
    words = ", ".join(f"'{word}'" for word in AGENT)
    real.toml(f"[images.api]\nbefore = [[{words}]]\n[images.worker]\nbefore = [[{words}]]\n[images.cron]\n")
    return real


def runs(fleet: Fleet) -> str:
    path = fleet.root / "runs"
    return path.read_text().strip() if path.exists() else "0"


def test_each_runs_once_before_what_it_makes_is_looked_at(prepared: Fleet, engine: PrivateEngine) -> None:
    ran = prepared.inv("build").ok()
    assert ran.err.startswith("before api, worker: sh -c ")
    assert runs(prepared) == "1"
    name = f"{prepared.registry}/{prepared.owner}/api:0.1.0"
    assert engine.docker("run", "--rm", name, "cat", "/here/agent") == "1"
    assert "compiling\n" in "".join(
        p.read_text() for p in Path(prepared.env["XDG_STATE_HOME"]).rglob("*before.log")
    )

    prepared.file("version.txt", "2")
    images = prepared.inv("build --json").ok().json["images"]
    assert {image["name"]: image["verdict"] for image in images} == {
        "api": "built",
        "worker": "reused",
        "cron": "reused",
    }
    assert engine.docker("run", "--rm", name, "cat", "/here/agent") == "2"


def test_a_dockerfile_that_is_made_is_read_when_it_is_made(real: Fleet, engine: PrivateEngine) -> None:
    real.image("api")
    template = "FROM busybox:stable\nRUN echo one > /said\n"
    real.file("docker/api/Dockerfile.in", template)
    real.toml('[images.api]\nbefore = [["cp", "docker/api/Dockerfile.in", "docker/api/Dockerfile"]]\n')
    name = f"{real.registry}/{real.owner}/api:0.1.0"
    for word in ("one", "two"):
        real.file("docker/api/Dockerfile.in", template.replace("one", word))
        real.inv("build").ok()
        assert engine.docker("run", "--rm", name, "cat", "/said") == word
    assert "1 reused" in real.inv("build").ok().out


def test_it_is_skipped_where_no_image_of_the_run_needs_it(prepared: Fleet) -> None:
    prepared.inv("build --images cron").ok()
    prepared.inv("plan").ok()
    assert runs(prepared) == "0"


def test_one_that_fails_ends_the_run_with_what_it_said(prepared: Fleet) -> None:
    prepared.toml('[images.api]\nbefore = [["sh", "-c", "echo no compiler here; exit 7"]]\n[images.cron]\n')
    said = prepared.inv("build").failed(4).err
    assert "must run before api can be built, and failed: exit 7\n  no compiler here\nlog: /" in said


def test_a_program_that_is_not_there_is_named(prepared: Fleet) -> None:
    prepared.toml('[images.api]\nbefore = [["make-guest-agent", "--all"]]\n')
    said = prepared.inv("push").failed(4).err
    assert "`make-guest-agent --all` must run before api can be built, and failed" in said
    assert "make-guest-agent: No such file or directory" in said
