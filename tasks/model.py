"""The nouns of a project: what build.toml says, as frozen values.

They know nothing of files, engines, registries or screens. Templates in them (`{version}`, `{image.base}`)
are still unexpanded: what they become depends on the facts of the moment, which only planning knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .errors import ConfigError

# Grammar of references: https://github.com/distribution/reference (reference.go).
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
HUB = "docker.io"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One name of an image: registry, repository and tag (a reference is not a tag).

    `registry` is "" for a name without one (`dev8-base:latest`): the engine's own, or Docker Hub's.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Splits `[registry/]repository[:tag][@digest]` by Docker's rule: the first part is a registry only
        if it holds a dot or a colon or is `localhost`. Raises ConfigError for what is no reference.
        """
        rest, _, digest = text.partition("@")
        first, slash, remainder = rest.partition("/")
        is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, remainder) if is_host else ("", rest)
        repository, colon, tag = path.partition(":")
        bad = (
            not REPOSITORY.fullmatch(repository)
            or (colon and not TAG.fullmatch(tag))
            or ("@" in text and not DIGEST.fullmatch(digest))
        )
        if bad:
            raise ConfigError(f'"{text}" is not an image reference ([registry/]repository[:tag][@digest])')
        return cls(registry, repository, tag, digest)

    @property
    def name(self) -> str:
        """Registry and repository, without tag or digest."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


@dataclass(frozen=True, slots=True)
class VersionSource:
    """One place a version may come from; the first that answers is taken. `said` is where it is written."""

    kind: Literal["git-tag", "git-describe", "file", "env", "value"]
    value: str = ""
    regex: str = ""
    said: str = ""

    def __str__(self) -> str:
        if self.said:
            return self.said
        if self.kind.startswith("git-"):
            return self.kind.replace("-", " ")
        return f"{self.kind} {self.value}" if self.kind != "value" else f'value "{self.value}"'


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


@dataclass(frozen=True, slots=True)
class Builder:
    """The buildx builder to use: "" for the engine's own."""

    name: str = ""
    driver: str = "docker-container"
    nodes: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Releasing:
    """How releases are made: hosts that keep every tag for ever; what becomes of the git tag.

    `promote` is destination -> (the part of a name that is replaced, "" for registry and owner; what replaces it).
    """

    permanent: tuple[str, ...] = ()
    git: Literal["push", "tag", "off"] = "push"
    promote: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the fleet, a matrix already spread out; paths are relative to build.toml's folder."""

    name: str
    dockerfile: str
    context: str
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None
    local: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    publish: bool = True
    selected: bool = True
    version: tuple[VersionSource, ...] = ()
    repository: str = ""
    matrix: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """Everything build.toml says (environment and command line laid over it), checked and resolved.

    `declared` are the registries as the file has them, before any override: a Dockerfile's
    `FROM ghcr.io/acme/base` means the sibling also in a run that goes to another registry. `origins` tells
    for a setting's key path ("project.registry") where its value came from, where that was not build.toml.
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
    release: Releasing = field(default_factory=Releasing)
    parallel: int | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
