"""Images brought from a registry into the engine, under their local names too; and which names are there."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..planning.plan import Plan, PlannedImage
from . import images
from .docker import explain

if TYPE_CHECKING:
    from python_on_whales import DockerClient

THREADS = 4
# What registries say of a name they do not have; a wrong password says none of it.
ABSENT = re.compile(
    r"manifest unknown|not found|no matching manifest|repository does not exist|name unknown", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Pulled:
    """One image's outcome: the reference asked for, the names it has now, and why it is absent ("" if not)."""

    image: str
    reference: str
    names: tuple[str, ...] = ()
    absent: str = ""


def pull(docker: DockerClient, plan: Plan, *, tag: str = "", platform: str = "") -> tuple[Pulled, ...]:
    """Pulls each selected image by `tag` (its own first one if "") and names it locally.

    Raises SurroundingsError where the registry or the engine does not answer or refuses.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        return tuple(pool.map(lambda image: _one(docker, image, tag, platform), plan.selected))


def local_references(docker: DockerClient, plan: Plan) -> tuple[str, ...]:
    """Returns every reference the engine has in the repositories of the plan's selected images."""
    repositories = {reference.name for image in plan.selected for reference in image.references}
    return images.listed(docker, repositories)


def _one(docker: DockerClient, image: PlannedImage, tag: str, platform: str) -> Pulled:
    from python_on_whales.exceptions import DockerException

    if not image.published:
        return Pulled(image.name, "", absent="it is published nowhere")
    wanted = replace(image.published[0], tag=tag) if tag else image.published[0]
    try:
        docker.image.pull(str(wanted), quiet=True, platform=platform or None)
    except DockerException as error:
        if ABSENT.search(error.stderr or ""):
            return Pulled(image.name, str(wanted), absent=f"{wanted.name} has no {wanted.tag}")
        raise explain(error) from None
    for name in image.local:
        docker.image.tag(str(wanted), str(name))
    return Pulled(image.name, str(wanted), (str(wanted), *map(str, image.local)))
