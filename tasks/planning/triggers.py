"""What a Dockerfile leaves to whatever stands on its image: its ONBUILD triggers. Pure.

What they take of a context is in the child's, so a child's address takes that whole. Here is the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from .dockerfile import Dockerfile, Instruction
from .meanings import mount_fields
from .taking import fetched


def triggers(dockerfile: Dockerfile) -> Iterator[Instruction]:
    """Yields what is to run in a child, from whatever stage."""
    for stage in dockerfile.stages:
        yield from (instruction.trigger for instruction in stage.instructions if instruction.trigger)


def fetching(dockerfile: Dockerfile) -> Iterator[str]:
    """Yields why no one knows the content of what the triggers take from outside of contexts."""
    for trigger in triggers(dockerfile):
        # Which variables a child has, the child alone knows.
        yield from fetched(dockerfile, trigger, {})
        mounts = trigger.flag_values("mount") if trigger.keyword == "RUN" else ()
        names = [trigger.flag("from"), *(mount_fields(mount).get("from") for mount in mounts)]
        for name in filter(None, names):
            yield f"{dockerfile.place(trigger.line)}: ONBUILD {trigger.keyword} takes from {name}"
