"""Pushes to real registries: all images first, then all names or none; looked at over the registries' own HTTP."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests import harbour, registries
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine

BOTH = "linux/amd64,linux/arm64"
NAMES = {"0.1.0", "latest"}


def names(registry: str, repository: str) -> set[str]:
    """A repository's tags without the addresses, which are no names."""
    return {tag for tag in harbour.tags(registry, repository) if not tag.startswith("argosy-")}


def pair(fleet: Fleet, mark: str = "one") -> None:
    """Two images: api stands on base."""
    fleet.image("base", f"FROM busybox:stable\nRUN echo {mark} {fleet.owner} > /mark\n")
    fleet.image("api", f"FROM {fleet.owner}/base:0.9\nRUN uname -m > /machine\n")


def test_every_platform_of_a_child_stands_on_that_platform_of_its_base(real: Fleet, engine: PrivateEngine):
    pair(real)
    real.toml("[images.base]\n[images.api]\n")
    ran = real.inv(f"push --platforms {BOTH}").ok()
    assert "pushed" in ran.out
    for image in ("base", "api"):
        repository = f"{real.owner}/{image}"
        assert names(real.registry, repository) == NAMES
        found = harbour.manifest(real.registry, repository, "0.1.0")
        assert found.platforms == {"linux/amd64", "linux/arm64"}
        assert len(found.json["manifests"]) == 2
        assert harbour.manifest(real.registry, repository, "latest").digest == found.digest
        assert f"{real.registry}/{repository}:0.1.0" in ran.out
        assert found.digest.removeprefix("sha256:")[:12] in ran.out
    reference = f"{real.registry}/{real.owner}/api:0.1.0"
    for platform, machine in (("linux/amd64", "x86_64"), ("linux/arm64", "aarch64")):
        engine.docker("pull", "-q", "--platform", platform, reference)
        said = engine.docker("run", "--rm", "--platform", platform, reference, "cat", "/machine", "/mark")
        assert said == f"{machine}\none {real.owner}"


def test_names_move_from_digest_to_digest_and_an_unchanged_push_moves_none(real: Fleet):
    pair(real)
    real.toml("[images.base]\n[images.api]\n")
    first = real.inv("push --json").ok().json
    assert {moved["change"] for moved in first["moved"]} == {"new"}
    old = {
        image: harbour.manifest(real.registry, f"{real.owner}/{image}", "latest").digest
        for image in ("base", "api")
    }
    again = real.inv("push --json").ok().json
    assert {(moved["change"], moved["old"] == moved["new"]) for moved in again["moved"]} == {
        ("unchanged", True)
    }
    pair(real, "two")
    third = real.inv("push --json --tags latest").ok().json
    assert third["schema"] == 1
    for moved in third["moved"]:
        image = moved["reference"].rpartition("/")[2].removesuffix(":latest")
        now = harbour.manifest(real.registry, f"{real.owner}/{image}", "latest").digest
        assert (moved["change"], moved["old"], moved["new"]) == ("moved", old[image], now)
        assert harbour.manifest(real.registry, f"{real.owner}/{image}", "0.1.0").digest == old[image]
    assert {image["output"] for image in third["images"]} == {"pushed"}


def test_images_that_share_a_repository_keep_their_own_names(real: Fleet):
    for image in ("base", "api"):
        real.image(image, f"FROM busybox:stable\nRUN echo {image} {real.owner} > /mark\n")
    shared = 'repository = "app"\ntags = ["{image}-1"]\n'
    real.toml(f"[images.base]\n{shared}[images.api]\n{shared}")
    moved = {
        one["reference"].rpartition(":")[2]: one["new"] for one in real.inv("push --json").ok().json["moved"]
    }
    repository = f"{real.owner}/app"
    assert names(real.registry, repository) == {"base-1", "api-1"}
    assert {tag: harbour.manifest(real.registry, repository, tag).digest for tag in moved} == moved
    assert moved["base-1"] != moved["api-1"]


def test_no_name_moves_while_one_image_fails(real: Fleet):
    pair(real)
    real.image("broken", "FROM busybox:stable\nRUN sleep 2 && false\n")
    real.toml("[images.base]\n[images.api]\n[images.broken]\n")
    ran = real.inv("push").failed(4)
    assert "1 of 3 images failed: broken; no name was moved" in ran.err
    ran = real.inv("push --keep-going --json").failed(4)
    assert {image["name"]: image["verdict"] == "failed" for image in ran.json["images"]} == {
        "base": False, "api": False, "broken": True,
    }  # fmt: skip
    assert ran.json["moved"] == []
    assert "pushed" not in {image["output"] for image in ran.json["images"]}
    for image in ("base", "api", "broken"):
        assert names(real.registry, f"{real.owner}/{image}") == set()


def released(fleet: Fleet, image: str, tag: str) -> harbour.Found:
    """Puts a release's index where an image's name is: the same platforms, said to be of a release."""
    repository = f"{fleet.owner}/{image}"
    plain = harbour.manifest(fleet.registry, repository, tag)
    index = harbour.annotated(plain, **{"dev.argosy.release": "v0.1.0"})
    harbour.put(fleet.registry, repository, tag, index)
    return index


def test_a_name_that_a_release_made_is_refused_before_a_build_and_no_other_moves(real: Fleet):
    pair(real)
    real.toml("[images.base]\n[images.api]\n")
    real.inv(f"push --tags 0.1.0 --platforms {BOTH}").ok()
    index = released(real, "base", "0.1.0")
    pair(real, "two")
    ran = real.inv(f"push --platforms {BOTH}").failed(6)
    name = f"{real.registry}/{real.owner}/base:0.1.0"
    assert f"{name}: stands at {index.digest} (release v0.1.0), would move to what is built now" in ran.err
    assert "--overwrite" in ran.err
    assert "log:" not in ran.out + ran.err  # nothing was built
    real.inv(f"push --tags other --platforms {BOTH}").ok()
    other = harbour.manifest(real.registry, f"{real.owner}/base", "other").digest
    ran = real.inv(f"push --platforms {BOTH}").failed(6)
    assert f"{name}: stands at {index.digest} (release v0.1.0), would move to {other}" in ran.err
    for image in ("base", "api"):
        assert names(real.registry, f"{real.owner}/{image}") == {"0.1.0", "other"}
    assert harbour.manifest(real.registry, f"{real.owner}/base", "0.1.0").digest == index.digest
    real.inv(f"push --overwrite --platforms {BOTH}").ok()
    assert harbour.manifest(real.registry, f"{real.owner}/base", "0.1.0").digest == other
    for image in ("base", "api"):
        assert names(real.registry, f"{real.owner}/{image}") == {*NAMES, "other"}


def test_a_name_that_a_release_made_stays_over_what_it_has_already(real: Fleet):
    pair(real)
    real.toml("[images.base]\n[images.api]\n")
    real.inv(f"push --platforms {BOTH}").ok()
    index = released(real, "base", "0.1.0")
    moved = real.inv(f"push --json --platforms {BOTH}").ok().json["moved"]
    assert {one["change"] for one in moved} == {"unchanged"}
    assert harbour.manifest(real.registry, f"{real.owner}/base", "0.1.0").digest == index.digest
    assert index.digest in {one["new"] for one in moved}
    fewer = real.inv("push --platforms linux/amd64").failed(6)  # an index of one platform is another
    assert "(release v0.1.0), would move to" in fewer.err


def test_two_registries_with_owners_and_tags_of_their_own_get_the_same_images(real: Fleet, tmp_path: Path):
    pair(real)
    with registries.registry(real.env, tmp_path / "second") as second:
        head = f"""
        [project]
        version = "0.1.0"
        [[project.registries]]
        host = "{real.registry}"
        owner = "{real.owner}"
        [[project.registries]]
        host = "{second.host}"
        owner = "mirror"
        tags = ["{{version}}", "edge"]
        """
        real.file("build.toml", head + "\n[images.base]\n[images.api]\naliases = ['service']\n")
        real.inv(f"push --platforms {BOTH}").ok()
        for image in ("base", "api", "service"):
            assert names(real.registry, f"{real.owner}/{image}") == NAMES
            assert names(second.host, f"mirror/{image}") == {"0.1.0", "edge"}
            here = harbour.manifest(real.registry, f"{real.owner}/{image}", "0.1.0")
            there = harbour.manifest(second.host, f"mirror/{image}", "edge")
            assert here.digest == there.digest


def test_permission_is_asked_before_anything_is_built(real: Fleet, tmp_path: Path):
    pair(real)
    with registries.registry(real.env, tmp_path / "locked", htpasswd=True) as locked:
        real.toml("[images.base]\n[images.api]\n")
        ran = real.inv(f"push --registry {locked.host}").failed(3)
        assert f"docker login {locked.host}" in ran.err
        assert "RUN" not in ran.out + ran.err
        login = ["docker", "login", "-u", registries.USER, "--password-stdin", locked.host]
        config = tmp_path / "config"
        config.mkdir()
        (config / "cli-plugins").symlink_to(Path(real.env["DOCKER_CONFIG"]) / "cli-plugins")
        env = {"DOCKER_CONFIG": str(config)}
        real.run(*login, env=env, input=registries.PASSWORD).ok()
        real.inv(f"push --registry {locked.host}", env=env).ok()
        stored = locked.folder / "data/docker/registry/v2/repositories" / real.owner / "api/_manifests/tags"
        assert {tag.name for tag in stored.iterdir()} >= NAMES
        assert registries.PASSWORD not in ran.err + ran.out
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ran = real.inv(f"push --registry 127.0.0.1:{port}").failed(3)
    assert f"127.0.0.1:{port}" in ran.err
    assert "RUN" not in ran.out + ran.err


def test_what_is_not_published_is_built_and_stays(real: Fleet):
    pair(real)
    real.toml("[images.base]\npublish = false\n[images.api]\n")
    ran = real.inv("push --json").ok()
    assert {image["name"]: image["output"] for image in ran.json["images"]} == {
        "base": "not loaded, not pushed",
        "api": "pushed",
    }
    assert names(real.registry, f"{real.owner}/base") == set()
    assert names(real.registry, f"{real.owner}/api") == NAMES


def test_a_push_gives_the_engine_no_names_that_nobody_asked_for(real: Fleet, engine: PrivateEngine):
    pair(real)
    real.toml("[images.base]\n[images.api]\n")
    before = set(engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines())
    real.inv("push").ok()
    after = set(engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines())
    mine = {name for name in after - before if real.owner in name}
    assert not {name for name in mine if not name.rpartition(":")[2].startswith("argosy-")}
    assert not {name for name in mine if name.endswith(":argosy-staging")}


def test_the_classic_store_pushes_one_platform_and_says_what_to_do_for_several(
    real: Fleet, classic: PrivateEngine
):
    pair(real)
    real.toml("[images.base]\n[images.api]\n")
    env = {"DOCKER_HOST": classic.env["DOCKER_HOST"]}
    for task in ("build", "push", "build --output none"):
        ran = real.inv(f"{task} --platforms {BOTH}", env=env).failed(2)
        assert "--platforms linux/amd64" in ran.err
        assert "[builder]" in ran.err
        assert "RUN" not in ran.err
    ran = real.inv("push --json", env=env).ok()
    found = harbour.manifest(real.registry, f"{real.owner}/api", "0.1.0")
    assert found.digest == next(m["new"] for m in ran.json["moved"] if m["reference"].endswith("/api:0.1.0"))
    config = found.json["config"]["digest"]
    assert json.loads(harbour_blob(real.registry, f"{real.owner}/api", config))["architecture"] == "amd64"


def harbour_blob(registry: str, repository: str, digest: str) -> bytes:
    import urllib.request

    with urllib.request.urlopen(f"http://{registry}/v2/{repository}/blobs/{digest}", timeout=10) as response:
        return bytes(response.read())
