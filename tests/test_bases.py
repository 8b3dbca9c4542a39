"""Digests of outside bases: what the builder tells of them, and what is done where it tells nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from python_on_whales import DockerClient

from tasks.engine import bases
from tests.scenario import Fleet

MUTE = """#!/bin/sh
# The real docker; but as often as there are files in the folder, what bake says is lost.
case " $* " in *" bake "*)
  for word in {folder}/*; do
    [ -e "$word" ] || break
    rm "$word"
    exec {docker} "$@" 2>/dev/null
  done
esac
exec {docker} "$@"
"""


def muted(real: Fleet, tmp_path: Path, calls: int) -> dict[str, str]:
    """Returns the environment in which what these first calls of bake say is lost."""
    docker = shutil.which("docker", path=real.env["PATH"])
    (tmp_path / "mute").mkdir()
    for number in range(calls):
        (tmp_path / "mute" / str(number)).touch()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "docker"
    program.write_text(MUTE.format(folder=tmp_path / "mute", docker=docker))
    program.chmod(0o755)
    return {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{real.env['PATH']}"}


@pytest.fixture
def fleet(real: Fleet) -> Fleet:
    real.image("api", "FROM busybox:stable\nRUN echo api\n")
    real.toml("[images.api]\n")
    return real


@pytest.mark.engine
def test_a_builder_that_told_nothing_is_asked_again(fleet: Fleet, tmp_path: Path):
    fleet.inv("build", env=muted(fleet, tmp_path, 2)).ok()
    assert "busybox:stable" in (fleet.root / "build.lock").read_text()
    assert not list((tmp_path / "mute").iterdir())


@pytest.mark.engine
def test_a_builder_that_never_tells_is_an_error_with_the_image_and_its_dockerfile(
    fleet: Fleet, tmp_path: Path
):
    ran = fleet.inv("build", env=muted(fleet, tmp_path, 9)).failed(3)
    assert ran.err == (
        "api (docker/api/Dockerfile): the base image busybox:stable cannot be had: "
        "asked 3 times, the builder told no digest\n"
    )
    assert not (fleet.root / "build.lock").exists()
    assert len(list((tmp_path / "mute").iterdir())) == 6


@pytest.mark.engine
def test_an_error_that_follows_a_silence_is_the_one_told(fleet: Fleet, tmp_path: Path):
    fleet.image("api", f"FROM {fleet.registry}/nobody/nothing:1\n")
    ran = fleet.inv("build", env=muted(fleet, tmp_path, 1)).failed(3)
    assert f"the base image {fleet.registry}/nobody/nothing:1 cannot be had" in ran.err
    assert "not found" in ran.err


@pytest.mark.engine
@pytest.mark.parametrize(
    ("triggers", "found"),
    [
        ("LABEL plain=1", (False, False)),
        ("ONBUILD LABEL l=1", (False, False)),
        ("ONBUILD ARG V\nONBUILD ENV V=$V", (True, False)),
        ("ONBUILD COPY data /data", (True, False)),
        ("ARG V=1\nENV F=http://127.0.0.1:9/f\nONBUILD ADD --chmod=600 $F /f", (True, True)),
        (f"ONBUILD ADD --checksum=sha256:{'0' * 64} http://127.0.0.1:9/f /f", (True, False)),
    ],
)
def test_the_triggers_of_a_base_are_found(
    real: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, triggers: str, found: tuple[bool, bool]
):
    reference = f"{real.registry}/{real.owner}/below:1"
    (tmp_path / "Dockerfile").write_text(f"FROM busybox:stable\n{triggers}\n")
    output = f"type=image,name={reference},push=true"
    call = ["docker", "buildx", "build", "-q", "--provenance=false", f"--output={output}", str(tmp_path)]
    subprocess.run(call, env=real.env, check=True, capture_output=True)
    monkeypatch.setenv("DOCKER_HOST", real.env["DOCKER_HOST"])
    monkeypatch.setenv("DOCKER_CONFIG", real.env["DOCKER_CONFIG"])
    base = bases.resolve(DockerClient(), {reference: ["linux/amd64"]})[reference]
    assert (base.onbuild, base.fetching) == found


@pytest.mark.engine
def test_a_base_that_is_nearly_called_like_an_image_may_be_meant_to_be_that(real: Fleet):
    real.image("base")
    real.image("api", f"FROM {real.registry}/{real.owner}/bsae:1\n")
    real.toml("[images.base]\n[images.api]\n")
    said = real.inv("build").failed(3).err
    assert 'No image of this fleet is called bsae (did you mean "base"?)' in said
