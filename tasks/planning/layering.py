"""Which line of which Dockerfile made which layer, in the siblings below an image too. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import dockerfile as dockerfiles
from .naming import Naming
from .plan import PlannedImage
from .promises import bottom

MAKING = ("RUN", "COPY", "ADD", "WORKDIR")


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction that makes a layer, and where it stands: "docker/api/Dockerfile:7"."""

    keyword: str
    text: str
    place: str


def lines(image: PlannedImage, naming: Naming, known: Mapping[str, PlannedImage]) -> tuple[Line, ...]:
    """Returns the lines that an image's layers come from, the lowest first; an outside base has none."""
    text = dockerfiles.read(naming.facts.files[image.dockerfile], image.dockerfile)
    stages, below = bottom(image, naming)
    own = tuple(
        Line(one.keyword, one.text, text.place(one.line))
        for stage in reversed(stages)
        for one in stage.instructions
        if one.keyword in MAKING
    )
    return (*(lines(known[below], naming, known) if below in known else ()), *own)


def matched(steps: Sequence[str], found: Sequence[Line]) -> tuple[Line | None, ...]:
    """Returns for each history line that made a layer the Dockerfile's, None for those of an outside base.

    Both are followed from the end: a WORKDIR whose folder was there already has made no layer.
    """
    left = list(found)
    out: list[Line | None] = []
    for step in reversed(steps):
        keyword = step.split(" ", 1)[0]
        while left and left[-1].keyword == "WORKDIR" and keyword != "WORKDIR":
            left.pop()
        out.append(left.pop() if left and left[-1].keyword == keyword else None)
        if out[-1] is None:
            left.clear()
    return tuple(reversed(out))
