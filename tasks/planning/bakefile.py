"""A plan as bake's own JSON: what `docker buildx bake -f -` builds to the same images.

https://docs.docker.com/build/bake/reference/. It knows bake's words; it runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    return {
        "group": {"default": {"targets": [target(image.name) for image in images if image.name in wanted]}},
        "target": {target(image.name): _target(image, plan, named=image.name in wanted) for image in images},
    }


def closure(plan: Plan, names: Iterable[str]) -> tuple[PlannedImage, ...]:
    """Returns the named images and everything they stand on, in plan order."""
    wanted = set(names)
    if plan.linked:
        for image in reversed(plan.images):
            if image.name in wanted:
                wanted |= {need.image for need in image.needs}
    return tuple(image for image in plan.images if image.name in wanted)


def _target(image: PlannedImage, plan: Plan, *, named: bool) -> dict[str, Any]:
    contexts = {
        key: value if is_remote(value) or value.startswith("target:") else str(plan.root / value)
        for key, value in image.contexts.items()
    }
    inside = {other.name for other in plan.images} if plan.linked else set()
    for need in image.needs:
        if need.key:
            built = need.image in inside
            contexts[need.key] = (
                f"target:{target(need.image)}" if built else f"docker-image://{need.reference}"
            )
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
