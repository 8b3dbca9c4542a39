"""What becomes of findings: passed over where build.toml says so, a failure where they are errors, else a warning.

Every part of a lint (the files, hadolint, each image's programs …) is one check where it finds nothing, and one for
each finding where it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from ..evidence.evidence import Evidence
from ..model import Linting
from . import credentials, leaks, processors
from .check import Check, Outcome
from .finding import Finding
from .leaks import Secret

Looked = Callable[[], Iterable[Finding]]


def judged(
    part: str, found: Iterable[Finding], linting: Linting, image: str, evidence: Evidence | None = None
) -> list[Check]:
    """Returns what came of one part: a check for each finding, or one that passed."""
    platform = evidence.platform if evidence else ""
    about = (evidence.digest, evidence.reference) if evidence else ("", "")
    checks = [
        Check(image, one.rule, _outcome(one, linting), one.detail, platform, *about, one.where)
        for one in found
    ]
    return checks or [Check(image, part, Outcome.PASSED, "", platform, *about)]


def skipped(part: str, reason: str, image: str = "", platform: str = "") -> Check:
    """Returns a part that was not looked at."""
    return Check(image, part, Outcome.SKIPPED, reason, platform)


def built(image: str, evidence: Evidence, secrets: Iterable[Secret], linting: Linting) -> list[Check]:
    """Returns the checks of one image on one platform, as it was built."""
    parts: tuple[tuple[str, Looked], ...] = (
        (processors.RULE, lambda: processors.check(evidence)),
        (credentials.RULE, lambda: credentials.check(evidence.configuration)),
        (leaks.RULE, lambda: leaks.check(evidence, secrets)),
    )
    checks: list[Check] = []
    for part, look in parts:
        if part == leaks.RULE and not secrets:
            continue
        began = time.monotonic()
        found = judged(part, look(), linting, image, evidence)
        checks += [timed(check, time.monotonic() - began) for check in found[:1]] + found[1:]
    return checks


def timed(check: Check, seconds: float) -> Check:
    """Returns a check with the time it took."""
    from dataclasses import replace

    return replace(check, seconds=seconds)


def _outcome(finding: Finding, linting: Linting) -> Outcome:
    for word in linting.ignore:
        rule, colon, glob = word.partition(":")
        file = finding.where.rpartition(":")[0] or finding.where
        if rule == finding.rule and (
            not colon or fnmatchcase(file, glob) or fnmatchcase(finding.where, glob)
        ):
            return Outcome.WAIVED
    return Outcome.FAILED if finding.error or linting.strict else Outcome.WARNED
