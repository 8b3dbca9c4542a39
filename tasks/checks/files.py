"""All that is looked for on files alone, image by image: Dockerfiles, arguments, contexts. Nothing need be built.

It reads the disk, asks no engine, and says what is the same for several images only once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..config.dockerfiles import is_remote
from ..contents import addressing, state, trees
from ..contents.statcache import StatCache
from ..model import Project
from ..planning.dockerfile import read
from ..planning.facts import Facts
from ..planning.meanings import is_folder
from ..planning.plan import Plan, PlannedImage
from ..planning.recipe import Recipe
from ..planning.taking import MAIN
from . import contexts, dockerfiles
from .finding import Finding

UNMOUNTED = "secret"
Place = tuple[str, str | None]


@dataclass(slots=True)
class _Said:
    """What was found, by image; what another image has said already is left out."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    known: set[Finding] = field(default_factory=set)

    def add(self, image: str, finding: Finding) -> None:
        if finding not in self.known:
            self.known.add(finding)
            self.findings[image].append(finding)


def check(project: Project, facts: Facts, plan: Plan) -> dict[str, list[Finding]]:
    """Returns what is found for each selected image. Raises ConfigError for what cannot be read at all."""
    said = _Said()
    recipes = addressing.recipes(plan, facts)
    cache = StatCache(state.folder(plan.root) / "contents")
    walked: dict[tuple[Place, bool], tuple[Finding, ...]] = {}
    for image in plan.selected:
        said.findings[image.name] = []
        dockerfile = read(facts.files[image.dockerfile], image.dockerfile)
        for finding in dockerfiles.check(image, project, dockerfile, facts.native):
            said.add(image.name, finding)
        for warning in image.warnings:
            said.add(image.name, Finding(UNMOUNTED, warning, f"images.{image.name}"))
        mine = [recipes[image.name, platform] for platform in image.platforms]
        for place, whole in _places(image, mine):
            if (place, whole) not in walked:
                walked[place, whole] = tuple(
                    _context(plan, *place, cache, whole=whole, reports=project.scanning.folder)
                )
            for finding in walked[place, whole]:
                said.add(image.name, finding)
    return said.findings


def _places(image: PlannedImage, recipes: list[Recipe]) -> Iterator[tuple[Place, bool]]:
    """Yields the folders that are contexts of an image, and whether all of one is taken."""
    taken = {
        (one.context, one.paths is None or not {"", ".", "/"}.isdisjoint(one.paths))
        for recipe in recipes
        for one in recipe.taken
    }
    if not is_remote(image.context):
        yield (image.context, image.dockerfile), (MAIN, True) in taken
    for name, folder in image.contexts.items():
        if is_folder(image, name):
            # All of a named context is what its COPY names it for.
            yield (folder, None), False


def _context(
    plan: Plan, folder: str, dockerfile: str | None, cache: StatCache, *, whole: bool, reports: str
) -> Iterator[Finding]:
    outline = trees.outline(plan.root / folder, trees.rules(plan.root, folder, dockerfile), cache)
    entries = outline.tree.entries
    yield from contexts.keys(plan.root, folder, entries)
    yield from contexts.unguarded(plan.root, folder, dockerfile, entries, whole=whole)
    if whole:
        yield from contexts.reported(plan.root, folder, dockerfile, entries, reports)
