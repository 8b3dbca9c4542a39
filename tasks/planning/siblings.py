"""Which images stand on which: found in the Dockerfiles, ordered, free of circles. Pure.

It knows names and Dockerfiles; it does not know how a link is told to BuildKit (bakefile.py does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import ConfigError, nearest
from ..model import Image, Project, Reference
from . import dockerfile as dockerfiles
from .naming import Naming
from .plan import Need
from .sources import sources

TARGET = "target:"


def index(project: Project, naming: Naming) -> dict[str, str]:
    """Returns, for every name without tag by which an image may be meant, the image.

    A name two images could mean is left to the one whose own name it is (the first); collisions of real
    references are reported elsewhere.
    """
    owners: dict[str, str] = {}
    for image in project.images.values():
        for name in naming.repositories(image):
            owners.setdefault(name, image.name)
    return owners


def needs(
    naming: Naming, image: Image, platforms: Sequence[str], args: Mapping[str, str], owners: Mapping[str, str]
) -> tuple[Need, ...]:
    """Returns what an image stands on, from its Dockerfile, its contexts and its `needs`.

    Raises ConfigError for a Dockerfile that cannot be read, a target it lacks, or an image FROM itself.
    """
    project, facts = naming.project, naming.facts
    found: dict[tuple[str, str], Need] = {}

    def add(name: str, because: str, key: str, wanted: Sequence[str]) -> None:
        before = found.get((name, key))
        merged = tuple(dict.fromkeys([*(before.platforms if before else ()), *wanted]))
        reference = before.reference if before else str(naming.primary(name))
        found[name, key] = Need(name, before.because if before else because, reference, key, merged)

    for need in image.needs:
        add(need, f"images.{image.name}.needs", "", platforms)
    for key, value in image.contexts.items():
        if value.startswith(TARGET):
            name = value.removeprefix(TARGET)
            if name not in project.images:
                hint = nearest(name, project.images)
                raise ConfigError(f'images.{image.name}.contexts.{key}: no image "{name}"{hint}')
            add(name, f"images.{image.name}.contexts.{key}", key, platforms)
    text = dockerfiles.read(facts.files[image.dockerfile], image.dockerfile)
    for platform in platforms:
        for source in sources(
            text, image.target or None, args, platform, facts.native, tuple(image.contexts)
        ):
            if source.context is not None:
                continue
            owner, key = _owner(source.reference, owners)
            if owner is None:
                continue
            where = f"{source.kind} {source.reference} ({image.dockerfile}:{source.line})"
            if owner == image.name:
                raise ConfigError(f"image {image.name} stands on itself: {where}")
            add(owner, where, key, [source.platform or platform])
    return tuple(found.values())


def _owner(text: str, owners: Mapping[str, str]) -> tuple[str | None, str]:
    """Returns the image a reference means, and the key BuildKit looks it up by. A digest pins: no link."""
    try:
        reference = Reference.parse(text)
    except ConfigError:
        return None, ""
    if reference.digest:
        return None, ""
    familiar = reference.familiar
    return owners.get(reference.name) or owners.get(Reference.parse(familiar).name), familiar


def order(names: Sequence[str], stands_on: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Sorts names so that each comes after what it stands on, otherwise as given, and adds what is missing.

    Raises ConfigError with the path of a circle.
    """
    done: dict[str, None] = {}
    path: list[str] = []
    waiting: list[tuple[str, bool]] = [(name, False) for name in reversed(names)]
    while waiting:
        name, leaving = waiting.pop()
        if leaving:
            path.pop()
            done[name] = None
        elif name in path:
            circle = " -> ".join([*path[path.index(name) :], name])
            raise ConfigError(f"images stand on each other in a circle: {circle}")
        elif name not in done:
            path.append(name)
            waiting.append((name, True))
            waiting += [(other, False) for other in reversed(stands_on[name])]
    return tuple(done)
