"""Builders of one's own: made once, never the current one, built with."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.engine.builders import creation
from tasks.model import Builder
from tests import harbour
from tests.bridge import boxed, bridge
from tests.checkout import Checkout
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

BOTH = "linux/amd64,linux/arm64"


def test_each_node_is_a_call_and_only_the_first_creates():
    nodes = (
        {"endpoint": "tcp://a:1", "platforms": "linux/amd64", "name": "here"},
        {
            "endpoint": "ssh://b",
            "platforms": "linux/arm64,linux/arm/v7",
            "options": "image=moby/buildkit:v0.13.2",
        },
    )
    assert creation(Builder("fleet", "docker-container", nodes)) == [
        ["create", "--name", "fleet", "--driver", "docker-container", "--node", "here",
         "--platform", "linux/amd64", "tcp://a:1"],
        ["create", "--name", "fleet", "--driver", "docker-container", "--append",
         "--platform", "linux/arm64,linux/arm/v7", "--driver-opt", "image=moby/buildkit:v0.13.2", "ssh://b"],
    ]  # fmt: skip
    assert creation(Builder("plain")) == [["create", "--name", "plain", "--driver", "docker-container"]]


@pytest.fixture
def builder(real: Fleet, engine: PrivateEngine) -> Iterator[str]:
    """A builder that build.toml names, with one node: the engine's BuildKit behind a port of its own."""
    name = f"fleet-{uuid.uuid4().hex[:6]}"
    with bridge(engine.env["DOCKER_HOST"]) as endpoint:
        real.image("base", f"FROM busybox:stable\nRUN uname -m > /machine && echo {name} > /mark\n")
        real.image("api", f"FROM {real.owner}/base:3\nRUN cat /machine /mark > /both\n")
        real.toml(f"""
        [images.base]
        [images.api]
        [builder]
        name = "{name}"
        driver = "remote"
        nodes = [{{ endpoint = "{endpoint}", platforms = "{BOTH}" }}]
        """)
        yield name
        real.run("docker", "buildx", "rm", "--force", name)


@pytest.mark.engine
def test_a_builder_is_created_once_never_current_and_builds(real: Fleet, engine: PrivateEngine, builder: str):
    ran = real.inv("build").failed(3)
    assert f'there is no builder "{builder}"' in ran.err
    assert "inv builder" in ran.err

    current = real.run("docker", "buildx", "inspect").ok().out
    assert f"builder {builder} (remote) created and is up: linux/amd64" in real.inv("builder").ok().out
    assert f"builder {builder} (remote) was there and is up" in real.inv("builder").ok().out
    assert real.run("docker", "buildx", "inspect").ok().out.splitlines()[0] == current.splitlines()[0]
    assert f"{builder} *" not in real.run("docker", "buildx", "ls").ok().out

    real.inv("build --platforms linux/amd64").ok()
    reference = f"{real.registry}/{real.owner}/api:0.1.0"
    assert engine.docker("run", "--rm", reference, "cat", "/both") == f"x86_64\n{builder}"

    real.inv(f"push --platforms {BOTH}").ok()
    for image in ("base", "api"):
        found = harbour.manifest(real.registry, f"{real.owner}/{image}", "0.1.0")
        assert found.platforms == {"linux/amd64", "linux/arm64"}
    said = engine.docker(
        "run", "--rm", "--pull", "always", "--platform", "linux/arm64", reference, "cat", "/both"
    )
    assert said == f"aarch64\n{builder}"

    ran = real.inv("build --images api --no-deps --rebuild --registry localhost:1").failed(3)
    assert "localhost:1" in ran.err
    ran = real.inv("build --images api --no-deps --rebuild --tags none").failed(2)
    assert f"{real.owner}/base:none is not in the registry" in ran.err

    assert f"builder {builder} removed" in real.inv("builder --remove").ok().out
    assert f"builder {builder} was not there" in real.inv("builder --remove").ok().out
    assert builder not in real.run("docker", "buildx", "ls").ok().out


@pytest.mark.engine
def test_a_builder_in_a_container_is_started_builds_loads_and_is_removed(
    real: Fleet, engine: PrivateEngine, tmp_path: Path
):
    name = f"box-{uuid.uuid4().hex[:6]}"
    with boxed(engine.env, engine.registry, tmp_path) as options:
        real.image("api", f"FROM busybox:stable\nRUN echo {name} > /mark\n")
        real.toml(f"""
        [images.api]
        [builder]
        name = "{name}"
        nodes = [{{ options = "{options}" }}]
        """)
        try:
            assert f"builder {name} (docker-container) created and is up" in real.inv("builder").ok().out
            box = f"buildx_buildkit_{name}0"
            engine.docker("stop", "--time", "0", box)
            err = real.inv("build").failed(3).err
            assert err == f'the builder "{name}" is not up; `inv builder` starts it.\n'
            assert f"builder {name} (docker-container) was there and is up" in real.inv("builder").ok().out
            assert "1 built" in real.inv("build").ok().out
            reference = f"{real.registry}/{real.owner}/api:0.1.0"
            assert engine.docker("run", "--rm", reference, "cat", "/mark") == name
            assert "1 reused" in real.inv("build").ok().out
        finally:
            assert f"builder {name} removed" in real.inv("builder --remove").ok().out
        assert box not in engine.docker("ps", "--all", "--format", "{{.Names}}")


@pytest.mark.engine
def test_a_builder_whose_second_node_is_refused_is_not_kept_with_one(real: Fleet):
    name = f"half-{uuid.uuid4().hex[:6]}"
    real.image("api")
    real.toml(f"""
    [images.api]
    [builder]
    name = "{name}"
    driver = "remote"
    nodes = [
        {{ endpoint = "tcp://127.0.0.1:1" }},
        {{ endpoint = "tcp://127.0.0.1:2", options = "nonsense=1" }},
    ]
    """)
    try:
        for _ in range(2):
            assert "nonsense" in real.inv("builder").failed(3).err
            assert name not in real.run("docker", "buildx", "ls").ok().out
    finally:
        real.run("docker", "buildx", "rm", "--force", name)


@pytest.mark.engine
def test_without_a_name_there_is_nothing_to_create(real: Fleet):
    real.image("api")
    real.toml("[images.api]\n")
    ran = real.inv("builder").failed(2)
    assert "[builder]" in ran.err


@pytest.mark.engine
def test_a_builder_that_is_not_up_is_named_with_what_starts_it(real: Fleet):
    name = f"dead-{uuid.uuid4().hex[:6]}"
    real.image("api")
    real.toml(f"[images.api]\n[builder]\nname = '{name}'\n")
    real.run("docker", "buildx", "create", "--name", name, "--driver", "remote", "tcp://127.0.0.1:1").ok()
    ran = real.inv("build").failed(3)
    assert ran.err == f'the builder "{name}" is not up; `inv builder` starts it.\n'
    real.run("docker", "buildx", "rm", name).ok()


@pytest.fixture
def another() -> Iterator[dict[str, str]]:
    """The environment of a second engine, which stands for a second machine; it is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="argosy-node-"))
    checkout = Checkout.copied_to(folder)
    started = checkout.run("engine", "start")
    assert started.returncode == 0, started.stderr
    try:
        yield checkout.exports()
    finally:
        checkout.run("engine", "remove")
        shutil.rmtree(folder)


@pytest.mark.engine
def test_a_builder_of_two_nodes_joins_their_platforms_and_publishes_no_name_of_its_own(
    real: Fleet, engine: PrivateEngine, another: dict[str, str]
):
    """Pushed by digest, what two nodes make is published as `latest`: so an address is what it is pushed by."""
    name = f"pair-{uuid.uuid4().hex[:6]}"
    with bridge(engine.env["DOCKER_HOST"]) as here, bridge(another["DOCKER_HOST"]) as there:
        base = f"{real.registry}/library/busybox:stable"
        real.image("api", f"FROM {base}\nRUN uname -m > /machine && echo {name} > /mark\n")
        real.toml(f"""
        [images.api]
        [tags]
        release = ["{{version}}"]
        [builder]
        name = "{name}"
        driver = "remote"
        nodes = [
            {{ endpoint = "{here}", platforms = "linux/amd64" }},
            {{ endpoint = "{there}", platforms = "linux/arm64" }},
        ]
        """)
        real.inv("builder").ok()
        try:
            real.inv(f"release --tag v1.0.0 --platforms {BOTH}").ok()
        finally:
            real.run("docker", "buildx", "rm", "--force", name)
    found = harbour.tags(real.registry, f"{real.owner}/api")
    assert {tag for tag in found if not tag.startswith("argosy-")} == {"1.0.0"}
    assert harbour.manifest(real.registry, f"{real.owner}/api", "1.0.0").platforms == set(BOTH.split(","))
