"""The tables of build.toml for `inv lint` and `inv scan`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .tables import Table, Words


class LintTable(Table):
    """Which findings of `inv lint` count."""

    ignore: Words = Field(
        [],
        description='rules that are passed over (DL3008, key-file), or RULE:GLOB for some files: "key-file:tests/*"',
    )
    strict: bool = Field(False, description="warnings make it fail too")


class ScanTable(Table):
    """How `inv scan` scans; without it trivy or grype is used, whichever is on PATH."""

    command: Words = Field(
        [],
        description="the scanner and its arguments; {reference}, {platform}, {digest}, {image} say what to scan, "
        "{sarif} and {json} where to write",
    )
    severity: Literal["low", "medium", "high", "critical"] = Field(
        "high", description="the least severe finding that counts"
    )
    fail: bool = Field(True, description="false: findings that count are reported, and do not make it fail")
    folder: str = Field("artifacts/scan", description="where the scanner's reports are kept")
