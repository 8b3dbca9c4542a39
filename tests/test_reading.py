"""build.toml read once: what is kept of a reading is the same Project, and nothing that has changed is overlooked."""

from __future__ import annotations

import dataclasses
import json
import typing
from pathlib import Path
from typing import Any

import pytest

from tasks import config, model
from tasks.config.given import Override
from tasks.contents import reading, state
from tasks.errors import ConfigError
from tasks.model import Project
from tests.scenario import ROOT, Fleet

FULL = """
schema = 1
[project]
name = "all"
owner = "acme"
version = "1.0"
registries = [{host = "ghcr.io"}, {host = "quay.io", owner = "other", tags = ["{version}"]}]
[constants]
GO = 1.20
[env]
OWNER = "project.owner"
[tags]
build = ["{version}"]
[builder]
name = "farm"
nodes = [{endpoint = "a", platforms = "linux/amd64"}]
[groups]
some = ["api"]
[mirror]
"debian:stable" = "mirror.example/debian:stable"
[[lockstep]]
files = ["docker/api/Dockerfile"]
regex = "FROM (.*)"
equals = "busybox:stable"
[lint]
strict = true
[scan]
command = ["trivy", "{reference}", "{sarif}"]
[cache]
registry = "ghcr.io/acme/cache"
[release]
gates = ["lint"]
permanent = ["quay.io"]
[promote.live]
to = "ghcr.io/live"
[defaults]
args = {GO = "{GO}"}
platforms = ["linux/amd64"]
[images.api]
tags = ["x"]
secrets = {token = {file = "~/token", optional = true}}
before = [["make"]]
extract = {"/bin/api" = "out/"}
size = [5, 10]
[images.api.expect]
user = "non-root"
ports = [80]
[images.api.expect.files."/bin/api"]
mode = "0755"
static = true
[[images.api.tests]]
run = ["api", "--version"]
mounts = ["docker:/x:ro"]
[images."py{v}-{r.name}"]
dockerfile = "docker/api/Dockerfile"
matrix = {v = [3.10, 4], r = [{name = "one", big = true}]}
version = {file = "VERSION", regex = "(.*)"}
"""


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def full(fleet: Fleet) -> Fleet:
    """A fleet whose build.toml says something of everything."""
    fleet.image("api")
    fleet.file("build.toml", FULL)
    return fleet


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Lists the readings that are really made from now on."""
    made: list[Path] = []
    read = config.read

    def reads(path: Path, *more: Any) -> Any:
        made.append(path)
        return read(path, *more)

    monkeypatch.setattr(config, "read", reads)
    return made


def kinds(value: Any) -> set[type]:
    """The kinds of all values within a value."""
    inside: list[Any] = []
    if dataclasses.is_dataclass(value):
        inside = [getattr(value, one.name) for one in dataclasses.fields(value)]
    elif isinstance(value, dict):
        inside = list(value.values())
    elif isinstance(value, (tuple, list)):
        inside = list(value)
    return {type(value)}.union(*map(kinds, inside))


def part_of_a_project() -> set[type]:
    """The kinds of the model that a Project can hold, as its annotations have it."""
    found: set[type] = set()
    waiting: list[Any] = [Project]
    while waiting:
        kind = waiting.pop()
        waiting += typing.get_args(kind)
        if dataclasses.is_dataclass(kind) and kind not in found:
            found.add(typing.cast("type", kind))
            waiting += typing.get_type_hints(kind).values()
    return found


def test_what_is_kept_is_the_same_project(full: Fleet) -> None:
    loaded = config.load(full.root, {})
    again = reading.decoded(json.loads(json.dumps(reading.encoded(loaded))))
    assert again == loaded
    assert kinds(again) == kinds(loaded) >= part_of_a_project()
    assert str(again.images["py3.10-one"].matrix["v"]) == "3.10"


def test_argosy_s_own_is_too() -> None:
    loaded = config.load(ROOT, {})
    assert reading.decoded(json.loads(json.dumps(reading.encoded(loaded)))) == loaded


def test_the_same_file_is_read_once(full: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch)
    first, second = (reading.project(full.root, {}) for _ in range(2))
    assert first == second == config.load(full.root, {})
    assert len(made) == 2  # the last line's is one


def test_whatever_it_came_from_is_looked_at(full: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    reading.project(full.root, {})
    made = counted(monkeypatch)

    def read() -> Project:
        before = len(made)
        project = reading.project(full.root, {})
        assert len(made) == before + 1, "it was not read anew"
        assert reading.project(full.root, {}) == project
        assert len(made) == before + 1, "what was read was not kept"
        return project

    full.file("build.toml", FULL.replace('owner = "acme"', 'owner = "b"'))
    assert read().registries[0].owner == "b"
    # A Dockerfile at a place that comes first.
    full.file("build.toml", FULL + "[images.late]\n")
    full.file("late/Dockerfile", "FROM scratch\n")
    assert read().images["late"].dockerfile == "late/Dockerfile"
    full.file("services/late/Dockerfile", "FROM scratch\n")
    assert read().images["late"].dockerfile == "services/late/Dockerfile"
    (full.root / "services/late/Dockerfile").unlink()
    assert read().images["late"].dockerfile == "late/Dockerfile"
    (full.root / "late/Dockerfile").unlink()
    with pytest.raises(ConfigError, match="no Dockerfile at"):
        reading.project(full.root, {})
    # Another code that reads.
    full.file("late/Dockerfile", "FROM scratch\n")
    monkeypatch.setattr(reading, "_program", lambda: iter([("given.py", 1, 1)]))
    read()


def test_flags_are_part_of_it(full: Fleet) -> None:
    flags = [Override("project.name", "other", "--name")]
    assert reading.project(full.root, {}).name == "all"
    assert reading.project(full.root, {}, flags).name == "other"
    assert reading.project(full.root, {}, flags).origins == {"project.name": "--name"}
    assert reading.project(full.root, {}).name == "all"


def test_with_a_variable_set_nothing_is_kept_or_taken(full: Fleet) -> None:
    kept = state.folder(full.root) / "project.json"
    assert reading.project(full.root, {"OWNER": "hidden"}).registries[0].owner == "hidden"
    assert not kept.exists()
    assert reading.project(full.root, {"OWNER": ""}).registries[0].owner == "acme"
    assert kept.exists()
    assert reading.project(full.root, {"OWNER": "hidden"}).registries[0].owner == "hidden"
    assert "hidden" not in kept.read_text()


def test_what_cannot_be_kept_or_read_is_no_hindrance(full: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = FULL.replace("big = true", "big = 2026-01-01")
    full.file("build.toml", toml)
    made = counted(monkeypatch)
    assert reading.project(full.root, {}) == reading.project(full.root, {})
    assert len(made) == 2
    full.file("build.toml", FULL)
    good = reading.project(full.root, {})
    kept = state.folder(full.root) / "project.json"
    for text in ("", "[]", "{", kept.read_text()[:-9]):
        kept.write_text(text)
        assert reading.project(full.root, {}) == good


def test_a_broken_file_is_told_as_ever(fleet: Fleet) -> None:
    fleet.file("build.toml", "[project\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        reading.project(fleet.root, {})
    (fleet.root / "build.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        reading.project(fleet.root, {})


def test_what_is_read_names_only_kinds_of_the_model() -> None:
    with pytest.raises(AttributeError):
        reading.decoded(["system", "x"])
    assert set(model.__all__) >= {kind.__name__ for kind in part_of_a_project()}
