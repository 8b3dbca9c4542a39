"""The project: everything build.toml says, and the parts that are not about one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .cache import Cache
from .checking import Linting, Scanning
from .contract import Contract
from .image import Image, VersionSource
from .lockstep import Lockstep
from .releasing import Releasing


@dataclass(frozen=True, slots=True)
class Registry:
    """A place images are published to: host (and path), owner, how repositories are called, which tags."""

    host: str
    owner: str
    repository: str = "{image}"
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TagRules:
    """Which tags an image gets: every day, on other branches, in a release, in a pre-release."""

    build: tuple[str, ...] = ("{version}", "latest")
    branch: tuple[str, ...] = ()
    release: tuple[str, ...] = ("{tag}", "{major}.{minor}", "latest")
    prerelease: tuple[str, ...] = ("{tag}",)
    default_branches: tuple[str, ...] = ("main", "master")


Client = Literal["docker", "podman"]
"""The program that images are built and held with."""


@dataclass(frozen=True, slots=True)
class Builder:
    """The buildx builder to use: "" for the engine's own."""

    name: str = ""
    driver: str = "docker-container"
    nodes: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """Everything build.toml says (environment and command line laid over it), checked and resolved.

    `declared` are the registries as the file has them, before any override: a Dockerfile's
    `FROM ghcr.io/acme/base` means the sibling also in a run that goes to another registry. `origins` tells
    for a setting's key path ("project.registry") where its value came from, where that was not build.toml.
    `mirror` is outside base -> the reference it is really taken from. `flavours` are the names of those there are.
    `contract` is what the file's `[defaults]` promise for every image; an image's own promises are in it.
    """

    root: Path
    name: str
    registries: tuple[Registry, ...]
    declared: tuple[Registry, ...]
    version: tuple[VersionSource, ...]
    images: Mapping[str, Image]
    constants: Mapping[str, str] = field(default_factory=dict)
    tags: TagRules = field(default_factory=TagRules)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    builder: Builder = field(default_factory=Builder)
    client: Client = "docker"
    release: Releasing = field(default_factory=Releasing)
    parallel: int | None = None
    mirror: Mapping[str, str] = field(default_factory=dict)
    lockstep: tuple[Lockstep, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    flavours: tuple[str, ...] = ()
    contract: Contract = field(default_factory=Contract)
    linting: Linting = field(default_factory=Linting)
    scanning: Scanning = field(default_factory=Scanning)
    cache: Cache = field(default_factory=Cache)
