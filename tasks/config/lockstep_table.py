"""The table of one thing that must be the same elsewhere in the source: `[[lockstep]]`."""

from __future__ import annotations

from pydantic import Field

from .tables import Table, Words


class LockstepTable(Table):
    """Something that other files repeat. It is checked before a build and a push; `inv version --set` rewrites it."""

    files: Words = Field(
        description="files and globs (`**` too), relative to build.toml; each must repeat it"
    )
    regex: str = Field(
        description="finds it: its first group is the value, wherever it matches, line by line"
    )
    equals: str = Field(description="what must stand there: a template")
    images: Words = Field(
        [],
        description="images, globs and groups: `equals` holds for each of them, and each file names all, and no others",
    )
