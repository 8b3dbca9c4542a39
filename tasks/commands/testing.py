"""A fleet tested, from the plan to its checks: what is there is found, what was promised is looked at.

It joins planning, checks and report for the task of checking.py, and gives a release its gates `contract` and `size`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import CheckError, StoppedError

if TYPE_CHECKING:
    from ..checks.check import Check, Checks
    from ..checks.subject import Subject
    from ..evidence.evidence import Evidence
    from ..model import Contract
    from ..planning.layering import Line
    from ..release.gates import Platform
    from .asking import Asked
    from .checking import Testing


def tested(asked: Asked, choice: Testing) -> Checks:
    """Tests the plan's selected images. Raises CheckError where none of them is there."""
    from ..checks import contracts, subjects
    from ..checks.check import Checks
    from ..planning.request import words
    from ..report.checks import Progress

    began = time.monotonic()
    names = tuple(image.name for image in asked.plan.selected)
    said = {word for text in choice.images for word in words(text)}
    needed = names if choice.strict else said
    promised = _promised(asked)
    if asked.project.client == "podman":
        from ..podman import lacks

        lacks.check_tests({name: contract for name, (contract, _) in promised.items()}, asked.facts)
    with Progress(sys.stderr) as progress:
        there, absent = subjects.in_the_engine(
            asked.plan, asked.project.client, promised, needed, progress.reads
        )
        if names and not there and all(absent):
            raise CheckError(f"nothing was tested: {absent[0].detail}")
        try:
            found = contracts.check(
                there, asked.plan.root, asked.project.client, _cannot(asked), progress.told, _at_once(asked)
            )
        except KeyboardInterrupt:
            raise StoppedError(f"{progress.said}; no container is left") from None
    order = {name: number for number, name in enumerate(names)}
    every = sorted((*found, *absent), key=lambda check: order[check.image])
    return Checks(tuple(every), time.monotonic() - began)


def contract(asked: Asked, evidence: Iterable[tuple[Platform, Evidence]]) -> tuple[Check, ...]:
    """Looks at what is to be released as `inv test` does, digest by digest; what is run is pulled for that.

    What nothing was promised of has passed; what cannot be run here has not.
    """
    from ..checks import contracts
    from ..checks.check import Outcome

    cannot = _cannot(asked)
    there = _released(asked, evidence)
    found = contracts.check(
        there, asked.plan.root, asked.project.client, cannot, at_once=_at_once(asked), fetched=True
    )
    return tuple(
        replace(check, outcome=Outcome.FAILED if check.detail == cannot(check.platform) else Outcome.PASSED)
        if check.outcome is Outcome.SKIPPED
        else check
        for check in found
    )


def size(asked: Asked, evidence: Iterable[tuple[Platform, Evidence]]) -> tuple[Check, ...]:
    """Looks at how large what is to be released is; an image without a budget has passed."""
    from ..checks.sizes import sizes

    return tuple(
        check
        for subject in _released(asked, evidence)
        for check in sizes(subject) or (subject.check("size", "", "no budget"),)
    )


def _released(asked: Asked, evidence: Iterable[tuple[Platform, Evidence]]) -> tuple[Subject, ...]:
    from ..checks.subject import Subject

    promised = _promised(asked)
    gated = tuple(evidence)
    return tuple(
        Subject(
            one.image,
            one.platform,
            *promised[one.image],
            found,
            one.reference,
            _fleet(asked, gated, one.platform),
        )
        for one, found in gated
    )


def _fleet(asked: Asked, gated: Iterable[tuple[Platform, Evidence]], platform: str) -> dict[str, str]:
    """Returns what is to be released of every image, by all its names without a tag: for a platform if it has that.

    One that is not for this platform is there all the same: that it does not run is better than a test that
    passes with whatever a tag stands at.
    """
    from ..planning.familiar import familiar

    own_last = sorted((one for one, _ in gated), key=lambda one: one.platform == platform)
    return {
        familiar(name): one.reference
        for one in own_last
        for name in (str(one.place), *(reference.name for reference in asked.plan[one.image].references))
    }


def _promised(asked: Asked) -> dict[str, tuple[Contract, tuple[Line, ...]]]:
    """Returns what each image of the plan promises, and the lines that its layers come from."""
    from ..planning.layering import lines
    from ..planning.naming import Naming
    from ..planning.planner import drafts
    from ..planning.promises import promises

    naming = Naming(asked.project, asked.facts)
    names = tuple(image.name for image in asked.plan.selected)
    known = drafts(naming, names, deps=True)
    return {
        name: (found, lines(known[name], naming, known))
        for name, found in promises(naming, names, known).items()
    }


def _cannot(asked: Asked) -> Callable[[str], str]:
    """Returns what says why a platform's containers cannot be run, "" where they can."""
    from functools import cache

    from ..engine import inquiry

    engine = asked.facts.engine

    @cache
    def cannot(platform: str) -> str:
        if engine is None or platform == engine.native or platform in runs():
            return ""
        return (
            f"this engine cannot run {platform}; it runs {', '.join(runs())}. "
            "For emulation install qemu-user-static and binfmt-support."
        )

    @cache
    def runs() -> tuple[str, ...]:
        return inquiry.runs(engine) if engine else ()

    return cannot


def _at_once(asked: Asked) -> int:
    return asked.project.parallel or max(4, os.cpu_count() or 1)
