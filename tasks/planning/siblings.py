"""Which images stand on which: found in the Dockerfiles, ordered, free of circles. Pure.

It knows names and Dockerfiles; it does not know how a link is told to BuildKit (bakefile.py does).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from ..errors import ConfigError, nearest
from ..model import Reference
from . import dockerfile as dockerfiles
from .familiar import familiar
from .meanings import TARGET
from .naming import Naming
from .plan import Need, PlannedImage
from .sources import Source, sources


def index(naming: Naming) -> dict[str, str]:
    """Returns, for every name without tag by which an image may be meant, the image.

    A name that two images could mean is left to the first; collisions of real references are reported
    elsewhere.
    """
    owners: dict[str, str] = {}
    for image in naming.project.images.values():
        for name in naming.repositories(image):
            owners.setdefault(name, image.name)
    return owners


def needs(
    naming: Naming, image: PlannedImage, said: Sequence[str], owners: Mapping[str, str]
) -> tuple[Need, ...]:
    """Returns what an image stands on: what is `said` in its `needs`, its contexts, and its Dockerfile.

    Raises ConfigError for a Dockerfile that cannot be read, a target it lacks, or an image FROM itself.
    """
    found: dict[tuple[str, str], Need] = {}
    for need in (*_said(naming, image, said), *_read(naming, image, owners)):
        before = found.setdefault((need.image, need.key), need)
        platforms = tuple(dict.fromkeys((*before.platforms, *need.platforms)))
        found[need.image, need.key] = replace(before, platforms=platforms)
    return tuple(found.values())


def _said(naming: Naming, image: PlannedImage, said: Sequence[str]) -> Iterator[Need]:
    """Yields what build.toml says."""
    for name in said:
        yield Need(name, f"images.{image.name}.needs", str(naming.primary(name)), "", image.platforms)
    for key, value in image.contexts.items():
        if value.startswith(TARGET):
            name, where = value.removeprefix(TARGET), f"images.{image.name}.contexts.{key}"
            if name not in naming.project.images:
                raise ConfigError(f'{where}: no image "{name}"{nearest(name, naming.project.images)}')
            yield Need(name, where, str(naming.primary(name)), key, image.platforms)


def _read(naming: Naming, image: PlannedImage, owners: Mapping[str, str]) -> Iterator[Need]:
    """Yields what the Dockerfile shows, platform by platform."""
    facts = naming.facts
    text = dockerfiles.read(facts.files[image.dockerfile], image.dockerfile)
    for platform in image.platforms:
        found = sources(text, image.target or None, image.args, platform, facts.native, tuple(image.contexts))
        for source in found:
            if source.context is not None:
                continue
            owner, key = _owner(source, owners)
            where = f"{source.kind} {source.reference} ({image.dockerfile}:{source.line})"
            if owner == image.name:
                # One bare word is Docker Hub's own image of that name: our nginx stands on nginx.
                if "/" not in key:
                    continue
                raise ConfigError(f"image {image.name} stands on itself: {where}")
            if owner:
                yield Need(owner, where, str(naming.primary(owner)), key, (source.platform,))


def _owner(source: Source, owners: Mapping[str, str]) -> tuple[str, str]:
    """Returns the image a reference means ("": none), and the key BuildKit looks it up by.

    What is pinned by digest is what it says, and no link.
    """
    reference = Reference.parse(source.reference)
    if reference.digest:
        return "", ""
    short = familiar(str(reference))
    return owners.get(reference.name) or owners.get(Reference.parse(short).name, ""), short


def order(names: Iterable[str], stands_on: Mapping[str, Sequence[Need]]) -> tuple[str, ...]:
    """Sorts names so that each comes after what it stands on, otherwise as given, and adds what is missing.

    What has no entry in `stands_on` is left out. Raises ConfigError with the path of a circle.
    """
    done: dict[str, None] = {}
    path: dict[str, None] = {}
    waiting = [(name, False) for name in reversed(list(names))]
    while waiting:
        name, leaving = waiting.pop()
        if leaving:
            del path[name]
            done[name] = None
        elif name in path:
            raise ConfigError(_circle([*path, name], stands_on))
        elif name not in done:
            path[name] = None
            waiting.append((name, True))
            below = dict.fromkeys(need.image for need in stands_on[name] if need.image in stands_on)
            waiting += [(other, False) for other in reversed(below)]
    return tuple(done)


def _circle(path: list[str], stands_on: Mapping[str, Sequence[Need]]) -> str:
    circle = path[path.index(path[-1]) :]
    lines = [f"images stand on each other in a circle: {' -> '.join(circle)}"]
    for name, below in pairwise(circle):
        because = next(need.because for need in stands_on[name] if need.image == below)
        lines.append(f"  {name} stands on {below}: {because}")
    return "\n".join(lines)
