"""(Project, Facts, Request) -> Plan. The one place where the rooms of planning are asked in turn. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..model import Image, Project
from . import caches, capabilities, collisions, mirrors, mounts, siblings
from .facts import Facts
from .familiar import familiar
from .naming import Naming
from .plan import Output, Plan, PlannedImage
from .platforms import Platform
from .request import Request
from .selection import select


def make(project: Project, facts: Facts, request: Request) -> Plan:
    """Makes the plan. Raises ConfigError for whatever cannot be, before any work."""
    naming = Naming(project, facts, request.release)
    chosen = select(project, request)
    found = drafts(naming, chosen, deps=request.deps)
    names = siblings.order(chosen, {name: draft.needs for name, draft in found.items()})
    output: Output = "load" if request.output == "auto" else request.output
    stood_on = {need.image: name for name in reversed(names) for need in found[name].needs}
    fleet = naming.fleet_version()
    plan = Plan(
        project=project.name,
        root=project.root,
        version=fleet.text,
        version_source=fleet.source,
        images=tuple(
            _selected(found[name], naming, output)
            if name in chosen
            else replace(found[name], reason=f"{stood_on[name]} stands on it")
            for name in names
        ),
        output=output,
        provenance=project.release.provenance if output == "push" else "off",
        client=project.client,
        origins=project.origins,
    )
    if facts.engine is None:
        unknown = (replace(image, action="unknown", reason=facts.no_engine) for image in plan.images)
        plan = replace(plan, images=tuple(unknown))
    collisions.check(plan)
    if request.builds:
        capabilities.check(plan, facts.engine)
    return plan


def drafts(naming: Naming, chosen: Iterable[str], *, deps: bool) -> dict[str, PlannedImage]:
    """Returns the images chosen and, with `deps`, all that they stand on: without names, in no order."""
    owners = siblings.index(naming)
    found: dict[str, PlannedImage] = {}
    waiting = list(chosen)
    while waiting:
        name = waiting.pop()
        if name not in found:
            image = naming.project.images[name]
            draft = _draft(image, naming)
            draft = replace(draft, needs=siblings.needs(naming, draft, image.needs, owners))
            draft = mounts.warned(mirrors.mirrored(naming, draft), naming.facts)
            found[name] = caches.cached(naming.project, naming.facts, draft)
            waiting += [need.image for need in found[name].needs] if deps else []
    return found


def _draft(image: Image, naming: Naming) -> PlannedImage:
    """Returns an image as it is built when another stands on it: every template expanded, but no name."""
    native = naming.facts.native
    platforms = dict.fromkeys(str(Platform.parse(text, native)) for text in image.platforms)
    contexts = naming.expand_all(image, "contexts")
    return PlannedImage(
        name=image.name,
        version=naming.version(image).text,
        dockerfile=image.dockerfile,
        context=image.context,
        target=image.target,
        platforms=tuple(platforms) or (native,),
        args=naming.expand_all(image, "args"),
        contexts={_context_name(key): value for key, value in contexts.items()},
        labels=naming.expand_all(image, "labels"),
        secrets=image.secrets,
        ssh=image.ssh,
        before=image.before,
        paths=image.paths,
        groups=image.groups,
        publish=image.publish,
        annotate=image.annotate,
        selected=False,
        output="none",
        home=naming.home(image),
    )


def _selected(draft: PlannedImage, naming: Naming, output: Output) -> PlannedImage:
    """Returns an image that was asked for, with its names and where it goes."""
    image = naming.project.images[draft.name]
    pushes = output == "push"
    return replace(
        draft,
        published=naming.published(image),
        local=() if pushes else naming.local(image),
        selected=True,
        output=output if image.publish or not pushes else "none",
        reason="asked for",
    )


def _context_name(key: str) -> str:
    """Returns a named context's key in the one form that BuildKit finds it by."""
    try:
        return familiar(key)
    except ValueError:
        return key
