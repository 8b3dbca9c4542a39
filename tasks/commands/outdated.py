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
    from ..config import lock
    from ..contents import records
    from ..planning.address import differences
    from ..planning.deciding import SHOWN
    from .asking import weigh

    project = asked.project
    if asked.facts.engine is None or project.client != "docker" or not lock.read(project.root).bases:
        return  # bases would have to be asked for, and this is no build
    try:
        weighed = weigh(asked, keep=False)
    except ArgosyError:
        return  # a build will say it
    survey = weighed.survey
    for image in weighed.plan.selected if survey else ():
        before = records.before(project.root, image.name, image.platforms)
        now = survey.addresses[image.name] if survey else {}
        pairs = [(old, now[platform]) for platform, old in before.items() if platform in now]
        changes = list(dict.fromkeys(words for old, new in pairs for words in differences(old, new)))
        if image.action == "build" and changes:
            more = f"; {len(changes) - SHOWN} more changes" if len(changes) > SHOWN else ""
            yield f"{image.name}: since it was built here, {'; '.join(changes[:SHOWN])}{more}. Build it: inv build"
