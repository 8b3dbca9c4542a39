"""Whole plans of meaningful projects, as they were looked at and found right: tests/golden/*.json.

`UPDATE_GOLDEN=1 pytest tests/test_golden.py` writes them anew; then read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks import config
from tasks.planning import planner
from tasks.planning.bakefile import bakefile
from tasks.planning.request import Request
from tests.planned import AMD, ARM, BOTH, engine, facts, git
from tests.scenario import ROOT, Fleet

GOLDEN = Path(__file__).parent / "golden"


def minimal(fleet: Fleet) -> None:
    """Two images and as few words as there can be."""
    fleet.image("api")
    fleet.file("services/worker/Dockerfile", "FROM busybox\n")
    fleet.toml("[images.api]\n[images.worker]")


def targets(fleet: Fleet) -> None:
    """One Dockerfile, three targets, the repository as context, the version in a source file."""
    fleet.file(
        "pkg/containers/Dockerfile",
        """
        FROM rust:1.90 AS builder
        RUN --mount=type=cache,target=/usr/local/cargo cargo build
        FROM debian:12-slim AS runtime
        FROM runtime AS api
        COPY --from=builder /api /api
        FROM runtime AS manager
        COPY --from=builder /manager /manager
        FROM runtime AS proxy
        COPY --from=builder /proxy /proxy
        """,
    )
    fleet.file("src/images.rs", 'pub const CONTAINER_IMAGE_TAG: &str = "0.2.0";\n')
    fleet.file(
        "build.toml",
        """
        [project]
        registry = "ghcr.io"
        owner = "lapce"
        [version]
        sources = [{ file = "src/images.rs", regex = 'CONTAINER_IMAGE_TAG: &str = "([^"]+)"' }]
        [tags]
        build = ["{version}"]
        [defaults]
        dockerfile = "pkg/containers/Dockerfile"
        context = "."
        [images.lapdev-api]
        target = "api"
        [images.lapdev-kube-manager]
        target = "manager"
        [images.lapdev-kube-sidecar-proxy]
        target = "proxy"
        """,
    )


def matrix(fleet: Fleet) -> None:
    """One Dockerfile spread out over two axes, with a version of its own for each."""
    fleet.file("docker/controller/Dockerfile", "ARG FAMILY\nARG OS=debian\nFROM ghcr.io/acme/build-${OS}\n")
    fleet.image("build-debian")
    fleet.image("build-alpine")
    fleet.toml(
        """
        [images."{family.id}-{os}"]
        dockerfile = "docker/controller/Dockerfile"
        version = "{family.version}"
        tags = ["{version}", "{version}-{sha}"]
        args = { FAMILY = "{family.id}", OS = "{os}" }
        groups = ["{os}"]
        [images."{family.id}-{os}".matrix]
        family = [{ id = "persona-wkl", version = "4.7" }, { id = "kll", version = "0.5" }]
        os = ["debian", "alpine"]
        [images.build-debian]
        [images.build-alpine]
        """
    )


def family(fleet: Fleet) -> None:
    """A base that others stand on by an argument, by name, by COPY and by mount; two platforms."""
    fleet.image("base", "FROM debian:trixie-slim\n")
    fleet.image("assets", "FROM scratch\nCOPY . /\n")
    fleet.image("workspace", "ARG BASE_IMAGE=dev-base:latest\nFROM ${BASE_IMAGE}\n")
    fleet.image("mvp", "FROM ghcr.io/acme/workspace:latest\nCOPY --from=acme/assets:1 / /srv\n")
    fleet.image(
        "tools",
        "FROM --platform=$BUILDPLATFORM ghcr.io/acme/base AS build\n"
        "RUN --mount=from=acme/assets,target=/a ls /a\nFROM scratch\nCOPY --from=build /x /x\n",
    )
    fleet.toml(
        """
        [env]
        BUILD_BASE = "images.base.selected"
        [defaults]
        platforms = ["linux/amd64", "linux/arm64"]
        [images.tools]
        [images.mvp]
        [images.workspace]
        args = { BASE_IMAGE = "{image.base}" }
        labels = { "org.opencontainers.image.base.name" = "{image.base}" }
        [images.assets]
        selected = false
        [images.base]
        local = ["dev-base"]
        """
    )


def registries(fleet: Fleet) -> None:
    """Two registries with different owners and tags, aliases, local names, an image that is never published."""
    fleet.image("server")
    fleet.image("internal", "FROM docker.io/acmehub/server:1\n")
    fleet.file("docker/server/VERSION", "# kept by hand\n2.1.0\n")
    fleet.file(
        "build.toml",
        """
        [project]
        name = "shop"
        owner = "acme"
        repository = "shop-{image}"
        registries = [
            { host = "ghcr.io" },
            { host = "docker.io", owner = "acmehub", repository = "{image}", tags = ["{version}"] },
        ]
        [version]
        sources = [{ git = "tag" }, { git = "describe" }]
        [tags]
        build = ["{version}", "{branch}-{sha}", "latest"]
        [images.server]
        version = [{ file = "docker/server/VERSION" }]
        aliases = ["kiisrv"]
        local = ["server", "server:{sha}"]
        [images.internal]
        publish = false
        tags = ["{date}"]
        """,
    )


PROJECTS: dict[str, tuple[Callable[[Fleet], None] | None, dict[str, Any]]] = {
    "minimal": (minimal, {}),
    "targets": (targets, {}),
    "matrix": (matrix, {}),
    "family": (family, {}),
    "family-without-dependencies": (family, {"images": ("mvp",), "deps": False, "output": "none"}),
    "registries": (registries, {}),
    "registries-pushed": (registries, {"output": "push"}),
    "demo": (None, {}),
}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_plan_is_as_it_was_found_right(name: str, fleet: Fleet) -> None:
    write, asked = PROJECTS[name]
    if write:
        write(fleet)
    loaded = config.load(fleet.root if write else ROOT, {})
    known = facts(loaded, git=git(), engine=engine(native=AMD, platforms=(AMD, ARM)))
    made = planner.make(loaded, known, Request(**asked))
    shown = {"plan": made.as_json(), "bake": bakefile(made)}
    text = json.dumps(shown, indent=1).replace(str(loaded.root), "/project") + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert json.loads(text) == json.loads(path.read_text())


def test_every_golden_plan_is_one_of_these() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(PROJECTS)


def test_the_golden_family_says_what_it_should() -> None:
    """The one that shows most, said in words: what the file should hold, whoever writes it anew."""
    golden = json.loads((GOLDEN / "family.json").read_text())
    contexts = {name: one.get("contexts", {}) for name, one in golden["bake"]["target"].items()}
    assert contexts == {
        "base": {},
        "assets": {},
        "tools": {"ghcr.io/acme/base": "target:base", "acme/assets": "target:assets"},
        "workspace": {"ghcr.io/acme/base:0.1.0": "target:base"},
        "mvp": {"ghcr.io/acme/workspace": "target:workspace", "acme/assets:1": "target:assets"},
    }
    assert "tags" not in golden["bake"]["target"]["assets"]
    assert {tuple(one["platforms"]) for one in golden["bake"]["target"].values()} == {BOTH}
