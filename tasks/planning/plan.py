"""What would be done, image by image, as values: the product of planning and the engine's only order.

It holds no rule: how a plan comes about is said in planner.py and the rooms it asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..model import Client, Descriptor, Held, Reference, Secret

Output = Literal["load", "push", "none"]
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Need:
    """One sibling that an image stands on, and where that is said.

    `key` is the name by which BuildKit must be given the sibling ("" for a need that no Dockerfile shows);
    `reference` is the name the sibling has when it is not built in the same run; `platforms` are those it
    is wanted for.
    """

    image: str
    because: str
    reference: str
    key: str = ""
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One image, every template expanded, every sibling linked.

    `paths` are files that go into it though no instruction shows them, as patterns below the project.

    `cache_from` and `cache_to` are caches in bake's words, `cache_keys` those it would write if this branch might.

    An image that is not `selected` is there because another stands on it: it is built, but gets no name.

    `home` is the repository of its addresses, with the registry; `addresses` are its address tags by
    platform (none where no address can stand for it), `address` the one over all platforms. `building` are
    the platforms to be built: all, or those that are missing alone. `pins` are the outside bases it is built
    from, as contexts for BuildKit; `mirror` is what such a base, by its familiar name, is taken from instead.
    `anew` says that what is built takes the place of what stands at its address, `uncached` that BuildKit's cache
    must not serve for it.
    `staging` is the tag that a push to a host goes under where that host keeps every tag for ever.
    `given` says where a reused image is found, by platform; `fetched` that it has to come from there into the
    engine first; `stands` what registries said of it, by repository and platform, `held` what the engine did.
    `warnings` are notes that a build says too.
    """

    name: str
    version: str
    dockerfile: str
    context: str
    target: str
    platforms: tuple[str, ...]
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    published: tuple[Reference, ...] = ()
    local: tuple[Reference, ...] = ()
    needs: tuple[Need, ...] = ()
    paths: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    publish: bool = True
    annotate: bool = True
    selected: bool = True
    output: Output = "load"
    action: Literal["build", "reuse", "unknown"] = "build"
    reason: str = ""
    home: str = ""
    address: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    building: tuple[str, ...] = ()
    anew: bool = False
    uncached: bool = False
    pins: Mapping[str, str] = field(default_factory=dict)
    mirror: Mapping[str, str] = field(default_factory=dict)
    staging: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    fetched: bool = False
    stands: Mapping[tuple[Reference, str], Descriptor] = field(default_factory=dict)
    held: Held | None = None
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    cache_keys: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    ssh: tuple[str, ...] = ()
    before: tuple[tuple[str, ...], ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[Reference, ...]:
        """All names it gets in the engine."""
        return (*self.published, *self.local)

    @property
    def repository(self) -> str:
        """The first repository it is published to, with its registry."""
        return self.published[0].name if self.published else ""

    def as_json(self) -> dict[str, Any]:
        """The image as `plan --format json` shows it."""
        return {
            "name": self.name,
            "version": self.version,
            "references": [str(reference) for reference in self.references],
            "repository": self.repository,
            "dockerfile": self.dockerfile,
            "context": self.context,
            "target": self.target,
            "args": dict(self.args),
            "contexts": dict(self.contexts),
            "labels": dict(self.labels),
            "platforms": list(self.platforms),
            "needs": [{"image": need.image, "because": need.because} for need in self.needs],
            "groups": list(self.groups),
            "publish": self.publish,
            "selected": self.selected,
            "output": self.output,
            "action": self.action,
            "reason": self.reason,
            "address": self.address,
            "notes": [*self.warnings, *self.notes],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run would do; images stand after all that they stand on.

    `provenance` is BuildKit's mode for what is pushed ("off", "min", "max"). What an image stands on may be outside
    the plan (`--no-deps`).
    """

    project: str
    root: Path
    version: str
    version_source: str
    images: tuple[PlannedImage, ...]
    output: Output
    provenance: str = "off"
    client: Client = "docker"
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def selected(self) -> tuple[PlannedImage, ...]:
        """The images that were asked for."""
        return tuple(image for image in self.images if image.selected)

    def __getitem__(self, name: str) -> PlannedImage:
        for image in self.images:
            if image.name == name:
                return image
        raise KeyError(name)

    def as_json(self) -> dict[str, Any]:
        """The plan as `plan --format json` shows it; `schema` grows when a key changes its meaning."""
        return {
            "schema": SCHEMA,
            "project": self.project,
            "version": {"value": self.version, "source": self.version_source},
            "output": self.output,
            "origins": dict(self.origins),
            "images": [image.as_json() for image in self.images],
        }
