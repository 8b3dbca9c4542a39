"""Constants elsewhere in the source agree with build.toml, or nothing is built."""

from __future__ import annotations

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import Fleet

RUST = "crates/api/images.rs"
SOURCE = """
//! Images that the API starts.
pub const IMAGE_TAG: &str = "0.2.0";
pub const API_REPO: &str = "ghcr.io/acme/api";
"""
HEAD = """
[project]
registry = "ghcr.io"
owner = "acme"
version = "0.2.0"
"""
TOML = """
[constants]
go = "1.25"
[images.api]
[[lockstep]]
files = ["crates/**/images.rs"]
regex = 'IMAGE_TAG: &str = "(.+)"'
equals = "{version}"
[[lockstep]]
files = ["crates/**/images.rs"]
regex = 'API_REPO: &str = "(.+)"'
equals = "{repository.api}"
"""


@pytest.fixture
def lapdev(fleet: Fleet) -> Fleet:
    """A project whose code names its images."""
    fleet.image("api")
    fleet.file(RUST, SOURCE)
    fleet.toml(TOML, head=HEAD)
    return fleet


def refusal(fleet: Fleet) -> list[str]:
    """What doctor says of the source, line by line."""
    (check,) = checks(fleet)
    assert check["found"] == "the source disagrees"
    return [line.strip() for line in check["remedy"].splitlines()]


def checks(fleet: Fleet) -> list[dict[str, str]]:
    return [one for one in fleet.inv("doctor --json").failed(3).json["checks"] if one["name"] == "lockstep"]


def agrees(fleet: Fleet) -> bool:
    return checks(fleet)[0]["found"].startswith("the source repeats")


def test_what_agrees_is_said_by_doctor(lapdev: Fleet) -> None:
    assert checks(lapdev)[0]["found"] == "the source repeats 2 things as build.toml says"


def test_a_disagreement_is_told_with_file_line_constant_and_both_values(lapdev: Fleet) -> None:
    lapdev.file(RUST, SOURCE.replace("0.2.0", "0.1.0").replace("/acme/", "/fork/"))
    head, tag, repository, remedy = refusal(lapdev)
    assert head == "the source does not repeat what build.toml says, in 2 places:"
    assert tag == (
        f'{RUST}:2: "0.1.0" differs from "0.2.0", which is {{version}} (lockstep.0): '
        'pub const IMAGE_TAG: &str = "0.1.0";'
    )
    assert (
        f'{RUST}:3: "ghcr.io/fork/api" differs from "ghcr.io/acme/api", which is {{repository.api}}'
        in repository
    )
    assert "inv version --set" in remedy


def test_a_constant_that_is_gone_cannot_be_found(lapdev: Fleet) -> None:
    lapdev.file(RUST, SOURCE.replace("IMAGE_TAG", "TAG_OF_IMAGES"))
    assert f'cannot find IMAGE_TAG: &str = "(.+)" in {RUST} (lockstep.0)' in refusal(lapdev)


def test_a_file_that_is_gone_is_an_error_too(lapdev: Fleet) -> None:
    (lapdev.root / RUST).unlink()
    assert refusal(lapdev)[1] == "no file is called crates/**/images.rs (lockstep.0.files)"


def test_every_file_and_every_place_of_a_glob_counts(lapdev: Fleet) -> None:
    lapdev.file("crates/web/src/images.rs", SOURCE + SOURCE.replace("0.2.0", "0.3.0"))
    assert [line.partition(" ")[0] for line in refusal(lapdev)[1:-1]] == ["crates/web/src/images.rs:6:"]


def test_hidden_folders_are_looked_into_only_when_named(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.file(".github/ci.yml", "version: 9")
    fleet.file("ci.yml", "version: 0.1.0")
    table = "[images.api]\n[[lockstep]]\nfiles = ['{}']\nregex = 'version: (.+)'\nequals = '{{version}}'\n"
    fleet.toml(table.format("**/*.yml"))
    assert agrees(fleet)
    fleet.toml(table.format(".github/*.yml"))
    assert refusal(fleet)[1].startswith(".github/ci.yml:1: ")


def test_a_run_that_goes_elsewhere_is_no_drift(lapdev: Fleet) -> None:
    """What code says is compared with build.toml, and not with what a flag says for this once."""
    env = {"OWNER": "someone"}
    lapdev.toml(TOML + '[env]\nOWNER = "project.owner"\n', head=HEAD)
    assert lapdev.inv("list", env=env).ok().out.count("ghcr.io/someone/api") == 1
    found = lapdev.inv("doctor --json --registry quay.io", env=env).failed(3).json["checks"]
    assert "the source repeats" in next(one["found"] for one in found if one["name"] == "lockstep")


def test_a_release_is_refused_before_anything_where_the_code_has_another_version(lapdev: Fleet) -> None:
    said = lapdev.inv("release --tag v0.3.0").failed(2).err
    assert f'{RUST}:2: "0.2.0" differs from "0.3.0", which is {{version}}' in said
    assert "IMAGE_TAG" in said


MATRIX = """
[images."controller-{v.id}"]
dockerfile = "docker/api/Dockerfile"
local = ["kiisrv-controller-{v.id}:latest"]
matrix = { v = [{ id = "056", git = "v0.5.6" }, { id = "057", git = "v0.5.7" }] }

[[lockstep]]
files = ["src/main.rs"]
regex = '"v[0-9.]+", "(.+)"'
equals = "kiisrv-{image}"
images = ["controller-*"]
"""


def test_a_list_in_the_code_names_each_image_and_no_other(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml(MATRIX)
    fleet.file("src/main.rs", '("v0.5.6", "kiisrv-controller-056"),\n("v0.5.7", "kiisrv-controller-057"),\n')
    assert agrees(fleet)
    fleet.toml(MATRIX.replace('"v0.5.7" }', '"v0.5.7" }, { id = "058", git = "v0.5.8" }'))
    assert refusal(fleet)[1:-1] == [
        'src/main.rs does not name "kiisrv-controller-058", which is image controller-058 (lockstep.0)'
    ]
    fleet.file("src/main.rs", "".join(f'("v0.5.{n}", "kiisrv-controller-05{n}"),\n' for n in (6, 7, 9)))
    first, second = refusal(fleet)[1:-1]
    assert first.startswith(
        'src/main.rs:3: "kiisrv-controller-059" is none of controller-056, controller-057, '
    )
    assert "058" in second


@pytest.mark.engine
@pytest.mark.parametrize("task", ["build", "push"])
def test_nothing_is_built_or_pushed_until_it_agrees(real: Fleet, engine: PrivateEngine, task: str) -> None:
    real.image("api", "FROM busybox:stable\nRUN echo built > /it\n")
    real.file("README.md", "Version 0.0.9 is out.\n")
    real.toml(
        "[images.api]\n[[lockstep]]\nfiles = ['README.md']\nregex = 'Version (\\S+)'\nequals = '{version}'\n"
    )
    said = real.inv(task).failed(2).err
    assert 'README.md:1: "0.0.9" differs from "0.1.0"' in said
    assert engine.docker("image", "ls", "-q", f"{real.registry}/{real.owner}/api") == ""
    real.file("README.md", "Version 0.1.0 is out.\n")
    real.inv(task).ok()
