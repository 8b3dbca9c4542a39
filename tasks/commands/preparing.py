"""What is done between a plan and the look at its images: commands that make their files, siblings that must be there.

It knows what is asked, not what becomes of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from .asking import Asked


def prepared(asked: Asked, again: Callable[[], Asked]) -> Asked:
    """Runs what must run before the plan's images are looked at (`before`). Raises BuildError.

    Returns what was asked; where a Dockerfile (or a file with a version) was made anew by that, it is asked `again`.
    """
    from ..contents import state
    from ..engine import before, facts

    if not before.commands(asked.plan):
        return asked
    log_file = state.new_log(asked.plan.root, "before")
    before.run(asked.plan, log_file, told=lambda text: print(text, file=sys.stderr, flush=True))
    return asked if facts.texts(asked.project) == asked.facts.files else again()


def refuse_absent(asked: Asked) -> None:
    """With --no-deps, says at once which sibling is not there, instead of looking for it elsewhere.

    The engine's own builder takes it from the engine, any other builder from the registry.
    """
    plan, engine = asked.plan, asked.facts.engine
    inside = {image.name for image in plan.images}
    needs = {n.reference: (n, image) for image in plan.images for n in image.needs if n.image not in inside}
    if not needs or engine is None:
        return
    from ..engine import images, publishing

    own = engine.driver in {"docker", "podman"}
    absent = images.missing(plan.client, list(needs)) if own else publishing.missing(list(needs))
    for reference in absent:
        need, image = needs[reference]
        where, task = ("in the engine", "build") if own else ("in the registry", "push")
        raise ConfigError(
            f"{reference} is not {where}, and {image.name} stands on {need.image} ({need.because}). "
            f"Make it first (inv {task} --images {need.image}) or drop --no-deps."
        )
