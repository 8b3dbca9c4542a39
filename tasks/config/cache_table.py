"""The table `[cache]` of build.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .tables import Table, Words


class CacheTable(Table):
    """Build caches kept beside the builder's own: read by every build, written where it is allowed."""

    registry: str = Field("", description="a repository for them, a tag for each image and platform")
    local: str = Field("", description="a folder for them, one in it for each image and platform")
    others: Words = Field(
        [],
        description="further backends in bake's words, {image} and {platform} in them: type=gha,scope={image}",
    )
    mode: Literal["min", "max"] = Field(
        "max", description="max: steps of all stages; min: of the image alone"
    )
    write: Words = Field(
        ["main", "master"], description='branches, or globs, whose builds write: ["*"] for all, [] for none'
    )
