"""A fleet tested, from the plan to its checks: what is there is found, what was promised is looked at.

It joins planning, checks and report for the task of checking.py.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import CheckError, StoppedError

if TYPE_CHECKING:
    from ..checks.check import Checks
    from ..model import Contract
    from ..planning.layering import Line
    from .asking import Asked
    from .checking import Testing


def tested(asked: Asked, choice: Testing) -> Checks:
    """Tests the plan's selected images. Raises CheckError where none of them is there."""
    from ..checks import contracts, subjects
    from ..checks.check import Checks
    from ..report.checks import Progress

    began = time.monotonic()
    names = tuple(image.name for image in asked.plan.selected)
    said = {word for text in choice.images for word in text.replace(",", " ").split()}
    needed = names if choice.strict else said
    with Progress(sys.stderr) as progress:
        there, absent = subjects.in_the_engine(
            asked.plan, asked.project.client, _promised(asked), needed, progress.reads
        )
        if names and not there and all(absent):
            raise CheckError(f"nothing was tested: {absent[0].detail if absent else 'no image has a name'}")
        try:
            found = contracts.check(
                there, asked.plan.root, asked.project.client, _cannot(asked), progress.told, _at_once(asked)
            )
        except KeyboardInterrupt:
            raise StoppedError(f"{progress.said}; no container is left") from None
    order = {name: number for number, name in enumerate(names)}
    every = sorted((*found, *absent), key=lambda check: order[check.image])
    return Checks(tuple(every), time.monotonic() - began)


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
        name: (found, lines(known[name], naming, known)) for name, found in promises(naming, names).items()
    }


def _cannot(asked: Asked) -> Callable[[str], str]:
    engine = asked.facts.engine

    def cannot(platform: str) -> str:
        if engine is None or platform == engine.native or platform in engine.platforms:
            return ""
        return f"this engine cannot run {platform}: install qemu-user-static and binfmt-support"

    return cannot


def _at_once(asked: Asked) -> int:
    return asked.project.parallel or max(4, os.cpu_count() or 1)
