"""scripts/bases: outside base images from Debian's packages, under their usual names."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import harbour
from tests.checkout import Checkout
from tests.scenario import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from base_images import layout, recipe, roots
from private_engine import place, registry
from private_engine.problem import ProblemError

NAMES = ["busybox:stable", "debian:trixie-slim", "golang:1.24-trixie", "python:3.13-slim-trixie"]
# A client that finds no registry on the internet, wherever the tests run.
OFFLINE = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "localhost,127.0.0.1",
}


@pytest.fixture(scope="module")
def second() -> Iterator[Checkout]:
    """A second checkout with an engine, and all bases served by its registry (from the cache, if it is warm)."""
    with tempfile.TemporaryDirectory(prefix="argosy-second-") as folder:
        checkout = Checkout.copied_to(Path(folder))
        started = checkout.run("engine", "start")
        assert started.returncode == 0, started.stderr
        made = checkout.run("bases", **OFFLINE)
        assert made.returncode == 0, made.stderr
        yield checkout
        assert checkout.run("engine", "remove").returncode == 0


# --- recipes --------------------------------------------------------------------------------------------------------


def test_a_base_is_made_anew_when_its_recipe_or_its_foundation_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python = recipe.named("python:3.13-slim-trixie")
    changed = dataclasses.replace(python, dockerfile=f"{python.dockerfile}ENV A=b\n")
    assert recipe.digest(changed) != recipe.digest(python)
    known = recipe.digest(python)
    foundation = dataclasses.replace(recipe.named("debian:trixie-slim"), root="another")
    monkeypatch.setattr(recipe, "BASES", (foundation, python))
    assert recipe.digest(python) != known


def test_who_asks_for_a_base_gets_its_foundation_first() -> None:
    assert [base.name for base in recipe.with_foundations(["golang:1.24-trixie"])] == [
        "debian:trixie-slim",
        "golang:1.24-trixie",
    ]
    assert [base.name for base in recipe.with_foundations([])] == NAMES


def test_every_root_has_a_maker() -> None:
    assert {base.root for base in recipe.BASES if base.root} == set(roots.MAKERS)


def test_the_list_names_every_base_without_any_engine() -> None:
    done = subprocess.run([ROOT / "scripts/bases", "--list"], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == NAMES


def test_an_unknown_base_is_refused_with_the_known_ones() -> None:
    done = subprocess.run([ROOT / "scripts/bases", "alpine"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown base alpine" in done.stderr
    assert "busybox:stable" in done.stderr


def test_an_engine_that_is_set_and_dead_is_an_error() -> None:
    done = subprocess.run(
        [ROOT / "scripts/bases"],
        env={"PATH": os.environ["PATH"], "DOCKER_HOST": "unix:///nowhere/dead.sock"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "unix:///nowhere/dead.sock" in done.stderr


def test_a_layout_goes_nowhere_when_the_registry_is_down(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    (tmp_path / "index.json").write_text(
        json.dumps({"manifests": [{"digest": "sha256:0", "mediaType": "x"}]})
    )
    (tmp_path / "0").write_text(json.dumps({"config": {"digest": "sha256:0", "size": 2}}))
    with tarfile.open(archive, "w") as tar:
        tar.add(tmp_path / "index.json", "index.json")
        tar.add(tmp_path / "0", "blobs/sha256/0")
    with pytest.raises(ProblemError, match=r"127\.0\.0\.1:9 broke off"):
        layout.push(archive, 9, "library/x", "1")


# --- the real thing -------------------------------------------------------------------------------------------------


def settings(checkout: Checkout, name: str, platform: str) -> dict[str, Any]:
    """The image's configuration for one platform, read from the registry."""
    address, repository = checkout.exports()["ARGOSY_REGISTRY"], f"library/{name.partition(':')[0]}"
    found = harbour.manifest(address, repository, name.partition(":")[2])
    if "manifests" in found.json:
        digest = next(
            one["digest"]
            for one in found.json["manifests"]
            if f"{one['platform']['os']}/{one['platform']['architecture']}" == platform
        )
        found = harbour.manifest(address, repository, digest)
    url = f"http://{address}/v2/{repository}/blobs/{found.json['config']['digest']}"
    with urllib.request.urlopen(url, timeout=10) as response:
        value: dict[str, Any] = json.load(response)
    return value


@pytest.mark.engine
@pytest.mark.parametrize(
    ("name", "command", "environment"),
    [
        ("busybox:stable", ["sh"], "PATH=/usr/local/sbin:"),
        ("debian:trixie-slim", ["bash"], "PATH=/usr/local/sbin:"),
        ("python:3.13-slim-trixie", ["python3"], "LANG=C.UTF-8"),
    ],
)
@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_each_platform_is_set_up_as_the_usual_image_is(
    second: Checkout, name: str, command: list[str], environment: str, platform: str
) -> None:
    found = settings(second, name, platform)
    assert f"{found['os']}/{found['architecture']}" == platform
    assert found["config"]["Cmd"] == command
    assert any(line.startswith(environment) for line in found["config"]["Env"])


@pytest.mark.engine
def test_a_second_run_does_nothing_and_says_nothing(second: Checkout) -> None:
    again = second.run("bases", **OFFLINE)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.mark.engine
def test_an_unmodified_dockerfile_finds_its_bases_on_both_platforms(second: Checkout, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM python:3.13-slim-trixie AS python\n"
        "RUN python -c 'import platform, ssl, zoneinfo; assert ssl.create_default_context().cert_store_stats'\n"
        "FROM busybox:stable\n"
        "COPY --from=python /etc/debian_version /\n"
        'RUN [ "$(cut -d. -f1 /debian_version)" = 13 ] && id nobody && uname -m > /machine\n'
    )
    second.docker(
        "buildx", "build", "--platform=linux/amd64,linux/arm64", "--load", "--tag=bases:1", str(tmp_path)
    )
    for platform, machine in (("linux/amd64", "x86_64"), ("linux/arm64", "aarch64")):
        printed = second.docker("run", "--rm", "--platform", platform, "bases:1", "cat", "/machine")
        assert printed.splitlines()[-1] == machine


@pytest.mark.engine
def test_a_second_checkout_gets_the_same_digests(second: Checkout) -> None:
    cached = place.cache() / "bases"
    for base in recipe.BASES:
        served = harbour.manifest(second.exports()["ARGOSY_REGISTRY"], base.repository, base.tag)
        (archive,) = cached.glob(f"{base.file_name}-*-{recipe.digest(base)}.oci.tar")
        assert served.digest == layout.digest(archive)


@pytest.mark.engine
def test_an_engine_of_the_users_own_gets_the_base_loaded_where_nothing_can_be_pulled(
    second: Checkout,
) -> None:
    assert second.run("engine", "start", "--store", "classic").returncode == 0
    user = second.exports("classic")
    with tempfile.TemporaryDirectory() as folder:
        third = Checkout.copied_to(Path(folder))
        made = third.run("bases", "busybox:stable", **{**user, **OFFLINE})
        assert made.returncode == 0, made.stderr
        assert "loaded into your engine" in made.stdout
        assert (
            second.docker("run", "--rm", "--pull=never", "busybox:stable", "echo", "ahoy", store="classic")
            == "ahoy"
        )
        assert third.run("bases", "busybox:stable", **{**user, **OFFLINE}).stdout == ""


def test_the_registrys_port_is_unknown_before_its_first_start(tmp_path: Path) -> None:
    assert registry.kept_port(place.Place.of(tmp_path)) is None
