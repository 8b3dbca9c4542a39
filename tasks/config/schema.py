"""The whole of build.toml as a type, and how its keys are looked up by name.

It knows the file's words and nothing of what they lead to.
"""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from .cache_table import CacheTable
from .checking_table import LintTable, ScanTable
from .image_table import ImageTable
from .lockstep_table import LockstepTable
from .release_table import PromoteTable, ReleaseTable
from .tables import (
    BuilderTable,
    EngineTable,
    ProjectTable,
    Table,
    TagsTable,
    Text,
    VersionTable,
    Words,
)


class BuildToml(Table):
    """The whole file."""

    schema_number: Literal[1] = Field(1, alias="schema", description="the version of this vocabulary")
    project: ProjectTable = Field(description="what all images share")
    constants: dict[str, Text] = Field({}, description="values used in templates as {name}")
    version: VersionTable | None = Field(None, description="where the version comes from")
    tags: TagsTable = Field(TagsTable(), description="which tags images get")  # type: ignore[call-arg]
    env: dict[str, str] = Field({}, description="environment variable -> the setting it overrides")
    defaults: ImageTable = Field(ImageTable(), description="any key of an image")  # type: ignore[call-arg]
    images: dict[str, ImageTable] = Field(description="the fleet")
    groups: dict[str, Words] = Field(
        {},
        description='sets of images, globs and other groups; "default" is what tasks take if you name nothing',
    )
    flavours: dict[str, dict[str, Any]] = Field(
        {},
        description="NAME -> settings, as in this file, that replace others with `--flavour NAME`",
    )
    flavour: str = Field("", description="the flavour that is used if you name none")
    mirror: dict[str, str] = Field(
        {}, description="an outside base -> the reference it is taken from instead; no Dockerfile is edited"
    )
    lockstep: list[LockstepTable] = Field([], description="what other files of the source repeat")
    builder: BuilderTable = Field(BuilderTable(), description="the builder")  # type: ignore[call-arg]
    engine: EngineTable = Field(EngineTable(), description="how the engine is used")  # type: ignore[call-arg]
    lint: LintTable = Field(LintTable(), description="which findings of `inv lint` count")  # type: ignore[call-arg]
    scan: ScanTable = Field(ScanTable(), description="how `inv scan` scans")  # type: ignore[call-arg]
    cache: CacheTable = Field(CacheTable(), description="build caches beside the builder's own")  # type: ignore[call-arg]
    release: ReleaseTable = Field(ReleaseTable(), description="releases")  # type: ignore[call-arg]
    promote: dict[str, PromoteTable] = Field({}, description="where releases are copied to")


def fields_of(kind: Any) -> dict[str, FieldInfo]:
    """Returns a table's fields under the names they have in the file; none for what is no such table."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in kind.model_fields.items()}


def plain(kind: Any) -> Any:
    """Strips `Annotated` and `| None` off a type."""
    while True:
        if typing.get_origin(kind) is Annotated:
            kind = typing.get_args(kind)[0]
        elif typing.get_origin(kind) in {typing.Union, types.UnionType}:
            kind = next(arg for arg in typing.get_args(kind) if arg is not type(None))
        else:
            return kind
