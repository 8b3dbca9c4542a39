"""The gates of `release.gates` on real images: what fails one is named with its digest, and no name has moved."""

from __future__ import annotations

import pytest

from tests import harbour
from tests.builders import elsewhere
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine

GATED = """
[defaults]
platforms = ["linux/amd64", "linux/arm64"]
[release]
gates = ["contract", "size", "lint", "leaks"]
[images.api]
size = 20
expect = { user = "1000" }
tests = [{ run = "cat /word", output = "ahoy" }]
"""


@pytest.fixture
def gated(real: Fleet) -> Fleet:
    """One image for two platforms that promises its user, its size and what it says."""
    real.file("docker/api/.dockerignore", "*.md\n")
    real.file(".gitignore", "build.lock\n")
    real.toml(GATED)
    return real


def written(fleet: Fleet, *lines: str) -> None:
    """Writes the image's Dockerfile, a line of this test's own in it, and commits all."""
    own = f"RUN echo {fleet.owner} > /owner"
    fleet.image("api", "\n".join(["FROM busybox:stable", own, *lines, "USER 1000"]) + "\n")
    fleet.commit()


def names(fleet: Fleet) -> set[str]:
    found = harbour.tags(fleet.registry, f"{fleet.owner}/api")
    return {tag for tag in found if not tag.startswith("argosy-")}


def test_what_fails_a_gate_gets_no_name_and_is_told_by_its_digest(
    gated: Fleet, engine: PrivateEngine
) -> None:
    written(gated, "ENV API_TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ012345", "RUN echo avast > /word")
    ran = gated.inv("release --tag v1.0.0").failed(5)
    assert names(gated) == set()
    place = f"{gated.registry}/{gated.owner}/api@sha256:"
    for platform in ("linux/amd64", "linux/arm64"):
        assert f"contract: api {platform} ({place}" in ran.err
    assert 'run cat /word: "ahoy" is not in it\n    | avast\n' in ran.err
    assert "leaks: api linux/amd64" in ran.err
    assert "size:" not in ran.err

    written(gated, "RUN echo ahoy > /word")
    ran = gated.inv("release --tag v1.0.0").ok()
    for gate in ("contract", "size", "lint", "leaks"):
        assert f"{gate}: 2 platforms passed" in ran.err
    assert names(gated) == {"v1.0.0", "1.0", "latest"}
    [record] = gated.inv("history --json").ok().json["releases"]
    assert record["gates"]["contract"] == "2 platforms passed"
    released = harbour.manifest(gated.registry, f"{gated.owner}/api", "v1.0.0")
    assert set(record["platforms"]["api"].values()) == {one["digest"] for one in released.json["manifests"]}
    left = engine.docker("image", "ls", "--digests", "--format", "{{.Repository}}@{{.Digest}}").splitlines()
    assert not [one for one in left if one.startswith(place)], "what was pulled to be tested is gone again"


def test_a_scanner_is_asked_for_every_digest_and_missed_before_anything_is_built(gated: Fleet) -> None:
    gated.toml(
        GATED.replace('["contract", "size", "lint", "leaks"]', '["scan"]')
        + '[scan]\ncommand = ["scanner", "{reference}", "{sarif}"]\n'
    )
    written(gated, "RUN echo ahoy > /word")
    assert "scanner" in gated.inv("release --tag v1.0.0").failed(3).err
    assert harbour.tags(gated.registry, f"{gated.owner}/api") == set()
    # One that ends well and writes no report has let nothing pass.
    gated.file("bin/scanner", "#!/bin/sh\nexit 0\n", mode=0o755)
    gated.commit()
    ran = gated.inv("release --tag v1.0.0", env={"PATH": f"{gated.root}/bin:{gated.env['PATH']}"}).failed(5)
    assert "scan: api linux/arm64" in ran.err
    assert names(gated) == set()


def test_a_compose_file_of_a_gate_runs_what_is_to_be_released_whatever_tag_it_names(
    real: Fleet, engine: PrivateEngine
) -> None:
    """The last release answers well; it is the new one that must."""
    real.file(".gitignore", "build.lock\n")
    real.file(
        "compose.yaml",
        f"""
        services:
          api:
            image: {real.registry}/{real.owner}/api:latest
            ports: ["80"]
          worker:
            image: {real.registry}/{real.owner}/worker:latest
        """,
    )
    real.toml(
        """
        [release]
        gates = ["contract"]
        [images.api]
        [images.worker]
        tests = [{ compose = "compose.yaml", service = "api", http = "/word", within = "20s" }]
        """
    )
    served = f'RUN mkdir /www && echo {real.owner} > /www/word\nCMD ["httpd", "-f", "-h", "/www"]\n'
    real.image("worker", f'FROM busybox:stable\nRUN echo {real.owner} > /owner\nCMD ["sleep", "60"]\n')
    real.image("api", f"FROM busybox:stable\n{served}")
    real.commit()
    real.inv("release --tag v1.0.0").ok()
    assert "latest" in names(real)

    real.image("api", f"FROM busybox:stable\n{served}ENTRYPOINT false\n")
    real.commit()
    assert "contract: worker linux/amd64" in real.inv("release --tag v1.1.0").failed(5).err
    assert "v1.1.0" not in names(real)
    left = engine.docker("image", "ls", "--digests", "--format", "{{.Repository}}@{{.Digest}}")
    assert f"{real.owner}/api@sha256" not in left, "what was pulled to be tested is gone again"


def test_what_cannot_be_run_has_not_passed_and_what_promises_nothing_needs_no_run(real: Fleet) -> None:
    """Its builder has a node of that platform; the engine that tests has no emulation for it."""
    real.file(".gitignore", "build.lock\n.bin\n")
    real.toml(
        """
        [defaults]
        platforms = ["linux/amd64", "linux/arm64"]
        [release]
        gates = ["contract"]
        [images.api]
        tests = [{ run = "true" }]
        [images.worker]
        """
    )
    for name in ("api", "worker"):
        real.image(name, f"FROM busybox:stable\nRUN echo {real.owner} > /owner\n")
    env = elsewhere(real, "linux/amd64, linux/arm64", "linux/amd64")
    real.commit()
    said = real.inv("release --tag v1.0.0", env=env).failed(5).err
    assert "contract: api linux/arm64" in said
    assert "this engine cannot run linux/arm64" in said
    assert "contract: worker" not in said
    assert "contract: api linux/amd64" not in said
    assert names(real) == set()
