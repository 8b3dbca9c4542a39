"""A plan as bake's own JSON: what `docker buildx bake -f -` builds to the same images.

https://docs.docker.com/build/bake/reference/. It knows bake's words; it runs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..config.dockerfiles import is_remote
from ..model import Reference, Secret
from .familiar import familiar
from .meanings import DOCKER_IMAGE, TARGET
from .plan import Need, Plan, PlannedImage

STAGING = "argosy-staging"
# Provenance gives every build another digest: it is kept beside what it speaks of, and a release names both.
NO_PROVENANCE = ["type=provenance,disabled=true"]


def target(name: str) -> str:
    """Bake's target name for an image: bake allows letters, digits, _ and - only."""
    return name.replace("_", "__").replace("/", "_-").replace(".", "_")


def bakefile(plan: Plan, only: Iterable[str] | None = None, *, straight: bool = False) -> dict[str, Any]:
    """Returns the bake file for a plan, or for some of its selected images and all that they stand on.

    What is only stood on gets neither a tag nor an output: buildx 0.13 would load it otherwise. `straight` is for
    an engine's own builder on the containerd store: what is pushed goes from the builder to the registry, once.
    """
    wanted = {image.name for image in plan.selected} if only is None else set(only)
    images = closure(plan, wanted)
    targets = {target(image.name): _target(image, plan, image.name in wanted, straight) for image in images}
    for image in images:
        for link in links(image, plan):
            if link.target not in targets:
                targets[link.target] = _stand_in(image, link, plan)
    group = [target(image.name) for image in images if image.name in wanted]
    file = json.dumps({"group": {"default": {"targets": group}}, "target": targets})
    # bake reads its JSON as HCL, where these two begin a template.
    read: dict[str, Any] = json.loads(file.replace("${", "$${").replace("%{", "%%{"))
    return read


@dataclass(frozen=True, slots=True)
class Link:
    """One name in a Dockerfile (the need's key) that stands for a sibling, and the target given for it."""

    need: Need
    target: str


def links(image: PlannedImage, plan: Plan) -> tuple[Link, ...]:
    """Returns an image's links to its siblings.

    The target is the sibling's own where it is built in the same run, else one of the link's own.
    """
    found: list[Link] = []
    inside = _built(plan)
    for need in image.needs:
        if not need.key:
            continue
        if need.image not in inside:
            name = f"{target(image.name)}___{len(found) + 1}"
        else:
            # buildx before 0.15 mixes up two links of one image to one target, so a sibling that is spelled
            # in two ways is there a second time: the same steps, all of them cached.
            spelled = sum(1 for link in found if link.need.image == need.image)
            name = target(need.image) + (f"___{spelled + 1}" if spelled else "")
        found.append(Link(need, name))
    return tuple(found)


def _stand_in(image: PlannedImage, link: Link, plan: Plan) -> dict[str, Any]:
    """Returns the target for a link that is no sibling's own: one more of it, or the one the engine has.

    For a context `docker-image://…` BuildKit asks the registry first, for a FROM the engine's own builder
    takes what the engine has. The context is the image's, for the triggers that ONBUILD may have left.
    """
    if link.need.image in _built(plan):
        return _target(plan[link.need.image], plan)
    given = next((other.given for other in plan.images if other.name == link.need.image), {})
    return {
        "context": _context(image, plan),
        "dockerfile-inline": _from(given or {"": link.need.reference}),
        "platforms": list(link.need.platforms),
        "output": ["type=cacheonly"],
        "attest": NO_PROVENANCE,
    }


def _from(given: Mapping[str, str]) -> str:
    """Returns a Dockerfile that is nothing but what is given for each platform."""
    if len(set(given.values())) == 1:
        return f"FROM {next(iter(given.values()))}\n"
    stages = [
        f"FROM --platform={platform} {reference} AS {platform.replace('/', '-')}\n"
        for platform, reference in given.items()
    ]
    variant = "${TARGETVARIANT:+-${TARGETVARIANT}}"
    return "".join([*stages, f"FROM ${{TARGETOS}}-${{TARGETARCH}}{variant}\n"])


def _built(plan: Plan) -> set[str]:
    """The images that are built in this run, not reused and not left out (`--no-deps`)."""
    return {image.name for image in plan.images if image.action != "reuse"}


def _context(image: PlannedImage, plan: Plan) -> str:
    return image.context if is_remote(image.context) else str(plan.root / image.context)


def closure(plan: Plan, names: Iterable[str]) -> tuple[PlannedImage, ...]:
    """Returns the named images and all of the plan that is built for them, in plan order.

    What is reused is given by its address, and what it stands on is not asked for.
    """
    wanted = set(names)
    for image in reversed(plan.images):
        if image.name in wanted and image.action != "reuse":
            wanted |= {need.image for need in image.needs}
    return tuple(image for image in plan.images if image.name in wanted and image.action != "reuse")


def _target(image: PlannedImage, plan: Plan, named: bool = False, straight: bool = False) -> dict[str, Any]:
    contexts = {
        key: _pinned(value, image) if is_remote(value) or value.startswith(TARGET) else str(plan.root / value)
        for key, value in image.contexts.items()
    }
    contexts |= {base: f"{DOCKER_IMAGE}{stand_in}" for base, stand_in in image.mirror.items()}
    contexts |= image.pins
    contexts |= {link.need.key: f"target:{link.target}" for link in links(image, plan)}
    found: Mapping[str, Any] = {
        "context": _context(image, plan),
        "dockerfile": str(plan.root / image.dockerfile),
        "target": image.target,
        "args": dict(image.args),
        "contexts": contexts,
        "labels": dict(image.labels),
        "cache-from": list(image.cache_from),
        "cache-to": list(image.cache_to) if named else [],
        "no-cache": image.uncached,
        "secret": [secret(one) for one in image.secrets],
        "ssh": list(image.ssh),
        "platforms": list(image.building or image.platforms),
        "tags": _tags(image) if named and image.output == "load" else [],
        "output": _output(image, straight=straight) if named else ["type=cacheonly"],
        "attest": _attest(plan) if named and image.output == "push" else NO_PROVENANCE,
    }
    return {key: value for key, value in found.items() if value}


def _pinned(context: str, image: PlannedImage) -> str:
    """Returns what a named context is, an outside image by the digest it was addressed by."""
    if not context.startswith(DOCKER_IMAGE):
        return context
    return image.pins.get(familiar(context.removeprefix(DOCKER_IMAGE)), context)


def _attest(plan: Plan) -> list[str]:
    return [f"type=provenance,mode={plan.provenance}"] if plan.provenance != "off" else NO_PROVENANCE


def secret(one: Secret) -> str:
    """Returns a secret as bake (and podman) takes it: where it is, a field that holds a comma in quotes."""
    place = f"src={one.file}" if one.file else f"env={one.env}"
    return f"id={one.id}," + (f'"{place}"' if "," in place else place)


def _tags(image: PlannedImage) -> list[str]:
    tags = [str(reference) for reference in image.references]
    return [*tags, f"{image.home}:{image.address}"] if image.address and image.home else tags


def _output(image: PlannedImage, *, straight: bool) -> list[str]:
    if image.output == "load":
        return ["type=docker,oci-mediatypes=true"]
    if image.output == "push":
        names = ",".join(pushed_under(image))
        # An empty `push` is true for BuildKit and says nothing to buildx, which would have the engine push all of
        # it a second time, from its image store; so nothing need be stored or unpacked there either.
        push = "push=,store=false" if straight else "push=true"
        return [f'type=image,"name={names}",{push},oci-mediatypes=true']
    return ["type=cacheonly"]


def pushed_under(image: PlannedImage) -> tuple[str, ...]:
    """Returns what a build is pushed under: no name and no address, but one tag in each of its repositories.

    That tag is overwritten by every push and means nothing; the digest counts. Addresses are given when it is
    sure that no input changed while the image was being built.
    """
    return tuple(sorted({f"{reference.name}:{staging(image, reference)}" for reference in image.published}))


def staging(image: PlannedImage, where: Reference) -> str:
    """Returns the tag that an image is pushed under in one of its repositories."""
    return image.staging.get(where.host, STAGING)


def staged(plan: Plan, hosts: Iterable[str], mark: str) -> Plan:
    """Returns the plan whose pushes to these hosts go under a tag of each image's own: there none is overwritten."""
    images = tuple(
        replace(image, staging=dict.fromkeys(hosts, f"{STAGING}-{mark}-{number}"))
        for number, image in enumerate(plan.images)
    )
    return replace(plan, images=images)
