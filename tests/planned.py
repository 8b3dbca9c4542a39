"""Projects and plans made from a test's own files, without an engine; and what is said of a wrong file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks import config
from tasks.config.given import Override
from tasks.model import Project
from tasks.planning import planner
from tasks.planning.facts import Engine, Facts, Git
from tasks.planning.plan import Plan, PlannedImage
from tasks.planning.request import Request
from tests.scenario import Fleet

AMD, ARM = "linux/amd64", "linux/arm64"
BOTH = (AMD, ARM)

HEAD = """
[project]
registry = "ghcr.io"
owner = "acme"
"""
"""For tests about versions: build.toml's head without one."""


def git(**known: Any) -> Git:
    """A commit on main, without a tag."""
    state: dict[str, Any] = {
        "sha": "0123456789abcdef0123456789abcdef01234567",
        "branch": "main",
        "tag": "",
        "describe": "v1.2.3-4-g0123456",
        "date": "2026-05-04",
        "moment": "2026-05-04T10:20:30+02:00",
        "dirty": False,
    }
    return Git(**state | known)


def engine(**known: Any) -> Engine:
    """An engine with the containerd store that builds for two platforms."""
    able: dict[str, Any] = {
        "version": "26.1.5",
        "native": AMD,
        "platforms": BOTH,
        "driver": "docker",
        "store": "containerd",
    }
    return Engine(**able | known)


def project(fleet: Fleet, env: Mapping[str, str] | None = None, **settings: str) -> Project:
    """Loads the fleet's build.toml; `settings` are key paths with __ for the dot."""
    flags = [Override(path.replace("__", "."), text, f"--{path}") for path, text in settings.items()]
    return config.load(fleet.root, env or {}, flags)


def facts(loaded: Project, **known: Any) -> Facts:
    """The project's files as they are, and what the test says of the rest."""
    sources = [*loaded.version, *(source for one in loaded.images.values() for source in one.version)]
    paths = {one.dockerfile for one in loaded.images.values()} | {
        source.value for source in sources if source.kind == "file" and (loaded.root / source.value).is_file()
    }
    files = {path: (loaded.root / path).read_bytes().decode() for path in paths}
    return Facts(**{"host": AMD, "files": files} | known)


def plan(
    fleet: Fleet,
    *images: str,
    env: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    request: Mapping[str, Any] | None = None,
    **known: Any,
) -> Plan:
    """Plans the fleet's images, all of them if none is named; `known` are facts."""
    loaded = project(fleet, env, **settings or {})
    return planner.make(loaded, facts(loaded, **known), Request(images, **request or {}))


def references(image: PlannedImage) -> list[str]:
    """All names of an image, as people read them."""
    return [str(reference) for reference in image.references]


def tags(image: PlannedImage) -> list[str]:
    """The tags of an image's published names."""
    return [reference.tag for reference in image.published]


def links(made: Plan) -> dict[str, list[str]]:
    """What each image of a plan stands on."""
    return {image.name: [need.image for need in image.needs] for image in made.images}


def image(
    name: str, platforms: Sequence[str] = (AMD,), needs: Sequence[Any] = (), **known: Any
) -> PlannedImage:
    """A planned image that only its name, platforms and needs are told of."""
    return PlannedImage(
        name, "1", f"{name}/Dockerfile", name, "", tuple(platforms), needs=tuple(needs), **known
    )


def findings(fleet: Fleet, line: str = "list") -> list[str]:
    """What is said of build.toml, one text for each finding, without its path."""
    text = fleet.inv(line).failed(2).err.strip().replace(f"{fleet.root}/build.toml: ", "")
    first, *others = text.splitlines()
    return [line.strip() for line in others] if first.endswith("findings") else [text]
