"""`plan --why`: everything that goes into one image, so that two machines can be held against each other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.scenario import Fleet

DOCKERFILE = "FROM busybox:stable\nARG LEVEL=1\nCOPY app /app\nRUN echo $LEVEL > /level\n"


def service(fleet: Fleet) -> None:
    fleet.image("api", DOCKERFILE)
    fleet.file("docker/api/app/main.sh", "echo hello\n")
    fleet.toml('[images.api]\nargs = { LEVEL = "2" }\n')


def inputs(fleet: Fleet) -> dict[str, Any]:
    said = fleet.inv("plan --why api --format json").ok().json
    assert said["image"] == "api"
    (platform,) = said["platforms"].values()
    return dict(platform)


@pytest.mark.engine
def test_two_machines_with_the_same_files_tell_the_same(real: Fleet, tmp_path: Path):
    service(real)
    here = inputs(real)
    other = Fleet(
        tmp_path / "elsewhere",
        real.env | {"XDG_STATE_HOME": str(tmp_path / "other")},
        real.registry,
        real.owner,
    )
    shutil.copytree(real.root, other.root)
    os.utime(other.root / "docker/api/app/main.sh", (1, 1))
    assert inputs(other) == here

    other.file("docker/api/app/main.sh", "echo hello\n", 0o755)
    there = inputs(other)
    assert there["address"] != here["address"]
    differing = [path for path in here["files"] if there["files"][path] != here["files"][path]]
    assert differing == ["docker/api/app/main.sh"]
    same = {key for key, value in here["inputs"].items() if there["inputs"].get(key) == value}
    assert any("busybox" in value for value in map(here["inputs"].get, same) if value)


@pytest.mark.engine
def test_a_person_reads_files_arguments_and_bases(real: Fleet):
    service(real)
    lines = real.inv("plan --why api").ok().out.splitlines()
    assert lines[0].startswith("api linux/")
    assert any(line.startswith("file docker/api/app/main.sh") for line in lines)
    assert any("LEVEL" in line and "2" in line for line in lines)
    assert any("busybox:stable" in line and "sha256:" in line for line in lines)
    assert not any("WHEN LAST BUILT" in line for line in lines)


@pytest.mark.engine
def test_what_changed_since_it_was_built_stands_beside_what_it_was(real: Fleet):
    service(real)
    real.inv("build").ok()
    assert "reuse: unchanged" in real.inv("plan --why api").ok().out
    was = inputs(real)
    real.file("docker/api/app/main.sh", "echo another\n")
    now = inputs(real)
    lines = real.inv("plan --why api").ok().out.splitlines()
    assert lines[0].endswith("build: docker/api/app/main.sh changed")
    assert lines[1].endswith("  WHEN LAST BUILT")
    (line,) = (line for line in lines if line.startswith("file docker/api/app/main.sh"))
    assert now["files"]["docker/api/app/main.sh"] in line
    assert line.endswith(was["files"]["docker/api/app/main.sh"].strip())


def test_without_an_engine_it_says_why_nothing_can_be_told(fleet: Fleet):
    service(fleet)
    said = fleet.inv("plan --why api").failed(3).err
    assert said.startswith("what goes into api cannot be told: ")
    assert "unix:///nowhere.sock" in said


def test_an_image_that_is_not_there_is_named_with_the_nearest(fleet: Fleet):
    service(fleet)
    said = fleet.inv("plan --why apy").failed(2).err
    assert '"apy"' in said
    assert "api" in said
    assert "one image are shown. Available images: api" in fleet.inv("plan --why 'a*'").failed(2).err


@pytest.mark.engine
def test_what_an_ignore_file_or_paths_says_and_nobody_can_be_sure_of_is_noted(real: Fleet):
    service(real)
    real.file("docker/api/.dockerignore", "app/*.tmp\na|b*\n")
    real.toml('[images.api]\nargs = { LEVEL = "2" }\npaths = ["c|d*"]\n')
    (image,) = real.inv("plan --format json").ok().json["images"]
    assert (
        "docker/api/.dockerignore:2: the meaning of a|b* is not certain, so nothing is left out"
        in image["notes"]
    )
    assert "paths: the meaning of c|d* is not certain: every file of the project counts" in image["notes"]
