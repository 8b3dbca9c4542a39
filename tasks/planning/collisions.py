"""What cannot be in a resolved plan: two claims on one name, platforms a base lacks, a push without a name."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import ConfigError
from ..model import Reference
from .plan import Plan


def check(plan: Plan) -> None:
    """Raises ConfigError with every collision of a plan at once."""
    found = [*_claims(plan), *_platforms(plan), *_nameless(plan)]
    if len(found) == 1:
        raise ConfigError(found[0])
    if found:
        raise ConfigError(
            "\n".join([f"the plan has {len(found)} collisions", *(f"  {line}" for line in found)])
        )


def _claims(plan: Plan) -> Iterator[str]:
    claimed: dict[Reference, str] = {}
    for image in plan.selected:
        for reference in image.references:
            other = claimed.setdefault(reference, image.name)
            if other != image.name:
                yield (
                    f"images {other} and {image.name} both claim {reference}; "
                    f"give one another name (images.{image.name}.tags, .repository or .local)"
                )


def _platforms(plan: Plan) -> Iterator[str]:
    if not plan.linked:
        return
    for image in plan.images:
        for need in image.needs:
            base = plan[need.image]
            lacking = [platform for platform in need.platforms if platform not in base.platforms]
            if lacking:
                yield (
                    f"image {image.name} wants {need.image} for {', '.join(lacking)} ({need.because}), "
                    f"but images.{need.image}.platforms is {', '.join(base.platforms)}"
                )


def _nameless(plan: Plan) -> Iterator[str]:
    for image in plan.selected:
        if plan.output == "push" and image.publish and not image.published:
            yield f"image {image.name} would be pushed but has no tag; set tags.build or images.{image.name}.tags"
