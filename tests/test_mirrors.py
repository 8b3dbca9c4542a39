"""Outside bases that are taken from elsewhere, the Dockerfiles as they are."""

from __future__ import annotations

import pytest

from tasks.planning.bakefile import bakefile
from tests.conftest import PrivateEngine
from tests.planned import plan
from tests.scenario import Fleet


def test_bake_is_told_where_the_base_is_really_taken_from(fleet: Fleet) -> None:
    fleet.image("api", "FROM golang:1.24 AS build\nFROM docker.io/library/alpine\nCOPY --from=build /x /x\n")
    fleet.toml(
        '[images.api]\n[mirror]\n"golang:1.24" = "localhost:5000/go:1"\n"alpine:latest" = "quay.io/alpine:3"\n'
    )
    made = plan(fleet)
    assert bakefile(made)["target"]["api"]["contexts"] == {
        "golang:1.24": "docker-image://localhost:5000/go:1",
        "alpine": "docker-image://quay.io/alpine:3",
    }
    assert made["api"].notes == (
        "golang:1.24 is taken from localhost:5000/go:1 ([mirror])",
        "alpine is taken from quay.io/alpine:3 ([mirror])",
    )


def test_a_named_context_that_is_an_image_is_mirrored_too(fleet: Fleet) -> None:
    fleet.image("api", "FROM base\n")
    fleet.toml(
        '[images.api]\ncontexts = { base = "docker-image://alpine:3" }\n[mirror]\n"alpine:3" = "quay.io/alpine:3"\n'
    )
    assert plan(fleet)["api"].contexts == {"base": "docker-image://quay.io/alpine:3"}


def test_neither_a_sibling_nor_what_no_stage_asks_for_is_mirrored(fleet: Fleet) -> None:
    fleet.image("base")
    fleet.image("api", "FROM rust:1 AS unused\nFROM ghcr.io/acme/base:2\n")
    fleet.toml(
        '[images.api]\n[images.base]\n[mirror]\n"ghcr.io/acme/base:2" = "quay.io/base"\n"rust:1" = "quay.io/rust"\n'
    )
    api = plan(fleet)["api"]
    assert (api.mirror, api.notes) == ({}, ())
    assert [need.image for need in api.needs] == ["base"]


@pytest.mark.engine
def test_what_is_locked_addressed_and_built_is_the_stand_in(real: Fleet, engine: PrivateEngine) -> None:
    place = f"{real.registry}/{real.owner}/stand-in"
    real.image("stand-in", "FROM busybox:stable\nRUN echo first > /which\n")
    real.image("api", "FROM nowhere.invalid/golang:1.24\nRUN cp /which /copied\n")
    real.toml("[images.stand-in]\n")
    real.inv("push --tags one").ok()
    real.toml(f'[images.api]\n[mirror]\n"nowhere.invalid/golang:1.24" = "{place}:one"\n')

    real.inv("build").ok()
    assert (
        engine.docker("run", "--rm", f"{real.registry}/{real.owner}/api:0.1.0", "cat", "/copied") == "first"
    )
    lock = (real.root / "build.lock").read_text()
    assert f'"{place}:one" = "sha256:' in lock
    assert "nowhere.invalid" not in lock
    shown = real.inv("plan").ok().out
    assert f"nowhere.invalid/golang:1.24 is taken from {place}:one ([mirror])" in shown
    assert real.inv("plan --format json").ok().json["images"][0]["action"] == "reuse"

    real.image("stand-in", "FROM busybox:stable\nRUN echo second > /which\n")
    real.toml("[images.stand-in]\n")
    real.inv("push --tags two").ok()
    real.toml(f'[images.api]\n[mirror]\n"nowhere.invalid/golang:1.24" = "{place}:two"\n')
    (api,) = real.inv("plan --format json").ok().json["images"]
    assert (api["action"], f"base {place}:two is new" in api["reason"]) == ("build", True)


@pytest.mark.engine
def test_a_stand_in_that_is_not_there_is_named_with_what_it_stands_in_for(real: Fleet) -> None:
    real.image("api", "FROM golang:1.24\n")
    real.toml(f'[images.api]\n[mirror]\n"golang:1.24" = "{real.registry}/{real.owner}/nope:1"\n')
    said = real.inv("build").failed(3).err
    assert "api (docker/api/Dockerfile)" in said
    assert "nope:1" in said
    assert "in place of golang:1.24, [mirror]" in said
