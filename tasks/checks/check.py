"""One thing that was looked at, and what came of it: what every check gives, be it a test, a lint or a scan.

Values only: how they are shown is report/'s matter, what they lead to is the task's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum

from ..errors import CheckError


class Outcome(str, Enum):
    """What came of it; the value is the word people see. Only FAILED makes a run fail.

    WARNED is a fault that is said and passed over, WAIVED one that build.toml gives a reason for, and SKIPPED
    was not looked at at all: it is no pass.
    """

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    WAIVED = "waived"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at on one image; `platform` is "" where it is the same for all, or about files.

    `name` is what was looked at in build.toml's words ("user", "files./etc/motd", the name of a test).
    `digest` is what was looked at, and `reference` the name it was looked at by. `detail` says what was found,
    or why it was not looked at; `where` is a file and line; `log` is the end of what a program wrote.
    """

    image: str
    name: str
    outcome: Outcome
    detail: str = ""
    platform: str = ""
    digest: str = ""
    reference: str = ""
    where: str = ""
    seconds: float = 0.0
    log: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.outcome is not Outcome.FAILED


@dataclass(frozen=True, slots=True)
class Checks:
    """All that was looked at in a run, in the order to be shown; true when nothing failed."""

    checks: tuple[Check, ...] = ()
    seconds: float = 0.0

    def __bool__(self) -> bool:
        return all(self.checks)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many there are of each outcome; those that there are none of are left out."""
        found = Counter(check.outcome for check in self.checks)
        return {outcome: found[outcome] for outcome in Outcome if found[outcome]}

    def require(self) -> None:
        """Raises CheckError, naming the images, where anything failed."""
        failed = [check for check in self.checks if not check]
        if failed:
            images = ", ".join(dict.fromkeys(check.image for check in failed if check.image))
            of = f": {images}" if images else ""
            raise CheckError(f"{len(failed)} of {len(self.checks)} checks failed{of}")
