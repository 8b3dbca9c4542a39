"""Build caches: one for each image and platform, read always, written where it is allowed; real ones at the end."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.planning.caches import key
from tests import harbour
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

NAMES = st.from_regex(r"[a-z0-9]+((\.|_|__|-+|/)[a-z0-9]+){0,3}", fullmatch=True)
PLATFORMS = st.sampled_from(["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6"])


@given(NAMES, PLATFORMS, NAMES, PLATFORMS)
def test_two_images_or_platforms_never_have_one_key(one: str, here: str, other: str, there: str) -> None:
    assert (key(one, here) == key(other, there)) == ((one, here) == (other, there))


@pytest.mark.parametrize(
    "pair", [("a.b", "a_b"), ("a_b", "a__b"), ("a/b", "a-b"), ("a/b", "a_b"), ("a.b", "a/b")]
)
def test_names_that_look_alike_have_two_keys(pair: tuple[str, str]) -> None:
    assert len({key(name, "linux/amd64") for name in pair}) == 2


def targets(fleet: Fleet) -> dict[str, Any]:
    bake: dict[str, Any] = (
        fleet.inv("plan --format bake --platforms linux/amd64,linux/arm64").ok().json["target"]
    )
    return bake


def two(fleet: Fleet, cache: str) -> Fleet:
    fleet.image("api")
    fleet.image("web")
    fleet.toml(f"[images.api]\n[images.web]\n[cache]\n{cache}\n")
    return fleet


def test_every_build_reads_and_builds_of_main_write(fleet: Fleet) -> None:
    two(fleet, 'registry = "ghcr.io/acme/cache"\nlocal = "kept"\n').commit()
    place = "type=registry,ref=ghcr.io/acme/cache:api.linux-"
    folder = fleet.root / "kept"
    api = targets(fleet)["api"]
    assert api["cache-from"] == [
        f"{place}amd64",
        f"type=local,src={folder}/api.linux-amd64",
        f"{place}arm64",
        f"type=local,src={folder}/api.linux-arm64",
    ]
    assert api["cache-to"][:2] == [
        f"{place}amd64,mode=max",
        f"type=local,dest={folder}/api.linux-amd64,mode=max",
    ]
    fleet.git("checkout", "-q", "-b", "work")
    elsewhere = targets(fleet)["api"]
    assert "cache-to" not in elsewhere
    assert elsewhere["cache-from"] == api["cache-from"]


def test_which_branches_write_is_said_by_names_and_globs(fleet: Fleet) -> None:
    two(fleet, 'local = "kept"\nwrite = ["release/*"]\n').commit()
    assert "cache-to" not in targets(fleet)["api"]
    fleet.git("checkout", "-q", "-b", "release/1")
    assert targets(fleet)["api"]["cache-to"]
    two(fleet, 'local = "kept"\nwrite = []\n')
    assert "cache-to" not in targets(fleet)["api"]


def test_other_kinds_are_passed_through_with_image_and_platform_in_them(fleet: Fleet) -> None:
    two(fleet, 'others = ["type=gha,scope={image}-{platform}", "type=inline"]\nwrite = ["*"]\n')
    web = targets(fleet)["web"]
    assert web["cache-from"] == ["type=gha,scope=web-linux/amd64", "type=gha,scope=web-linux/arm64"]
    assert web["cache-to"] == [
        "type=gha,scope=web-linux/amd64",
        "type=inline",
        "type=gha,scope=web-linux/arm64",
    ]


def test_two_images_that_would_write_one_cache_are_refused_whoever_may_write(fleet: Fleet) -> None:
    two(fleet, 'others = ["type=gha,scope=fleet"]\nwrite = []\n')
    refused = fleet.inv("plan").failed(2)
    assert 'images api and web would both write the cache "type=gha,scope=fleet"' in refused.err


def test_a_cache_is_never_written_over_a_name(fleet: Fleet) -> None:
    two(fleet, 'others = ["type=registry,ref=ghcr.io/acme/{image}:latest"]\n')
    assert "is a name of an image" in fleet.inv("plan").failed(2).err


def test_what_is_wrong_with_the_table_is_said_at_once(fleet: Fleet) -> None:
    two(fleet, 'registry = "ghcr.io/acme/cache:v1"\nothers = ["gha", "type=s3,name={imge}"]\n')
    said = fleet.inv("list").failed(2).err
    assert '"ghcr.io/acme/cache:v1" names more than a repository' in said
    assert '"gha" names no kind of cache' in said
    assert "{imge}" in said


@pytest.mark.engine
def test_another_machine_takes_its_steps_from_the_registry_and_may_not_write(
    real: Fleet, engine: PrivateEngine, classic: PrivateEngine
) -> None:
    mark = uuid.uuid4().hex
    real.image("api", f"FROM busybox:stable\nRUN echo {mark} > /mark && date +%N > /when\n")
    caches = f"{real.registry}/{real.owner}/caches"
    table = f'[images.api]\n[cache]\nregistry = "{caches}"\n'
    real.toml(f'{table}local = "kept"\nwrite = ["*"]\n')
    real.inv("build").ok()
    assert harbour.tags(real.registry, f"{real.owner}/caches") == {"api.linux-amd64"}
    assert (real.root / "kept" / "api.linux-amd64" / "index.json").exists()
    reference = f"{real.registry}/{real.owner}/api:0.1.0"
    when = engine.docker("run", "--rm", reference, "cat", "/when")
    other = replace(real, env={**real.env, **classic.env, "XDG_STATE_HOME": str(real.root / "other")})
    # Its image store is the classic one, which cannot write caches.
    assert "cannot write caches" in other.inv("build").failed(2).err
    real.toml(f"{table}write = []\n")
    (built,) = other.inv("build --json").ok().json["images"]
    assert built["verdict"] == "built"
    assert built["cached"] == built["steps"] > 0
    assert classic.docker("run", "--rm", reference, "cat", "/when") == when
