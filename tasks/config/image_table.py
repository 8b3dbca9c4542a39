"""The table of one image in build.toml; `[defaults]` has the same keys."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from .contract_table import ExpectTable, Range, TestTable
from .secret_table import SecretTable
from .tables import Sources, Table, Text, Words


class ImageTable(Table):
    """One image. Words that bake's users know keep their meaning; paths are relative to build.toml."""

    dockerfile: str | None = Field(None, description="docker/X/Dockerfile, services/X/… or X/… if left out")
    context: str | None = Field(None, description="the build context; the Dockerfile's folder if left out")
    target: str = Field("", description="the stage to build; the last if left out")
    args: dict[str, Text] = Field({}, description="build arguments")
    contexts: dict[str, str] = Field({}, description="named build contexts: folder, URL, docker-image://…")
    platforms: Words = Field([], description="os/arch list; the machine's own if left out")
    labels: dict[str, Text] = Field({}, description="labels set on the image itself")
    secrets: dict[str, SecretTable] = Field({}, description="what RUN may mount as a secret, by its id")
    ssh: Words = Field(
        [], description='what RUN may mount as SSH: "default" (your agent) or "ID=PATH" of a key or socket'
    )
    before: list[Words] = Field(
        [],
        description="commands run before the build, once each: lists of words, no shell, in build.toml's folder",
    )
    needs: Words = Field([], description="sibling images to build first that the Dockerfile does not show")
    paths: Words = Field(
        [],
        description="more files that count for it, as patterns of an ignore file: a change builds it again",
    )
    tags: Words | None = Field(None, description="instead of tags.build")
    local: Words = Field([], description="further references, for the engine only (never pushed)")
    aliases: Words = Field([], description="further names it is published under")
    matrix: dict[str, list[Any]] | None = Field(None, description="one image for each combination of values")
    groups: Words = Field([], description="groups it belongs to")
    publish: bool = Field(True, description="false: built, never pushed")
    annotate: bool = Field(
        True,
        description="false: a release names the tested manifest itself (of several platforms: an index without "
        "annotations), for those who take no index (AWS Lambda)",
    )
    selected: bool = Field(
        True, description="false: built only when named, or when another image stands on it"
    )
    version: Sources = Field([], description="a version of its own: text, a source or a list of sources")
    extract: dict[str, str] = Field(
        {}, description="files and folders that `inv extract` takes out: path in the image -> name outside"
    )
    repository: str = Field("", description="its repository's name, instead of project.repository")
    expect: ExpectTable = Field(
        ExpectTable(),  # type: ignore[call-arg]
        description="what it must have, without running it",
    )
    tests: list[TestTable] = Field([], description="what it must do when it runs")
    size: Range | None = Field(None, description="the most MB its layers may have together, or [least, most]")
    waive: dict[str, str] = Field(
        {}, description="a check that may fail -> the reason, which the table shows"
    )
    inherit: bool = Field(True, description="false: without the promises of the image it stands on")
