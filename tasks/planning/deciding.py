"""Build or reuse, and why, for every image of a plan. Pure: addresses and what is where in, a plan out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..model import Descriptor, Held, Reference
from .address import Address, joined
from .differing import differences, hidden
from .plan import Plan, PlannedImage

SHOWN = 2
"""How many changes a reason names; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one image: its address on each platform, where that is there already, what it was.

    `there` are the platforms that are really there at this address, `given` is where, `fetched` if elsewhere,
    `where` says it in words, `stands` and `held` what registries and the engine said of it. `before` are the
    addresses of the build that is remembered, by platform. `barrier` says why no address can stand for it;
    `triggers` that it leaves some (ONBUILD) to whatever stands on it.
    """

    addresses: Mapping[str, Address] = field(default_factory=dict)
    there: frozenset[str] = frozenset()
    before: Mapping[str, Address] = field(default_factory=dict)
    barrier: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    fetched: bool = False
    where: str = ""
    stands: Mapping[tuple[Reference, str], Descriptor] = field(default_factory=dict)
    held: Held | None = None
    triggers: bool = False
    notes: tuple[str, ...] = ()


def decide(plan: Plan, standings: Mapping[str, Standing], *, rebuild: bool = False) -> Plan:
    """Returns the plan with an action and a reason for each image."""
    decided = (_decided(image, standings[image.name], rebuild) for image in plan.images)
    images = _with_triggers(tuple(decided), standings)
    wanted = _wanted(images)
    whole = (
        replace(image, building=image.platforms)
        if wanted.get(image.name, set()) - set(image.building) and image.action == "build"
        else image
        for image in images
    )
    return replace(plan, images=tuple(whole))


def _with_triggers(images: Sequence[PlannedImage], standings: Mapping[str, Standing]) -> list[PlannedImage]:
    """Returns the images, those with triggers built where something that is built stands on them.

    Given by its address, an image would run them in a stage of its own, in which they see other arguments and leave
    none behind for the instructions that follow. Built once more, from the cache, it is linked.
    """
    found: list[PlannedImage] = []
    above: dict[str, str] = {}
    for image in reversed(images):
        one = image
        if image.action == "reuse" and standings[image.name].triggers and image.name in above:
            reason = f"{above[image.name]} is built and runs its triggers"
            one = replace(
                image, action="build", reason=reason, building=image.platforms, given={}, fetched=False
            )
        if one.action == "build":
            above |= {need.image: image.name for need in image.needs}
        found.append(one)
    return found[::-1]


def _wanted(images: Sequence[PlannedImage]) -> dict[str, set[str]]:
    """Returns the platforms for which images that are built want those they stand on."""
    wanted: dict[str, set[str]] = {}
    for image in images:
        for need in image.needs if image.action == "build" else ():
            # A sibling that is wanted for other platforms than the image's own is a tool for building it.
            alike = set(need.platforms) == set(image.platforms)
            wanted.setdefault(need.image, set()).update(image.building if alike else need.platforms)
    return wanted


def _decided(image: PlannedImage, standing: Standing, rebuild: bool) -> PlannedImage:
    image = replace(image, notes=(*image.notes, *standing.notes))
    if not standing.barrier:
        tags = {platform: found.tag for platform, found in standing.addresses.items()}
        image = replace(image, addresses=tags, address=joined(standing.addresses).tag)
    missing = tuple(platform for platform in image.platforms if rebuild or platform not in standing.there)
    if not standing.barrier and not missing:
        reason = f"unchanged{standing.where}"
        return replace(
            image,
            action="reuse",
            reason=reason,
            given=standing.given,
            fetched=standing.fetched,
            stands=standing.stands,
            held=standing.held,
        )
    building = missing if image.output == "push" and not standing.barrier else image.platforms
    reason = _reason(image, standing, missing, rebuild)
    uncached = any(
        hidden(before, standing.addresses[platform])
        for platform, before in standing.before.items()
        if platform in standing.addresses
    )
    return replace(image, action="build", reason=reason, building=building, anew=rebuild, uncached=uncached)


def _reason(image: PlannedImage, standing: Standing, missing: tuple[str, ...], rebuild: bool) -> str:
    if rebuild:
        return "asked to rebuild"
    if standing.barrier:
        return f"cannot be reused: {standing.barrier}"
    if changed := changes(standing.before, standing.addresses, missing):
        return changed
    if standing.there and missing != image.platforms:
        return f"not there yet for {', '.join(missing)}"
    known = any(platform in standing.before for platform in missing)
    return f"not there{standing.where}" if known else "new"


def changes(before: Mapping[str, Address], now: Mapping[str, Address], platforms: Iterable[str]) -> str:
    """Returns in words what is no longer as it was on these platforms, "" for nothing, or where it is not known."""
    pairs = [(before[platform], now[platform]) for platform in platforms if platform in before]
    return shortened(words for old, new in pairs for words in differences(old, new))


def shortened(changes: Iterable[str]) -> str:
    """Returns the first of these changes, each once, and how many more there are."""
    named = list(dict.fromkeys(changes))
    more = f"; {len(named) - SHOWN} more changes" if len(named) > SHOWN else ""
    return "; ".join(named[:SHOWN]) + more
