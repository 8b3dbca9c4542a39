"""A plan cut into bake calls of bounded size. Pure.

bake starts every target at once, has no cap, and cancels all of them at the first failure; so many small
calls, each of images that stand on each other where that is possible, are what keeps a large fleet alive.
"""

from __future__ import annotations

from collections.abc import Iterable

from .plan import Plan, PlannedImage

PER_CORE = 20
"""A target is mostly waiting (for a registry, an apt mirror, a single-threaded step), so a core serves several, and
each further call costs the time in which it begins and ends; 100 at once on two cores is where BuildKit begins to miss
its own deadlines."""


def bound(parallel: int | None, cores: int | None) -> int:
    """How many image platforms run at once: as set, or by the processors (None: not known)."""
    return parallel or PER_CORE * (cores or 1)


def batches(plan: Plan, only: Iterable[str], most: int) -> tuple[tuple[str, ...], ...]:
    """Splits selected images into batches of at most `most` image platforms, bases before children.

    Images that stand on each other stay together while they fit. An image larger than `most` is a batch of
    its own. A batch's bake file holds what its images stand on as well (bakefile.closure), already cached.
    """
    filled: list[list[str]] = []
    room = 0
    for family in _families(plan, set(only)):
        if room < sum(len(image.platforms) for image in family) <= most:
            # A family that fits one batch is kept in one: its base is then solved once.
            room = 0
        for image in family:
            weight = len(image.platforms)
            if weight > room:
                filled.append([])
                room = most
            filled[-1].append(image.name)
            room -= weight
    return tuple(tuple(batch) for batch in filled)


def _families(plan: Plan, wanted: set[str]) -> list[list[PlannedImage]]:
    """Groups wanted images that stand on each other, each group in plan order, groups by their first."""
    above: dict[str, str] = {}

    def head(name: str) -> str:
        while above[name] != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    for image in plan.images:
        above[image.name] = image.name
        for need in image.needs:
            if need.image in above:
                above[head(need.image)] = image.name
    families: dict[str, list[PlannedImage]] = {}
    for image in plan.images:
        if image.name in wanted:
            families.setdefault(head(image.name), []).append(image)
    return list(families.values())
