"""A plan made sure of: bases locked, addresses found, and build or reuse decided for every image.

It joins the rooms that answer the questions; each of them asks the world but once. Those that only a build or a
registry needs are loaded then: most runs find all there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..config import lock as locks
from ..config.lock import Lock
from ..contents import addressing, records
from ..contents.addressing import Survey
from ..errors import ConfigError, SurroundingsError, nearest, several
from ..model import Project
from ..planning.deciding import Standing, decide
from ..planning.differing import moved
from ..planning.facts import Facts
from ..planning.familiar import familiar
from ..planning.meanings import DOCKER_IMAGE
from ..planning.plan import Plan, PlannedImage
from ..planning.recipe import Recipe
from . import docker, reuse
from . import facts as surroundings

SHOWN = 3
"""How many files an error names; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is to be considered: `rebuild` ignores what is there, `pull` asks anew where bases stand,
    `locked` refuses a change of build.lock, `keep` writes it, for a build that follows.
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
    old = locks.read(project.root)
    lock = _locked(project, plan, recipes, wish, old)
    notes = _moved(plan, recipes, old, lock)
    found = addressing.survey(plan, facts, recipes, lock)
    pins = {image.name: _pins(image, recipes, lock) for image in plan.images}
    plan = replace(plan, images=tuple(replace(image, pins=pins[image.name]) for image in plan.images))
    standings = {
        image.name: Standing(
            addresses=found.addresses[image.name],
            before=records.before(plan.root, image.name, image.platforms),
            barrier=found.barriers.get(image.name, ""),
            notes=(*notes.get(image.name, ()), *found.notes.get(image.name, ())),
            triggers=addressing.leaves_triggers(image, facts),
        )
        for image in plan.images
    }
    if wish.keep and any(_has_changed(standing) for standing in standings.values()):
        # What builds need takes as long to be loaded as the engine takes to answer what follows.
        threading.Thread(target=docker.client).start()
    if plan.output == "load":
        reuse.forget_unsure(plan)
        standings = reuse.standings(plan, standings)
        if not all(standings[image.name].there for image in plan.selected):
            from .standings import elsewhere

            standings = elsewhere(plan, standings)
    elif plan.output == "push":
        from .standings import in_registries

        standings = in_registries(plan, standings)
    decided = decide(plan, standings, rebuild=wish.rebuild)
    if wish.keep:
        _refuse_unseen(decided, standings)
    return decided, found


def _refuse_unseen(plan: Plan, standings: Mapping[str, Standing]) -> None:
    """Raises ConfigError where BuildKit would not see what has changed, and build what was there before."""
    for image in plan.images:
        if image.action != "build":
            continue
        of = standings[image.name]
        if paths := records.unseen(plan.root, image.name, of.before, of.addresses, image.dockerfile):
            touched = " ".join(paths[:SHOWN]) + (" …" if len(paths) > SHOWN else "")
            raise ConfigError(
                f"{image.name}: {several(paths, SHOWN)} changed and kept "
                "size and time. By these BuildKit tells what to read anew, so it would build what was there before. "
                f"Run: touch {touched}"
            )


def _has_changed(standing: Standing) -> bool:
    """Whether an image is not what was built here last; it may be there all the same."""
    before = {platform: address.digest for platform, address in standing.before.items()}
    return before != {platform: address.digest for platform, address in standing.addresses.items()}


def once_built(
    project: Project, facts: Facts, plan: Plan, found: Survey, built: Mapping[str, str]
) -> tuple[Plan, frozenset[str]]:
    """Looks again when images were just built (their digests by name), and remembers what they were built from.

    An image of which an input changed while it was built was built from who knows which of the two: it loses
    its address in the plan that is returned, and in the engine. Returns that plan, and which images these are.
    """
    now = replace(facts, files=surroundings.texts(project))
    again = addressing.survey(plan, now, addressing.recipes(plan, now), found.lock).addresses
    changed = frozenset(name for name in built if again[name] != found.addresses[name])
    reuse.forget(plan, changed)
    reuse.remember(plan, found, {name: digest for name, digest in built.items() if name not in changed})
    images = tuple(
        replace(image, address="", addresses={}) if image.name in changed else image for image in plan.images
    )
    return replace(plan, images=images), changed


def _locked(
    project: Project, plan: Plan, recipes: Mapping[tuple[str, str], Recipe], wish: Wish, lock: Lock
) -> Lock:
    """Returns the lock with every base of the plan in it, and keeps it."""
    wanted = addressing.bases_of(recipes.values())
    unknown = {name: platforms for name, platforms in wanted.items() if wish.pull or name not in lock.bases}
    if unknown and wish.locked:
        raise ConfigError(
            f"{locks.NAME} does not hold {', '.join(sorted(unknown))}, and --locked allows no change. "
            f"Run `inv build` (or `inv build --pull`) where it may change, and commit {locks.NAME}."
        )
    known, resolved = dict(lock.bases), {}
    if unknown:
        from . import bases

        try:
            resolved = bases.resolve(docker.client(), unknown, builder=project.builder.name, fresh=wish.pull)
        except bases.NoBaseError as error:
            name = re.split("[:@]", error.reference.rpartition("/")[2])[0]
            hint = nearest(name, project.images)
            ours = f" No image of this fleet is called {name}{hint}." if hint else ""
            raise SurroundingsError(
                f"{_standing_on(error.reference, plan, recipes)}: {error}{ours}"
            ) from None
        # Another run may have written it while the registries answered.
        known = {**locks.read(project.root).bases, **resolved}
    if wish.pull and _reaches_all(project, plan):
        known = {name: base for name, base in known.items() if name in wanted}
    lock = Lock(known)
    if wish.keep and not wish.locked:
        locks.write(project.root, lock)
    return lock


def _moved(
    plan: Plan, recipes: Mapping[tuple[str, str], Recipe], old: Lock, new: Lock
) -> dict[str, list[str]]:
    """Returns a note for each base that moved, for the first of the images that stand on it."""
    notes: dict[str, list[str]] = {}
    left = {name for name, base in old.bases.items() if new.bases.get(name, base).digest != base.digest}
    for image in plan.images if left else ():
        stood_on = {name for platform in image.platforms for name, _ in recipes[image.name, platform].bases}
        for name in sorted(left & stood_on):
            note = moved(name, old.bases[name].digest, new.bases[name].digest)
            notes.setdefault(image.name, []).append(note)
        left -= stood_on
    return notes


def _reaches_all(project: Project, plan: Plan) -> bool:
    """Whether a plan reaches every base that the project stands on: all images, nothing chosen for this run alone.

    Other platforms, arguments or flavours may stand on others, whose digests must not be forgotten.
    """
    return len(plan.images) == len(project.images) and not project.origins and not project.flavours


def _standing_on(base: str, plan: Plan, recipes: Mapping[tuple[str, str], Recipe]) -> str:
    """Returns the images that stand on a base, each with its Dockerfile."""
    names = {
        name
        for (name, _), recipe in recipes.items()
        if any(familiar(reference) == familiar(base) for reference, _ in recipe.bases)
    }
    standing = [image for image in plan.images if image.name in names]
    mirrored = {name: None for image in standing for name, it in image.mirror.items() if it == base}
    why = f" (in place of {', '.join(mirrored)}, [mirror])" if mirrored else ""
    return ", ".join(f"{image.name} ({image.dockerfile})" for image in standing) + why


def _pins(image: PlannedImage, recipes: Mapping[tuple[str, str], Recipe], lock: Lock) -> dict[str, str]:
    """Returns an image's outside bases as contexts: BuildKit is given what was addressed, by digest."""
    asked = {
        reference for platform in image.platforms for reference, _ in recipes[image.name, platform].bases
    }
    known = {familiar(reference): reference for reference in sorted(asked)} | dict(image.mirror)
    return {
        name: f"{DOCKER_IMAGE}{reference}@{lock.bases[reference].digest}"
        for name, reference in known.items()
        if reference in lock.bases
    }
