"""Where versions come from: the sources that build.toml names, checked. Which one answers is planning's matter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from ..model import VersionSource
from .document import Document
from .findings import Finding
from .tables import SourceTable

KINDS: dict[str, Literal["file", "env", "value"]] = {"file": "file", "env": "env", "value": "value"}
UNSAID = (VersionSource("git-describe"), VersionSource("value", "dev"))
"""What is asked where the file says nothing of a version."""


def fleet_sources(document: Document, findings: list[Finding]) -> tuple[VersionSource, ...]:
    """Returns the sources of the fleet's version: one place of the file says them."""
    project, version = document.tables.project, document.tables.version
    if project.version is not None and version is not None:
        findings.append(Finding("version", "give project.version or [version] sources, not both"))
    if project.version is not None:
        said = document.origins.get("project.version", "project.version")
        return (VersionSource("value", project.version, said=said),)
    return UNSAID if version is None else sources(version.sources, "version.sources", findings)


def sources(tables: Sequence[SourceTable], where: str, findings: list[Finding]) -> tuple[VersionSource, ...]:
    """Returns the sources of a list; `where` is its key path."""
    return tuple(_source(table, where, findings) for table in tables)


def _source(table: SourceTable, where: str, findings: list[Finding]) -> VersionSource:
    given = [(name, value) for name, value in table if value is not None and name != "regex"]
    if not given and any(finding.where.startswith(f"{where}.") for finding in findings):
        # What it says could not be read, which is said already.
        return VersionSource("value")
    if len(given) != 1:
        said = " and ".join(name for name, _ in given) or "none of them"
        findings.append(Finding(where, f"a source is exactly one of git, file, env, value; here: {said}"))
        return VersionSource("value")
    kind, value = given[0]
    if table.regex is not None:
        problem = (
            pattern_problem(table.regex, "version")
            if kind == "file"
            else f"regex goes with file, not with {kind}"
        )
        findings += [Finding(where, problem)] if problem else []
    if kind == "git":
        return VersionSource("git-tag" if value == "tag" else "git-describe")
    return VersionSource(KINDS[kind], value, table.regex or "")


def pattern_problem(text: str, what: str) -> str:
    """Returns what is wrong with a pattern whose first group is to be `what`, "" if nothing is."""
    try:
        groups = re.compile(text).groups
    except re.error as error:
        return f"regex '{text}' is none: {error}"
    return "" if groups else f"regex '{text}' has no group; its first group, in (…), is the {what}"
