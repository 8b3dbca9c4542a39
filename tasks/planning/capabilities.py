"""What an engine cannot do for a plan, said before any work: a platform it lacks, a load its store cannot hold."""

from __future__ import annotations

from ..errors import ConfigError, SurroundingsError
from .facts import Engine
from .plan import Plan


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
    several = [image for image in plan.selected if len(image.platforms) > 1]
    if plan.output == "load" and several and engine.store == "classic":
        count = len(several[0].platforms)
        others = f" (and {len(several) - 1} more)" if len(several) > 1 else ""
        raise ConfigError(
            f"image {several[0].name}{others} is for {count} platforms, and this engine's image store holds "
            "one at a time (no containerd image store). Three ways on:\n"
            f"  one platform    --platforms {several[0].platforms[0]}\n"
            "  push            inv push, which needs no local copy\n"
            "  no output       --output none, which builds everything and keeps only the cache"
        )
