"""Which images of a plan the engine has already at their address, and the names they get there.

An image is reused only if it is verified to be there with every platform asked for, in fact and not by an
index's word. In the engine an address is a tag: a label would be inherited by whatever stands on the image.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..contents import pending, records
from ..contents.addressing import Survey
from ..model import Held
from ..planning.address import joined
from ..planning.deciding import Standing
from ..planning.familiar import familiar
from ..planning.plan import Plan, PlannedImage
from ..planning.platforms import named
from . import docker, images
from .together import together


def name(plan: Plan) -> None:
    """Gives every reused image the references that a built one gets; those it has already cost nothing."""
    reused = [image for image in plan.selected if image.action == "reuse" and plan.output == "load"]
    _fetch([image for image in reused if image.fetched])
    calls = [
        (f"{image.home}:{image.address}", str(reference))
        for image in reused
        for reference in image.references
        if not image.held or familiar(str(reference)) not in image.held.names
    ]
    together(lambda call: images.name(plan.client, call[0], [call[1]]), calls)


def _fetch(wanted: Sequence[PlannedImage]) -> None:
    """Brings images from their registry into the engine, at their addresses."""
    calls = [reference for image in wanted for reference in image.given.values()]
    for done in together(lambda name: docker.ask("docker", "pull", "--quiet", name), calls):
        if not done:
            raise docker.explain(done)


def remember(plan: Plan, found: Survey, built: Mapping[str, str]) -> None:
    """Remembers what was just built (digests by name), so that the next plan can say what has changed since.

    The containerd store knows an image by that digest, so what was loaded is known to be whole without a look.
    """
    fresh = [image for image in plan.images if image.name in built and image.addresses]
    for image in fresh:
        records.remember(plan.root, image.name, found.addresses[image.name], image.dockerfile)
    if plan.output == "load":
        loaded = {built[image.name]: image.platforms for image in fresh if image.selected and image.home}
        records.remember_whole(plan.root, {digest: known for digest, known in loaded.items() if digest})


def forget(plan: Plan, names: Collection[str]) -> None:
    """Takes the address off images that turned out not to be what it says; their names stay."""
    references = [reference for name, reference in addressed(plan).items() if name in names]
    if references:
        images.remove(plan.client, references)


def forget_unsure(plan: Plan) -> None:
    """Takes away the addresses that builds left which were killed before it was sure that these were right."""
    pending.forget(plan.root, lambda left: images.remove(plan.client, left))


def addressed(plan: Plan) -> dict[str, str]:
    """Returns the address that each image is loaded under when it is built, by its name."""
    return {
        image.name: f"{image.home}:{image.address}"
        for image in plan.selected
        if plan.output == "load" and image.action == "build" and image.home and image.address
    }


def standings(plan: Plan, before: Mapping[str, Standing]) -> dict[str, Standing]:
    """Adds to what is known of images which platforms the engine really has, by one call to it."""
    references = {
        image.name: f"{image.home}:{joined(before[image.name].addresses).tag}"
        for image in plan.images
        if image.home and not before[image.name].barrier
    }
    there = images.inspect(plan.client, list(references.values()))
    known = records.whole(plan.root)
    found = dict(before)
    for image in plan.images:
        about = there.get(references.get(image.name, ""))
        if about is not None:
            platforms = _really_there(plan, image, references[image.name], about, known)
            found[image.name] = replace(
                found[image.name],
                there=frozenset(platforms),
                given=dict.fromkeys(image.platforms, references[image.name]),
                held=_held(about),
            )
        found[image.name] = replace(found[image.name], where=" in the engine" if about is None else "")
    return found


def _really_there(
    plan: Plan, image: PlannedImage, reference: str, about: Mapping[str, Any], known: Mapping[str, list[str]]
) -> set[str]:
    """Returns the platforms whose content the engine really has.

    An index that was pulled for one platform inspects like a whole one, so an image that was not loaded by
    ourselves is asked for each platform once: `docker create` fails for one that is not there.
    """
    if about["Id"] in known:
        return set(known[about["Id"]])
    if len(image.platforms) == 1:
        return {named(about["Os"], about["Architecture"], about.get("Variant") or "")} & set(image.platforms)
    platforms = {platform for platform in image.platforms if images.holds(plan.client, reference, platform)}
    if platforms == set(image.platforms):
        records.remember_whole(plan.root, {about["Id"]: platforms})
    return platforms


def _held(about: Mapping[str, Any]) -> Held:
    names = tuple(map(familiar, about.get("RepoTags") or ()))
    return Held(id=about["Id"], size=int(about.get("Size", 0)), names=names)
