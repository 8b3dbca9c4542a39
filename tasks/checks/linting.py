"""What becomes of findings: passed over where build.toml says so, a failure where they are errors, else a warning.

Every part of a lint (the files, hadolint, each image's programs …) is one check where it finds nothing, and one for
each finding where it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from ..evidence.evidence import Evidence
from ..model import Linting
from . import credentials, leaks, processors
from .check import Check, Outcome
from .finding import Finding
from .leaks import SecretBytes


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


def built(
    image: str, evidence: Evidence, secrets: Collection[SecretBytes], linting: Linting
) -> Iterator[Check]:
    """Yields the checks of one image on one platform, as it was built."""
    yield from _timed(processors.RULE, lambda: processors.check(evidence), linting, image, evidence)
    yield from leaked(image, evidence, secrets, linting)


def leaked(
    image: str, evidence: Evidence, secrets: Collection[SecretBytes], linting: Linting
) -> Iterator[Check]:
    """Yields what of secrets and credentials is in one image on one platform."""
    configuration = evidence.configuration
    yield from _timed(credentials.RULE, lambda: credentials.check(configuration), linting, image, evidence)
    if secrets:
        yield from _timed(leaks.RULE, lambda: leaks.check(evidence, secrets), linting, image, evidence)


def _timed(
    part: str, look: Callable[[], Iterable[Finding]], linting: Linting, image: str, evidence: Evidence
) -> Iterator[Check]:
    """Yields what came of a look; the first check has the time it took."""
    began = time.monotonic()
    first, *more = judged(part, list(look()), linting, image, evidence)
    yield replace(first, seconds=time.monotonic() - began)
    yield from more


def _outcome(finding: Finding, linting: Linting) -> Outcome:
    for word in linting.ignore:
        rule, colon, glob = word.partition(":")
        file = finding.where.rpartition(":")[0] or finding.where
        if rule == finding.rule and (
            not colon or fnmatchcase(file, glob) or fnmatchcase(finding.where, glob)
        ):
            return Outcome.WAIVED
    return Outcome.FAILED if finding.error or linting.strict else Outcome.WARNED
