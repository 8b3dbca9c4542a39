"""What the world said before planning: git, the machine, the engine, the texts of files. Values only.

They are gathered once (engine/facts.py) and handed in, so that a plan is a function of what it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Git:
    """The repository's state: full commit id, branch ("" if detached), tag on HEAD, describe, commit date.

    `moment` is the date with time and zone (RFC 3339).
    """

    sha: str
    branch: str
    tag: str
    describe: str
    date: str
    dirty: bool
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """What the engine and its builder can do.

    `platforms` are those the builder offers, the native one first; `store` tells whether a build of several
    platforms can be loaded ("containerd") or not ("classic").
    """

    version: str
    native: str
    platforms: tuple[str, ...]
    driver: str
    store: Literal["containerd", "classic"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a plan depends on besides the project.

    `files` maps paths relative to the project to their text, for those that are there. `proxies` are arguments
    that every build is given. `engine` is None where none was asked or none answered; `no_engine` then says why.
    """

    host: str
    git: Git | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)
    engine: Engine | None = None
    no_engine: str = "no engine was asked"

    @property
    def native(self) -> str:
        """The platform built when none is named: the engine's own, or else this machine's."""
        return self.engine.native if self.engine else self.host
