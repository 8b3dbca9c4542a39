"""Gates that `release.gates` names, on the digests in the registry: what does not pass moves no name."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests import harbour
from tests.scanners import Scanner
from tests.scenario import Fleet

pytestmark = pytest.mark.engine


def test_a_leak_and_a_vulnerability_each_keep_a_release_back(real: Fleet, tmp_path: Path) -> None:
    scanner = Scanner(tmp_path / "scanner")
    value = f"s3cr3t-{uuid.uuid4().hex}"
    real.file("token.txt", f"{value}\n")
    # Each run its own step: a cached one would hold an earlier run's secret.
    mount = f"RUN --mount=type=secret,id=token,target=/run/token : {uuid.uuid4().hex} &&"
    real.image("api", f"FROM busybox:1.37\n{mount} cp /run/token /kept\nUSER 1000\n")
    real.toml(
        """
        [defaults]
        secrets = { token = { file = "token.txt" } }
        platforms = ["linux/amd64", "linux/arm64"]
        [images.api]
        [mirror]
        "busybox:1.37" = "busybox:stable"
        [release]
        gates = ["lint", "leaks", "scan"]
        git = "off"
        """
    )
    real.file(".gitignore", "token.txt\nbuild.lock\n")
    real.commit()
    env = scanner.path(real.env)
    repository = f"{real.owner}/api"

    def names() -> set[str]:
        return {tag for tag in harbour.tags(real.registry, repository) if not tag.startswith("argosy-")}

    ran = real.inv("release --tag v0.2.0", env=env)
    assert ran.code in {5, 6}, ran.err
    assert ran.err.count("the secret token is in /kept") == 2, "on both platforms"
    assert value not in ran.out + ran.err
    assert not names()

    real.image("api", f"FROM busybox:1.37\n{mount} wc -c < /run/token > /kept\nUSER 1000\n")
    real.commit()
    scanner.finds(("CVE-2026-1", "9.8"))
    ran = real.inv("release --tag v0.2.0", env=env)
    assert ran.code in {5, 6}, ran.err
    assert "scan: 1 critical" in ran.err
    assert not names()

    scanner.finds()
    real.inv("release --tag v0.2.0", env=env).ok()
    assert "v0.2.0" in names()
    scanned = [word for call in scanner.calls for word in call if "@sha256:" in word]
    children = {
        one["digest"] for one in harbour.manifest(real.registry, repository, "v0.2.0").json["manifests"]
    }
    assert {word.partition("@")[2] for word in scanned[-2:]} == children, "what is named is what was scanned"


def test_a_push_moves_no_name_to_what_holds_a_secret_now_or_later(real: Fleet) -> None:
    value = f"s3cr3t-{uuid.uuid4().hex}"
    # Each run its own step: a cached one would hold an earlier run's secret.
    mount = f"RUN --mount=type=secret,id=token,target=/run/token : {uuid.uuid4().hex} &&"
    real.image("api", f"FROM busybox:stable\n{mount} cp /run/token /kept\n")
    real.toml('[images.api]\nsecrets = { token = { env = "TOKEN" } }')
    for _ in range(2):
        ran = real.inv("push", env={"TOKEN": value}).failed(5)
        assert "no name was moved" in ran.err
        assert value not in ran.out + ran.err
        names = harbour.tags(real.registry, f"{real.owner}/api")
        assert not [tag for tag in names if not tag.startswith("argosy-")]
    real.image("api", f"FROM busybox:stable\n{mount} wc -c < /run/token > /kept\n")
    real.inv("push", env={"TOKEN": value}).ok()
