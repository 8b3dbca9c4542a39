"""What came of a plan, image by image: values only, to be shown by report/ and turned into exit codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from ..model import Moved
from ..planning.plan import PlannedImage

# A pushed image has no name yet: names are moved when everything is built (pushing.py).
OUTCOME = {"load": "loaded", "push": "not named", "none": "not loaded, not pushed"}


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
    `steps` and `cached` count BuildKit's steps; `log` is the end of a failing step's output, `dropped` how many
    lines before it were not kept; `where` is the Dockerfile and line that failed.
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
    dropped: int = 0
    where: str = ""

    def __bool__(self) -> bool:
        return self.verdict in {Verdict.BUILT, Verdict.REUSED}

    @classmethod
    def reused(cls, image: PlannedImage) -> Result:
        """Returns the outcome of an image that is there already."""
        return cls(
            image=image.name,
            verdict=Verdict.REUSED,
            reason=image.reason,
            platforms=image.platforms,
            references=tuple(map(str, image.references)),
            output=OUTCOME[image.output],
            digest=image.held.id if image.held else "",
            size=image.held.size if image.held else None,
        )


@dataclass(frozen=True, slots=True)
class Results:
    """All outcomes of a run, in plan order; true when everything was built."""

    images: tuple[Result, ...] = ()
    moved: tuple[Moved, ...] = ()
    seconds: float = 0.0
    log_file: Path | None = field(default=None)

    def __bool__(self) -> bool:
        return all(self.images)
