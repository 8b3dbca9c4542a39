"""What cannot be in a resolved plan: two claims on one name, platforms a base lacks, a push without a name."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import ConfigError
from .familiar import familiar
from .plan import Plan


def check(plan: Plan) -> None:
    """Raises ConfigError with every collision of a plan at once."""
    found = [*_claims(plan), *_caches(plan), *_platforms(plan), *_nameless(plan)]
    if len(found) == 1:
        raise ConfigError(found[0])
    if found:
        lines = "".join(f"\n  {line}" for line in found)
        raise ConfigError(f"the plan has {len(found)} collisions{lines}")


def _claims(plan: Plan) -> Iterator[str]:
    claimed: dict[str, str] = {}
    for image in plan.selected:
        for reference in image.references:
            # `docker.io/library/api:latest` and `api` are one name in an engine.
            other = claimed.setdefault(familiar(str(reference)), image.name)
            if other != image.name:
                yield (
                    f"images {other} and {image.name} both claim {reference}; "
                    f"give one another name (images.{image.name}.tags, .repository or .local)"
                )


def _caches(plan: Plan) -> Iterator[str]:
    """Of two images that write one cache only the last keeps its steps; a cache at a name takes the name away."""
    names = {familiar(str(reference)): image.name for image in plan.images for reference in image.references}
    written: dict[frozenset[str], str] = {}
    for image in plan.images:
        for words in image.cache_keys:
            fields = frozenset(word for word in words.split(",") if not word.startswith("mode="))
            other = written.setdefault(fields, image.name)
            if other != image.name and "type=inline" not in fields:
                yield (
                    f'images {other} and {image.name} would both write the cache "{words}"; '
                    "put {image} into it (cache.others)"
                )
            for word in fields:
                if word.startswith("ref=") and familiar(word.removeprefix("ref=")) in names:
                    yield f'image {image.name}: the cache "{words}" is a name of an image (cache)'


def _platforms(plan: Plan) -> Iterator[str]:
    offered = {image.name: image.platforms for image in plan.images}
    for image in plan.images:
        for need in image.needs:
            # With --no-deps a sibling may be outside the plan; what it is for is not known then.
            has = offered.get(need.image, need.platforms)
            lacking = [platform for platform in need.platforms if platform not in has]
            if lacking:
                yield (
                    f"image {image.name} wants {need.image} for {', '.join(lacking)} ({need.because}), "
                    f"but {need.image} is for {', '.join(has)} (images.{need.image}.platforms)"
                )


def _nameless(plan: Plan) -> Iterator[str]:
    for image in plan.selected:
        if plan.output == "push" and image.publish and not image.published:
            yield f"image {image.name} would be pushed but has no tag; set tags.build or images.{image.name}.tags"
