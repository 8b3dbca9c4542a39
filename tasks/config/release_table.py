"""The tables of build.toml that are about releases: [release] and [promote.NAME]."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .tables import Table, Words

Gate = Literal["contract", "size", "lint", "leaks", "scan", "sbom"]


class ReleaseTable(Table):
    """How `inv release` releases."""

    branches: Words = Field(
        [], description="the branches (globs) releases are made from; from any commit if left out"
    )
    gates: list[Gate] = Field(
        [], description="what every platform of every image must pass before any name moves"
    )
    sign: str = Field("", description="the cosign key that signs what is named: a file, or a KMS address")
    sbom: bool = Field(False, description="true: an SBOM (syft, SPDX) is attached to every platform")
    provenance: Literal["off", "min", "max"] = Field(
        "off", description="BuildKit's provenance, made by every push and kept in what a release names"
    )
    permanent: Words = Field(
        [],
        description="registry hosts where a tag, once made, can neither be moved nor deleted: floating names "
        "(`latest`, `1.2`) are not written there",
    )
    git: Literal["push", "tag", "off"] = Field(
        "push",
        description="what becomes of the git tag: made and pushed to origin, made, or neither (in the last two cases a "
        "release does without an origin that does not answer its lock)",
    )


class PromoteTable(Table):
    """Where `inv promote TAG --to NAME` copies a release."""

    to: str = Field(description="what takes the place of `from` in every name: host/path")
    source: str = Field(
        "", alias="from", description="what is replaced; the first registry and its owner if left out"
    )
