"""A fleet scanned, from the plan to its checks. It joins evidence and checks for the task of auditing.py."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ..errors import CheckError, SurroundingsError

if TYPE_CHECKING:
    from ..checks.check import Checks
    from .asking import Asked


def scanned(asked: Asked, *, strict: bool) -> Checks:
    """Scans the plan's selected images, one after another: scanners share a database that they lock.

    Raises SurroundingsError where there is no scanner, or neither engine nor registry has anything and no engine
    answers; CheckError where no image was built.
    """
    from ..checks import scanning
    from ..checks.check import Check, Checks, Outcome
    from ..evidence.of_plan import Built

    began = time.monotonic()
    scanner = scanning.scanner(asked.project.scanning, asked.project.constants, asked.project.root)
    there = Built(asked.plan, asked.project.client if asked.facts.engine else None, asked.facts.no_engine)
    checks: list[Check] = []
    looked = 0
    for image in asked.plan.selected:
        for platform in image.platforms:
            found = there.evidence(image, platform)
            if isinstance(found, str):
                outcome = Outcome.FAILED if strict else Outcome.SKIPPED
                checks.append(Check(image.name, scanning.NAME, outcome, found, platform))
                continue
            looked += 1
            print(f"scanning {image.name} {platform}", file=sys.stderr, flush=True)
            checks.append(scanning.scan(scanner, image.name, found))
    there.blobs.prune()
    if checks and not looked:
        failure = CheckError if asked.facts.engine else SurroundingsError
        raise failure(f"nothing was scanned: {checks[0].detail}")
    return Checks(tuple(checks), time.monotonic() - began)
