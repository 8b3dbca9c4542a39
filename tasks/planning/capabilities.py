"""What an engine cannot do for a plan, said before any work: a platform it lacks, a load its store cannot hold."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ConfigError, SurroundingsError
from .facts import Engine
from .plan import Plan, PlannedImage


def check(plan: Plan, engine: Engine | None) -> None:
    """Raises SurroundingsError for platforms the builder lacks, ConfigError for an output that cannot be.

    Without an engine nothing is known, and nothing refused.
    """
    if engine is None:
        return
    wanted = dict.fromkeys(platform for image in plan.images for platform in image.platforms)
    lacking = [platform for platform in wanted if platform not in engine.platforms]
    if lacking:
        raise SurroundingsError(
            f"the builder cannot build for {', '.join(lacking)}; it offers {', '.join(engine.platforms)}. "
            "For emulation install qemu-user-static and binfmt-support, or add a node of that platform ([builder])."
        )
    if (
        engine.driver == "docker"
        and engine.store == "classic"
        and any(image.cache_to for image in plan.images)
    ):
        raise ConfigError(
            "this engine's own builder cannot write caches (no containerd image store). Name another builder "
            "([builder], then `inv builder`), give the engine that image store, or write none here (cache.write = [])."
        )
    several = [image for image in plan.images if len(image.platforms) > 1]
    loaded = [image for image in several if image.output == "load"]
    if engine.store == "classic" and (loaded or (several and engine.driver == "docker")):
        raise ConfigError(_too_many((loaded or several), engine))


def _too_many(images: Sequence[PlannedImage], engine: Engine) -> str:
    """Says that a classic image store takes no image of several platforms, and the ways on.

    The engine's own builder shares that limit, whatever becomes of the build; any other builder does not.
    """
    first, others = images[0], f" (and {len(images) - 1} more)" if len(images) > 1 else ""
    own = engine.driver == "docker"
    needs = (
        "\nThe last two need a builder that is not the engine's own: name one in build.toml ([builder]), and\n"
        "`inv builder` creates it. Or give the engine the containerd image store, which does all of this itself."
    )
    return (
        f"image {first.name}{others} is for {len(first.platforms)} platforms, and this engine's image store holds "
        "one at a time (no containerd image store). Three ways on:\n"
        f"  one platform    --platforms {first.platforms[0]}\n"
        "  push            inv push, which needs no local copy\n"
        f"  no output       --output none, which builds everything and keeps only the cache{needs if own else ''}"
    )
