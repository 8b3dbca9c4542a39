"""A fleet linted, from the plan to its checks: the files first, then what was built of them.

It joins planning, checks and evidence for the task of auditing.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import SurroundingsError

if TYPE_CHECKING:
    from ..checks.check import Check, Checks
    from ..checks.finding import Finding
    from ..model import Linting
    from .asking import Asked
    from .auditing import LintChoice

FILES, NO_ENGINE = "--files looks at files alone", "no engine answers"


def linted(asked: Asked, choice: LintChoice) -> Checks:
    """Lints the plan's selected images. Raises ConfigError for files that cannot be read at all."""
    from ..checks.check import Checks, Outcome

    began = time.monotonic()
    linting = replace(asked.project.linting, strict=asked.project.linting.strict or choice.strict)
    checks: list[Check] = [*_files(asked, linting, choice)]
    checks += _built(asked, linting, choice)
    if choice.strict and not choice.files:
        absent = Outcome.SKIPPED
        checks = [
            replace(one, outcome=Outcome.FAILED) if one.outcome is absent and one.name == "built" else one
            for one in checks
        ]
    order = {image.name: number for number, image in enumerate(asked.plan.selected)}
    checks.sort(key=lambda check: order.get(check.image, -1))
    return Checks(tuple(checks), time.monotonic() - began)


def _files(asked: Asked, linting: Linting, choice: LintChoice) -> Iterator[Check]:
    """Yields what is seen on files alone."""
    from ..checks.linting import judged

    if asked.project.lockstep:
        yield from judged("lockstep", _lockstep(asked), linting, "")
    yield from in_files(asked, linting)
    yield from _buildkit(asked, linting, choice)


def in_files(asked: Asked, linting: Linting) -> Iterator[Check]:
    """Yields what is wrong with Dockerfiles, contexts and arguments; of agreement with the source see `lockstep`."""
    from ..checks import files
    from ..checks.linting import judged

    for name, found in files.check(asked.project, asked.facts, asked.plan).items():
        yield from judged("files", found, linting, name)
    yield from _hadolint(asked, linting)


def _lockstep(asked: Asked) -> Iterator[Finding]:
    """Yields what of the source does not repeat what build.toml says: before a build it is an error."""
    from ..checks.finding import Finding
    from ..contents import lockstep

    for one in lockstep.compare(asked.project, asked.facts):
        yield Finding("lockstep", one.said, f"{one.file}:{one.line}" if one.line else one.file, error=True)


def _hadolint(asked: Asked, linting: Linting) -> Iterator[Check]:
    from ..checks import dockerfiles, hadolint
    from ..checks.linting import judged, skipped
    from ..planning.dockerfile import read

    first = {image.dockerfile: image.name for image in reversed(asked.plan.selected)}
    program = hadolint.program()
    if program is None:
        yield skipped(hadolint.PART, hadolint.ABSENT)
        return
    if not first:
        return
    by_image: dict[str, list[Finding]] = {name: [] for name in first.values()}
    siblings = {
        place
        for image in asked.plan.selected
        for place in dockerfiles.siblings(
            image, read(asked.facts.files[image.dockerfile], image.dockerfile), asked.facts.native
        )
    }
    for finding in hadolint.check(program, asked.plan.root, sorted(first)):
        if finding.rule in hadolint.UNPINNED and finding.where in siblings:
            continue
        by_image[first[finding.where.rpartition(":")[0]]].append(finding)
    for name, found in by_image.items():
        yield from judged(hadolint.PART, found, linting, name)


def _buildkit(asked: Asked, linting: Linting, choice: LintChoice) -> Iterator[Check]:
    from ..checks import buildkit_rules
    from ..checks.linting import judged, skipped

    reason = FILES if choice.files else "" if asked.facts.engine else NO_ENGINE
    if asked.project.client != "docker":
        reason = f"{asked.project.client} has no such checks"
    if reason := reason or buildkit_rules.lacking():
        yield skipped(buildkit_rules.PART, reason)
        return
    said: set[Finding] = set()
    for image in asked.plan.selected:
        found = buildkit_rules.check(image, asked.plan.root, asked.project.builder.name)
        if isinstance(found, str):
            yield skipped(buildkit_rules.PART, found, image.name)
        else:
            yield from judged(
                buildkit_rules.PART, [one for one in found if one not in said], linting, image.name
            )
            said |= set(found)


def _built(asked: Asked, linting: Linting, choice: LintChoice) -> Iterator[Check]:
    """Yields what is seen in the images that were built, platform by platform."""
    from ..checks import leaks
    from ..checks.linting import built, skipped
    from ..evidence.of_plan import Built

    pairs = [(image, platform) for image in asked.plan.selected for platform in image.platforms]
    if choice.files:
        yield skipped("built", FILES)
        return
    there = Built(asked.plan, asked.project.client if asked.facts.engine else None, asked.facts.no_engine)
    secrets = leaks.of_plan(asked.plan, os.environ)
    for image in asked.plan.selected:
        yield from (
            skipped(leaks.RULE, why, image.name) for why in leaks.unlooked(asked.plan, image, os.environ)
        )
    for image, platform in pairs:
        try:
            found = there.evidence(image, platform)
        except SurroundingsError as error:
            found = str(error)
        if isinstance(found, str):
            yield skipped("built", found, image.name, platform)
        else:
            yield from built(image.name, found, secrets, linting)
    there.blobs.prune()
