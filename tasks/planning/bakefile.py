"""A plan as bake's own JSON: what `docker buildx bake -f -` builds to the same images.

https://docs.docker.com/build/bake/reference/. It knows bake's words; it runs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..config.dockerfiles import is_remote
from .plan import Plan, PlannedImage

STAGING = "argosy-staging"


def target(name: str) -> str:
    """Bake's target name for an image: bake allows letters, digits, _ and - only."""
    return name.replace("_", "__").replace("/", "_-").replace(".", "_")


def bakefile(plan: Plan, only: Iterable[str] | None = None) -> dict[str, Any]:
    """Returns the bake file for a plan, or for some of its selected images and all that they stand on.

    What is only stood on gets neither a tag nor an output: buildx 0.13 would load it otherwise.
    """
    wanted = {image.name for image in plan.selected} if only is None else set(only)
    images = closure(plan, wanted)
    targets = {target(image.name): _target(image, plan, named=image.name in wanted) for image in images}
    for image in images:
        for link in links(image, plan):
            if link.target not in targets:
                targets[link.target] = _target(plan[link.image], plan, named=False)
    group = [target(image.name) for image in images if image.name in wanted]
    file: dict[str, Any] = {"group": {"default": {"targets": group}}, "target": targets}
    # bake reads its JSON as HCL, where these two begin a template.
    file = json.loads(json.dumps(file).replace("${", "$${").replace("%{", "%%{"))
    return file


@dataclass(frozen=True, slots=True)
class Link:
    """One name in a Dockerfile (`key`) that stands for a sibling, and the target that BuildKit is given for it."""

    key: str
    image: str
    target: str


def links(image: PlannedImage, plan: Plan) -> tuple[Link, ...]:
    """Returns an image's links to siblings that are built in the same run.

    buildx before 0.15 mixes up two links of one image to one target, so a sibling that is spelled in two ways
    is given as a second target: the same steps once more, all of them cached.
    """
    found: list[Link] = []
    inside = {other.name for other in plan.images}
    for need in image.needs:
        if need.key and need.image in inside:
            spelled = sum(1 for link in found if link.image == need.image)
            name = target(need.image) + (f"___{spelled + 1}" if spelled else "")
            found.append(Link(need.key, need.image, name))
    return tuple(found)


def closure(plan: Plan, names: Iterable[str]) -> tuple[PlannedImage, ...]:
    """Returns the named images and all of the plan that they stand on, in plan order."""
    wanted = set(names)
    for image in reversed(plan.images):
        if image.name in wanted:
            wanted |= {need.image for need in image.needs}
    return tuple(image for image in plan.images if image.name in wanted)


def _target(image: PlannedImage, plan: Plan, *, named: bool) -> dict[str, Any]:
    contexts = {
        key: value if is_remote(value) or value.startswith("target:") else str(plan.root / value)
        for key, value in image.contexts.items()
    }
    contexts |= {need.key: f"docker-image://{need.reference}" for need in image.needs if need.key}
    contexts |= {link.key: f"target:{link.target}" for link in links(image, plan)}
    found: Mapping[str, Any] = {
        "context": image.context if is_remote(image.context) else str(plan.root / image.context),
        "dockerfile": str(plan.root / image.dockerfile),
        "target": image.target,
        "args": dict(image.args),
        "contexts": contexts,
        "labels": dict(image.labels),
        "platforms": list(image.platforms),
        "tags": [str(reference) for reference in image.references]
        if named and image.output == "load"
        else [],
        "output": _output(image) if named else ["type=cacheonly"],
        # Provenance gives every build another digest; a release attaches it when names are moved.
        "attest": ["type=provenance,disabled=true"],
    }
    return {key: value for key, value in found.items() if value}


def _output(image: PlannedImage) -> list[str]:
    if image.output == "load":
        return ["type=docker"]
    if image.output == "push":
        names = ",".join(sorted({f"{reference.name}:{STAGING}" for reference in image.published}))
        return [f'type=image,"name={names}",push=true,oci-mediatypes=true']
    return ["type=cacheonly"]
