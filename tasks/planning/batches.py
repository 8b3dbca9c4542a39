"""A plan cut into bake calls of bounded size. Pure.

bake starts every target at once, has no cap, and cancels all of them at the first failure; so many small
calls, each of images that stand on each other where that is possible, are what keeps a large fleet alive.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from .plan import Plan, PlannedImage

PER_CORE = 12


def bound(parallel: int | None, cores: int | None = None) -> int:
    """How many image platforms run at once: as set, or by the processors.

    A target is mostly waiting (for a registry, an apt mirror, a single-threaded step), so a core serves
    several; 100 at once on two cores is where BuildKit begins to miss its own deadlines.
    """
    return parallel or PER_CORE * (cores or os.cpu_count() or 1)


def batches(plan: Plan, only: Iterable[str], most: int) -> tuple[tuple[str, ...], ...]:
    """Splits selected images into batches of at most `most` image platforms, bases before children.

    Images that stand on each other stay together while they fit. An image larger than `most` is a batch of
    its own. A batch's bake file holds what its images stand on as well (bakefile.closure), already cached.
    """
    wanted = set(only)
    filled: list[list[str]] = []
    weight = most
    for family in _families(plan, wanted):
        total = sum(_weight(image) for image in family)
        if total > most - weight and total <= most:
            # Keeps a family that fits one batch in one: its base is then solved once.
            weight = most
        for image in family:
            if not filled or weight + _weight(image) > most:
                filled.append([])
                weight = 0
            filled[-1].append(image.name)
            weight += _weight(image)
    return tuple(tuple(batch) for batch in filled)


def _weight(image: PlannedImage) -> int:
    return len(image.platforms)


def _families(plan: Plan, wanted: set[str]) -> list[list[PlannedImage]]:
    """Groups images that stand on each other, each group in plan order, groups by their first image."""
    family: dict[str, list[PlannedImage]] = {}
    for image in plan.images:
        members = [image]
        for need in image.needs if plan.linked else ():
            other = family.get(need.image)
            if other is not None and other is not members:
                members = other + members if members != [image] else [*other, image]
        for member in members:
            family[member.name] = members
    seen: dict[int, list[PlannedImage]] = {}
    position = {image.name: at for at, image in enumerate(plan.images)}
    for image in plan.images:
        members = family[image.name]
        seen.setdefault(
            id(members), sorted((m for m in members if m.name in wanted), key=lambda m: position[m.name])
        )
    return [members for members in seen.values() if members]
