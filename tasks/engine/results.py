"""What came of a plan, image by image: values only, to be shown by report/ and turned into exit codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from ..registries.moved import Moved


class Verdict(str, Enum):
    """How it ended for one image; the value is the word people see."""

    BUILT = "built"
    REUSED = "reused"
    FAILED = "failed"
    SKIPPED = "skipped"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Result:
    """One image's outcome.

    `output` says where it went in words ("loaded", "pushed", "not loaded, not pushed"); `size` is in bytes;
    `steps` and `cached` count BuildKit's steps; `log` is the end of a failing step's output; `where` is the
    Dockerfile and line that failed.
    """

    image: str
    verdict: Verdict
    reason: str = ""
    platforms: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    output: str = ""
    digest: str = ""
    size: int | None = None
    seconds: float = 0.0
    steps: int = 0
    cached: int = 0
    log: tuple[str, ...] = ()
    where: str = ""

    def __bool__(self) -> bool:
        return self.verdict in {Verdict.BUILT, Verdict.REUSED}


@dataclass(frozen=True, slots=True)
class Results:
    """All outcomes of a run, in plan order; true when everything was built."""

    images: tuple[Result, ...] = ()
    moved: tuple[Moved, ...] = ()
    seconds: float = 0.0
    log_file: Path | None = field(default=None)

    def __bool__(self) -> bool:
        return all(self.images)
