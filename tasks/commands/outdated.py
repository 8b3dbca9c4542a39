"""Whether what the engine has is what the files say now: what is looked at in it may be of the last build.

It only tells; who looks at images looks at what is there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import ArgosyError

if TYPE_CHECKING:
    from .asking import Asked


def warn(asked: Asked) -> None:
    """Says on stderr which of the selected images are not what a build would make now, and why."""
    for line in _lines(asked):
        print(f"warning: {line}", file=sys.stderr)


def _lines(asked: Asked) -> Iterator[str]:
    from ..config import lock as locks
    from ..contents import addressing, records
    from ..engine import reuse
    from ..planning.deciding import Standing, changes

    plan, facts = asked.plan, asked.facts
    if facts.engine is None or plan.client != "docker":
        return
    try:
        recipes, lock = addressing.recipes(plan, facts), locks.read(plan.root)
        if not addressing.bases_of(recipes.values()).keys() <= lock.bases.keys():
            return  # a registry would have to be asked for them, and this is no build
        found = addressing.survey(plan, facts, recipes, lock)
        standings = reuse.standings(
            plan,
            {
                image.name: Standing(found.addresses[image.name], barrier=found.barriers.get(image.name, ""))
                for image in plan.images
            },
        )
    except ArgosyError:
        return  # whoever builds is told
    for image in plan.selected:
        before = records.before(plan.root, image.name, image.platforms)
        missing = [platform for platform in image.platforms if platform not in standings[image.name].there]
        if changed := changes(before, found.addresses[image.name], missing):
            yield f"{image.name}: since it was built here, {changed}. Build it: inv build"
