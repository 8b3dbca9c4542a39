"""What is to be released, as a value: which version, of which commit, which names at which manifests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError
from ..model import Reference
from ..planning.plan import Plan
from ..registries.registry import RELEASE, Manifest
from .content import Child, Contents, Place
from .index import index

PREFIX = "org.opencontainers.image."


@dataclass(frozen=True, slots=True)
class Source:
    """The commit that is released: its full id, its time ("2026-11-22T21:00:00Z"), where it is kept."""

    revision: str = ""
    created: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """One image in one repository: the index to be named, what it is made of, its tags, and the image's version."""

    image: str
    place: Place
    index: Manifest
    children: tuple[Child, ...]
    tags: tuple[str, ...]
    version: str = ""

    @property
    def references(self) -> tuple[Reference, ...]:
        """The names it is to have."""
        return tuple(Reference(self.place.host, self.place.repository, tag) for tag in self.tags)


@dataclass(frozen=True, slots=True)
class Order:
    """A release, all digests known and nothing moved.

    The journal and the record live in `home`, one repository of the fleet, whichever images are released.
    `permanent` are hosts where a tag, once made, can neither be moved nor taken away, as build.toml declares them.
    `to` is the destination of build.toml where it is a promotion.
    """

    project: str
    tag: str
    source: Source
    home: Place
    named: tuple[Named, ...]
    permanent: frozenset[str] = frozenset()
    gates: Mapping[str, str] = field(default_factory=dict)
    seals: tuple[str, ...] = ()
    overwrite: bool = False
    to: str = ""


def order(
    plan: Plan,
    tag: str,
    source: Source,
    home: Place,
    contents: Contents,
    manifests: Mapping[str, Manifest],
    **more: Any,
) -> Order:
    """Returns the order for a plan's published images; the indexes are made here, put nowhere yet.

    An image that is not to be annotated is named as it was tested: by its own manifest (from `manifests`, by
    digest), or by an index that says nothing of the release where it has several.
    """
    named: list[Named] = []
    for image in plan.selected:
        for place, children in contents.get(image.name, {}).items():
            here = [r for r in image.published if Place(r.host, r.repository) == place]
            tags = tuple(dict.fromkeys(reference.tag for reference in here))
            annotations = annotated(image.name, tag, source, image.labels) if image.annotate else {}
            platforms = [child.digest for child in children if child.platform]
            plain = None if image.annotate or len(platforms) > 1 else manifests[platforms[0]]
            made = plain or index(children, annotations)
            named.append(Named(image.name, place, made, children, tags, image.version))
    return Order(plan.project, tag, source, home, tuple(named), **more)


def annotated(image: str, tag: str, source: Source, labels: Mapping[str, str]) -> dict[str, str]:
    """Returns what stands on an image's index: its own labels of that kind, and what the release knows.

    https://github.com/opencontainers/image-spec/blob/main/annotations.md
    """
    own = {key: text for key, text in labels.items() if key.startswith(PREFIX)}
    url = own.get(f"{PREFIX}url") or source.url
    return {
        f"{PREFIX}title": image,
        f"{PREFIX}source": source.url,
        f"{PREFIX}url": url,
        **own,
        f"{PREFIX}version": tag.removeprefix("v"),
        f"{PREFIX}revision": source.revision,
        f"{PREFIX}created": source.created,
        RELEASE: tag,
    }


def published(plan: Plan, names: Iterable[str] = ()) -> tuple[Reference, ...]:
    """Returns every name of every image that is published, in the order of `names`, then in that of the plan."""
    found = {image.name: image.published for image in plan.images if image.publish}
    return tuple(reference for name in dict.fromkeys((*names, *found)) for reference in found.get(name) or ())


def home(plan: Plan, names: Iterable[str] = (), permanent: Collection[str] = ()) -> Place:
    """Returns where a fleet keeps its journal and its records: with the first image of `names`, build.toml's order.

    What stands on what does not move it. A journal is taken away in the end, so it is on none of the `permanent`
    hosts. Raises ConfigError where nothing is published, or nowhere else.
    """
    found = published(plan, names)
    if not found:
        raise ConfigError("no image of this fleet is published, so there is nothing to release")
    for reference in found:
        if reference.host not in permanent:
            return Place(reference.host, reference.repository)
    raise ConfigError(
        f"release.permanent has every registry of this fleet ({', '.join(sorted(permanent))}), and a release needs one "
        "in which its journal can be taken away again: list another in [[project.registries]]."
    )
