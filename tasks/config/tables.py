"""The tables of build.toml that are about the project, and the words all tables are made of.

pydantic reads, checks and documents them: a field's description is its entry in the reference and in the JSON
Schema for editors. They know the file's words and nothing of what they lead to.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _text(value: Any) -> Any:
    """Numbers and switches may stand bare where text is meant: `GO = 1.25`, `DEBUG = true`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


Text = Annotated[str, BeforeValidator(_text)]
Words = list[str]


class Table(BaseModel):
    """A table of the file: no unknown keys, no guessed conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SourceTable(Table):
    """One place a version may come from: exactly one of git, file, env, value."""

    git: Literal["tag", "describe"] | None = Field(None, description="the tag on HEAD, or `git describe`")
    file: str | None = Field(None, description="a file that holds the version (`#` lines left out)")
    regex: str | None = Field(None, description="with file: a pattern whose first group is the version")
    env: str | None = Field(None, description="an environment variable")
    value: str | None = Field(None, description="a fixed text, as the last resort")


def _sources(value: Any) -> Any:
    """`version = "1.0"` is short for one fixed source, a single table for a list of one."""
    if isinstance(value, str):
        return [{"value": value}]
    return [value] if isinstance(value, dict) else value


Sources = Annotated[list[SourceTable], BeforeValidator(_sources)]


class RegistryTable(Table):
    """One of several registries, with what differs there."""

    host: str = Field(description="host, host/path or one bare word")
    owner: str | None = Field(None, description="instead of project.owner")
    repository: str | None = Field(None, description="instead of project.repository")
    tags: Words | None = Field(None, description="instead of tags.build")


class ProjectTable(Table):
    """What all images share."""

    name: str | None = Field(None, description="the project's name; the folder's name if left out")
    registry: str | None = Field(None, description="where images are published: host, host/path or one word")
    registries: list[RegistryTable] | None = Field(None, description="several, instead of `registry`")
    owner: str = Field("", description='the part between registry and image; may hold "/", may be empty')
    version: str | None = Field(None, description="the fleet's version, if it is kept here")
    repository: str = Field("{image}", description="how an image's repository is called below the owner")
    override: Literal["redirect", "must-match"] = Field(
        "redirect",
        description="what flags and `[env]` may set for registry, owner, repository, version and tags: anything, "
        "or only what is written here",
    )


class VersionTable(Table):
    """Where the version comes from when it is not kept in `project.version`."""

    sources: Sources = Field(description="asked in order; the first that answers is taken")


class TagsTable(Table):
    """Which tags images get."""

    build: Words = Field(["{version}", "latest"], description="everyday builds and pushes")
    branch: Words = Field([], description="the same on other branches; [] for no difference")
    release: Words = Field(["{tag}", "{major}.{minor}", "latest"], description="a release")
    prerelease: Words = Field(["{tag}"], description="a pre-release (v1.2.3-rc1)")
    default_branches: Words = Field(["main", "master"], description="the branches that `build` is for")


class NodeTable(Table):
    """One node of a builder."""

    endpoint: str = Field(
        "", description="where it is: a docker context, or the address of an engine or BuildKit"
    )
    platforms: str = Field(
        "", description="what it builds for, comma-separated; what it says itself if left out"
    )
    name: str = Field("", description="its name; buildx's own choice if left out")
    options: str = Field("", description="options of the driver (`docker buildx create --driver-opt`)")


class BuilderTable(Table):
    """The buildx builder; without it the engine's own is used."""

    name: str = Field("", description="its name; created by `inv builder` if absent")
    driver: Literal["docker", "docker-container", "remote", "kubernetes"] = Field(
        "docker-container", description="what kind of builder `inv builder` creates"
    )
    nodes: list[NodeTable] = Field([], description="its nodes, one table each")


class EngineTable(Table):
    """How the engine is used."""

    client: Literal["docker", "podman"] = Field(
        "docker", description="what builds and holds images: docker (with buildx) or podman"
    )
    parallel: int | None = Field(
        None, ge=1, le=1000, description="image platforms built at once; the default follows the processors"
    )
