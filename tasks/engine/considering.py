"""A plan made sure of: bases locked, addresses found, and build or reuse decided for every image.

It joins the rooms that answer the questions; each of them asks the world but once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..config import lock as locks
from ..config.lock import Lock
from ..errors import ConfigError
from ..model import Project
from ..planning.deciding import Standing, decide
from ..planning.facts import Facts
from ..planning.familiar import familiar
from ..planning.plan import Plan
from ..planning.recipe import Recipe
from . import addressing, bases, docker, publishing, records, reuse
from .addressing import Survey


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is to be considered: `rebuild` ignores what is there, `pull` asks anew where bases stand,
    `locked` refuses a change of build.lock, `keep` writes it.
    """

    rebuild: bool = False
    pull: bool = False
    locked: bool = False
    keep: bool = True


def consider(project: Project, facts: Facts, plan: Plan, wish: Wish) -> tuple[Plan, Survey]:
    """Returns the plan with addresses, actions and reasons, its bases pinned; and what is behind them.

    Raises SurroundingsError for a base that cannot be had, ConfigError where the lock would have to change
    and may not.
    """
    recipes = addressing.recipes(plan, facts)
    lock = _locked(project, plan, recipes, wish)
    found = addressing.survey(plan, facts, recipes, lock)
    plan = replace(plan, images=tuple(replace(i, pins=_pins(i.name, recipes, lock)) for i in plan.images))
    standings = {
        image.name: Standing(
            addresses=found.addresses[image.name],
            before=records.before(plan.root, image.name, image.platforms),
            barrier=found.barriers.get(image.name, ""),
            notes=found.notes.get(image.name, ()),
        )
        for image in plan.images
    }
    if plan.output == "load":
        standings = reuse.standings(plan, standings)
    elif plan.output == "push":
        standings = publishing.standings(plan, standings)
    return decide(plan, standings, rebuild=wish.rebuild), found


def _locked(project: Project, plan: Plan, recipes: Mapping[tuple[str, str], Recipe], wish: Wish) -> Lock:
    """Returns the lock with every base of the plan in it, and keeps it."""
    lock = locks.read(project.root)
    wanted = addressing.bases_of(recipes.values())
    unknown = {name: platforms for name, platforms in wanted.items() if wish.pull or name not in lock.bases}
    if unknown and wish.locked:
        raise ConfigError(
            f"{locks.NAME} does not hold {', '.join(sorted(unknown))}, and --locked allows no change. "
            f"Run `inv build` (or `inv build --pull`) where it may change, and commit {locks.NAME}."
        )
    known = dict(lock.bases)
    if unknown:
        known |= bases.resolve(docker.client(), unknown, builder=project.builder.name, fresh=wish.pull)
    if len(plan.images) == len(project.images):
        known = {name: base for name, base in known.items() if name in wanted}
    lock = Lock(known)
    if wish.keep and not wish.locked:
        locks.write(project.root, lock)
    return lock


def _pins(image: str, recipes: Mapping[tuple[str, str], Recipe], lock: Lock) -> dict[str, str]:
    """Returns an image's outside bases as contexts: BuildKit is given what was addressed, by digest."""
    references = {
        reference for (name, _), recipe in recipes.items() if name == image for reference, _ in recipe.bases
    }
    return {
        familiar(reference): f"docker-image://{reference}@{lock.bases[reference].digest}"
        for reference in sorted(references)
        if reference in lock.bases
    }
