"""A fleet tested, from the plan to its checks: what is there is found, what was promised is looked at.

It joins planning, checks and report for the task of checking.py.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from ..errors import CheckError, StoppedError

if TYPE_CHECKING:
    from ..checks.check import Checks
    from .asking import Asked
    from .checking import Testing


def tested(asked: Asked, choice: Testing) -> Checks:
    """Tests the plan's selected images. Raises CheckError where none of them is there."""
    from ..checks import contracts, subjects
    from ..checks.check import Checks
    from ..planning.layering import lines
    from ..planning.naming import Naming
    from ..planning.planner import drafts
    from ..planning.promises import promises
    from ..report.checks import Progress

    began = time.monotonic()
    plan, naming, client = asked.plan, Naming(asked.project, asked.facts), asked.project.client
    names = tuple(image.name for image in plan.selected)
    known = drafts(naming, names, deps=True)
    said = {word for text in choice.images for word in text.replace(",", " ").split()}
    there, absent = subjects.in_the_engine(
        plan,
        client,
        promises(naming, names),
        {name: lines(known[name], naming, known) for name in names},
        needed=names if choice.strict else said,
    )
    if names and not there and all(absent):
        raise CheckError(f"nothing was tested: {absent[0].detail if absent else 'no image has a name'}")
    engine = asked.facts.engine

    def cannot(platform: str) -> str:
        if engine is None or platform == engine.native or platform in engine.platforms:
            return ""
        return f"this engine cannot run {platform}: install qemu-user-static and binfmt-support"

    with Progress(sys.stderr) as progress:
        try:
            found = contracts.check(
                there,
                plan.root,
                client,
                cannot,
                progress.told,
                asked.project.parallel or max(4, os.cpu_count() or 1),
            )
        except KeyboardInterrupt:
            raise StoppedError(f"{progress.said}; no container is left") from None
    order = {name: number for number, name in enumerate(names)}
    every = sorted((*found, *absent), key=lambda check: order[check.image])
    return Checks(tuple(every), time.monotonic() - began)
