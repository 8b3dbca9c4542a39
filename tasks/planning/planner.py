"""(Project, Facts, Request) -> Plan. The one place where the rooms of planning are asked in turn. Pure."""

from __future__ import annotations

from ..errors import ConfigError, SurroundingsError
from ..model import Image, Project
from . import collisions, siblings
from .facts import Facts
from .naming import Naming
from .plan import Need, Output, Plan, PlannedImage
from .request import Request
from .selection import select


def make(project: Project, facts: Facts, request: Request) -> Plan:
    """Makes the plan. Raises ConfigError for whatever cannot be, before any work."""
    naming = Naming(project, facts, request.release)
    chosen = select(project, request)
    platforms = {name: image.platforms or (facts.native,) for name, image in project.images.items()}
    owners = siblings.index(project, naming)
    args: dict[str, dict[str, str]] = {}
    needs: dict[str, tuple[Need, ...]] = {}
    waiting = list(chosen)
    while waiting:
        name = waiting.pop()
        if name in needs:
            continue
        image = project.images[name]
        where = f"images.{name}.args"
        args[name] = {key: naming.expand(text, image, where) for key, text in image.args.items()}
        needs[name] = siblings.needs(naming, image, platforms[name], args[name], owners)
        if request.deps:
            waiting += [need.image for need in needs[name]]
    if request.deps:
        names = siblings.order(
            chosen, {name: [need.image for need in found] for name, found in needs.items()}
        )
    else:
        inside = {name: [n.image for n in found if n.image in chosen] for name, found in needs.items()}
        names = siblings.order(chosen, inside)
    output: Output = "load" if request.output == "auto" else request.output
    stood_on = {need.image: name for name in reversed(names) for need in needs[name]}
    fleet = naming.fleet_version()
    plan = Plan(
        project=project.name,
        root=project.root,
        version=fleet.text,
        version_source=fleet.source,
        images=tuple(
            _image(
                project.images[name],
                naming,
                facts,
                selected=name in chosen,
                platforms=platforms[name],
                args=args[name],
                needs=needs[name],
                output=output,
                because=f"{stood_on.get(name, '')} stands on it",
            )
            for name in names
        ),
        output=output,
        linked=request.deps,
        origins=project.origins,
    )
    collisions.check(plan)
    _check_engine(plan, facts)
    return plan


def _image(
    image: Image,
    naming: Naming,
    facts: Facts,
    *,
    selected: bool,
    platforms: tuple[str, ...],
    args: dict[str, str],
    needs: tuple[Need, ...],
    output: Output,
    because: str,
) -> PlannedImage:
    where = f"images.{image.name}"
    return PlannedImage(
        name=image.name,
        version=naming.version(image).text,
        dockerfile=image.dockerfile,
        context=image.context,
        target=image.target,
        platforms=platforms,
        args=args,
        contexts={
            key: naming.expand(text, image, f"{where}.contexts") for key, text in image.contexts.items()
        },
        labels={key: naming.expand(text, image, f"{where}.labels") for key, text in image.labels.items()},
        published=naming.published(image) if selected else (),
        local=naming.local(image) if selected and output != "push" else (),
        needs=needs,
        groups=image.groups,
        publish=image.publish,
        selected=selected,
        output=output if selected and (image.publish or output != "push") else "none",
        action="build" if facts.engine else "unknown",
        reason=(("asked for" if selected else because) if facts.engine else facts.no_engine),
    )


def _check_engine(plan: Plan, facts: Facts) -> None:
    """Refuses before building what the engine cannot do: a platform it lacks, a load its store cannot hold."""
    engine = facts.engine
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
        raise ConfigError(
            f"image {several[0].name} is for {len(several[0].platforms)} platforms, and this engine's image store "
            "holds one at a time (no containerd image store). Three ways on:\n"
            f"  one platform    --platforms {several[0].platforms[0]}\n"
            "  push            inv push, which needs no local copy\n"
            "  no output       --output none, which builds everything and keeps only the cache"
        )
