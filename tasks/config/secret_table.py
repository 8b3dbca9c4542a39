"""The table of one secret of a build: `secrets.ID`."""

from __future__ import annotations

from pydantic import Field

from .tables import Table


class SecretTable(Table):
    """One secret, by the id that `RUN --mount=type=secret,id=…` names: from a file or from a variable."""

    file: str | None = Field(
        None, description="the file that holds it; `~` is your home, else below build.toml"
    )
    env: str | None = Field(None, description="the environment variable that holds it")
    optional: bool = Field(False, description="true: where it is not there, it is built without")
