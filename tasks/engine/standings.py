"""What registries have at the addresses of a plan: asked before it is decided what is built and what reused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import SurroundingsError
from ..model import Descriptor, Reference
from ..planning.deciding import Standing
from ..planning.plan import Plan
from ..registries import registry
from .publishing import Clients, descriptor, places, remotes
from .together import together


def in_registries(plan: Plan, before: Mapping[str, Standing]) -> dict[str, Standing]:
    """Adds to what is known of images which platforms are there, in every repository at once.

    What is there without the provenance that is wanted is not there.
    """
    clients = remotes(plan)
    asked = [
        (image, place, platform, before[image.name].addresses[platform].tag)
        for image in plan.images
        if not before[image.name].barrier
        for place in places(image)
        for platform in image.platforms
    ]
    answers = together(lambda one: descriptor(clients, one[1], one[3], plan.provenance), asked)
    absent: set[tuple[str, str]] = set()
    stands: dict[str, dict[tuple[Reference, str], Descriptor]] = {}
    for (image, place, platform, _), answer in zip(asked, answers, strict=True):
        if answer:
            stands.setdefault(image.name, {})[place, platform] = answer
        else:
            absent.add((image.name, platform))
    found = dict(before)
    for image in plan.images:
        if not before[image.name].barrier and places(image):
            there = [platform for platform in image.platforms if (image.name, platform) not in absent]
            known, home = stands.get(image.name, {}), Reference.parse(image.home)
            # A tag can be moved before the build comes to it; what was found, and addressed, is the digest.
            given = {p: f"{image.home}@{known[home, p].digest}" for p in there if (home, p) in known}
            found[image.name] = replace(
                before[image.name],
                there=frozenset(there),
                given=given,
                where=" in the registry",
                stands=known,
            )
    return found


def elsewhere(plan: Plan, before: Mapping[str, Standing]) -> dict[str, Standing]:
    """Adds images that the engine lacks and their registry has: pulled, they need no building.

    An image that is only stood on BuildKit takes from there itself, one of several platforms too. The engine is given
    no image of several platforms in this way. A registry that does not answer, or refuses, has nothing as far as
    this goes.
    """
    wanted = [
        image
        for image in plan.images
        if not before[image.name].barrier and not before[image.name].there
        if (image.published and len(image.platforms) == 1 if image.selected else image.home and image.publish)
    ]
    asked = [
        (image, platform, Reference.parse(f"{image.home}:{before[image.name].addresses[platform].tag}"))
        for image in wanted
        for platform in image.platforms
    ]
    found = dict(before)
    if not asked:
        return found
    clients = {host: registry.Remote(host, tries=1) for host in {one.host for _, _, one in asked}}
    answering = {host for host, remote in clients.items() if _answers(remote)}
    answers = together(lambda one: _digest(clients, one[2]) if one[2].host in answering else "", asked)
    given: dict[str, dict[str, str]] = {}
    for (image, platform, reference), digest in zip(asked, answers, strict=True):
        if digest:
            # What is only stood on need have no name in the engine, and a tag can be moved before it is taken.
            exact = str(reference) if image.selected else f"{image.home}@{digest}"
            given.setdefault(image.name, {})[platform] = exact
    for image in wanted:
        if len(given.get(image.name, {})) == len(image.platforms):
            found[image.name] = replace(
                before[image.name],
                there=frozenset(image.platforms),
                given=given[image.name],
                fetched=True,
                where=" in the registry",
            )
    return found


def _answers(remote: registry.Remote) -> bool:
    try:
        remote.reachable()
    except SurroundingsError:
        return False
    return True


def _digest(clients: Clients, reference: Reference) -> str:
    try:
        found = descriptor(clients, reference, reference.tag)
    except SurroundingsError:
        return ""
    return found.digest if found else ""
