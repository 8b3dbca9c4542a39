"""One image of the fleet as build.toml has it. Templates in it are still unexpanded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .contract import Contract
from .secret import Secret


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
    paths: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None
    local: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    publish: bool = True
    annotate: bool = True
    selected: bool = True
    version: tuple[VersionSource, ...] = ()
    repository: str = ""
    secrets: tuple[Secret, ...] = ()
    ssh: tuple[str, ...] = ()
    before: tuple[tuple[str, ...], ...] = ()
    extract: Mapping[str, str] = field(default_factory=dict)
    matrix: Mapping[str, Any] = field(default_factory=dict)
    contract: Contract = field(default_factory=Contract)
