"""Images brought from a registry into the engine, under their local names too; and which names are there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..planning.address import is_address
from ..planning.familiar import familiar
from ..planning.plan import Plan, PlannedImage
from . import images
from .docker import ask, explain
from .together import together

if TYPE_CHECKING:
    from ..model import Client

THREADS = 4
# What the engine says of a name that a registry does not have; a wrong password says none of it.
_ABSENT = re.compile(
    r"^Error(?: response from daemon)?: .*("
    r"manifest unknown|name unknown|repository does not exist|no matching manifest|no match for platform|: not found$)",
    re.MULTILINE,
)
_OR_PRIVATE = "may require 'docker login'"


@dataclass(frozen=True, slots=True)
class Pulled:
    """One image's outcome: the reference asked for ("" if it is never published), the names it has now, and
    why it is absent ("" if it is not).
    """

    image: str
    reference: str
    names: tuple[str, ...] = ()
    absent: str = ""


def pull(
    plan: Plan,
    *,
    tag: str = "",
    platform: str = "",
    told: Callable[[Pulled], object] = lambda _: None,
) -> tuple[Pulled, ...]:
    """Pulls each selected image by `tag` (its own first one if "") and names it locally.

    `told` hears of each as it comes, from several threads. Raises SurroundingsError where the registry or the
    engine does not answer or refuses.
    """

    def one(image: PlannedImage) -> Pulled:
        pulled = _one(plan.client, image, tag, platform)
        told(pulled)
        return pulled

    return tuple(together(one, plan.selected, THREADS))


def local_references(plan: Plan) -> tuple[str, ...]:
    """Returns every reference that the engine has of the plan's selected images.

    In a repository that is published these are all tags; a local name may be beside others': that tag alone, and
    addresses.
    """
    published = {familiar(one.name) for image in plan.selected for one in image.published}
    local = {familiar(str(one)) for image in plan.selected for one in image.local}
    repositories = {reference.name for image in plan.selected for reference in image.references}
    return tuple(
        name
        for name in images.listed(plan.client, repositories)
        if images.short(name.rpartition(":")[0]) in published
        or images.short(name) in local
        or is_address(name.rpartition(":")[2])
    )


def _one(client: Client, image: PlannedImage, tag: str, platform: str) -> Pulled:
    if not image.publish or not image.published:
        return Pulled(image.name, "", absent="it is not published")
    wanted = replace(image.published[0], tag=tag) if tag else image.published[0]
    options = ["--platform", platform] if platform else []
    done = ask(client, "image", "pull", "--quiet", *options, str(wanted))
    absent = not done and _ABSENT.search(done.err)
    if not done and not absent:
        raise explain(done)
    # What is for one platform alone is brought whatever platform was asked for.
    if absent or (platform and not images.holds(client, str(wanted), platform)):
        private = (
            f", or it is private: docker login {wanted.registry}".rstrip() if _OR_PRIVATE in done.err else ""
        )
        what = f"{wanted.tag} for {platform}" if platform else wanted.tag
        return Pulled(image.name, str(wanted), absent=f"{wanted.name} has no {what}{private}")
    images.name(client, str(wanted), map(str, image.local))
    return Pulled(image.name, str(wanted), (str(wanted), *map(str, image.local)))
