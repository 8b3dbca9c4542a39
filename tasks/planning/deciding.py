"""Build or reuse, and why, for every image of a plan. Pure: addresses and what is where in, a plan out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .address import Address, differences, joined
from .plan import Plan, PlannedImage

SHOWN = 2
"""How many changes a reason names; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one image: its address on each platform, where that is there already, what it was.

    `there` are the platforms that are really there at this address. `before` are the addresses of
    the build that is remembered, by platform. `barrier` says why no address can stand for it.
    """

    addresses: Mapping[str, Address] = field(default_factory=dict)
    there: frozenset[str] = frozenset()
    before: Mapping[str, Address] = field(default_factory=dict)
    barrier: str = ""


def decide(plan: Plan, standings: Mapping[str, Standing], *, rebuild: bool = False) -> Plan:
    """Returns the plan with an action and a reason for each image."""
    return replace(plan, images=tuple(_decided(image, standings.get(image.name), rebuild) for image in plan.images))


def _decided(image: PlannedImage, standing: Standing | None, rebuild: bool) -> PlannedImage:
    if standing is None or image.action == "unknown":
        return image
    address = joined(standing.addresses).tag if standing.addresses else ""
    if not standing.barrier and not rebuild and set(image.platforms) <= standing.there:
        return replace(image, action="reuse", reason="unchanged", address=address)
    return replace(image, action="build", reason=_reason(image, standing, rebuild), address=address)


def _reason(image: PlannedImage, standing: Standing, rebuild: bool) -> str:
    if rebuild:
        return "asked to rebuild"
    if standing.barrier:
        return f"cannot be reused: {standing.barrier}"
    missing = [platform for platform in image.platforms if platform not in standing.there]
    changes: dict[str, None] = {}
    for platform in missing:
        if platform in standing.before:
            changes |= dict.fromkeys(differences(standing.before[platform], standing.addresses[platform]))
    if changes:
        named = list(changes)
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        return "; ".join(named[:SHOWN]) + more
    if standing.there:
        return f"not there yet for {', '.join(missing)}"
    return "no longer there" if any(platform in standing.before for platform in missing) else "new"
