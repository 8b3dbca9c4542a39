"""The names an image gets: every template expanded, every reference well-formed. Pure.

It knows settings and facts; it does not know which other images claim a name (collisions.py does).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..config import templates
from ..errors import ConfigError
from ..model import HUB, TAG, Image, Project, Reference, Registry
from .facts import Facts
from .versions import Version, version


def slug(branch: str) -> str:
    """Makes a branch name fit for a tag: `feat/My_X` -> `feat-My_X`."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", branch).strip("-.")


@dataclass(frozen=True)
class Naming:
    """Expands templates for a project under given facts; `release` is a release's tag or ""."""

    project: Project
    facts: Facts
    release: str = ""
    _cache: dict[str, Version] = field(default_factory=dict, repr=False, compare=False)

    def fleet_version(self) -> Version:
        """The version of the fleet; a release's tag says it, without its "v"."""
        if self.release:
            return Version(self.release.removeprefix("v"), "--tag")
        if "" not in self._cache:
            self._cache[""] = version(self.project.version, self.facts, "version")
        return self._cache[""]

    def version(self, image: Image) -> Version:
        """The image's own version, or the fleet's."""
        if not image.version:
            return self.fleet_version()
        if image.name not in self._cache:
            self._cache[image.name] = version(image.version, self.facts, f"images.{image.name}.version")
        return self._cache[image.name]

    def expand(self, text: str, image: Image, where: str, special: Mapping[str, str] | None = None) -> str:
        """Expands one template of an image. Raises ConfigError for a field that has no value here."""
        return templates.expand(text, lambda name: self._value(name, image, where, special or {}))

    def published(self, image: Image, names: tuple[str, ...] | None = None) -> tuple[Reference, ...]:
        """All references an image is published under, those given twice merged."""
        found: dict[Reference, None] = {}
        for registry in self.project.registries:
            tags = self._tags(image, registry)
            for name in names or (image.name, *image.aliases):
                found |= dict.fromkeys(self._reference(image, registry, name, tag) for tag in tags)
        return tuple(found)

    def local(self, image: Image) -> tuple[Reference, ...]:
        """The references it gets in the engine only."""
        where = f"images.{image.name}.local"
        found: dict[Reference, None] = {}
        for text in image.local:
            reference = _parse(self.expand(text, image, where), where)
            found[
                reference if reference.tag else Reference(reference.registry, reference.repository, "latest")
            ] = None
        return tuple(found)

    def primary(self, name: str) -> Reference:
        """The reference an image is built under in this run: what `{image.NAME}` means."""
        image = self.project.images[name]
        for reference in (*self.published(image, (image.name,)), *self.local(image)):
            return reference
        raise ConfigError(f"images.{name} has no tag and no local name, so {{image.{name}}} means nothing")

    def repositories(self, image: Image) -> tuple[str, ...]:
        """Every name, without a tag, by which a Dockerfile may mean this image.

        As published now, as the file declares it, without the registry where an owner tells it apart, and
        its local names.
        """
        found: dict[str, None] = {}
        for registry in (*self.project.registries, *self.project.declared):
            for name in (image.name, *image.aliases):
                reference = self._reference(image, registry, name, "latest")
                found[reference.name] = None
                if "/" in reference.repository or registry.host == HUB:
                    found[reference.repository] = None
        found |= {reference.name: None for reference in self.local(image)}
        return tuple(found)

    def _tags(self, image: Image, registry: Registry) -> tuple[str, ...]:
        where = "tags.build"
        rules, git = self.project.tags, self.facts.git
        own = image.tags if image.tags is not None else registry.tags
        if self.release:
            prerelease = self.fleet_version().prerelease
            where, found = (
                ("tags.prerelease", rules.prerelease) if prerelease else ("tags.release", rules.release)
            )
        elif own is not None:
            where, found = f"images.{image.name}.tags", own
        elif rules.branch and git and git.branch and git.branch not in rules.default_branches:
            where, found = "tags.branch", rules.branch
        else:
            found = rules.build
        special = {"owner": registry.owner, "registry": registry.host}
        tags = dict.fromkeys(self.expand(tag, image, where, special) for tag in found)
        for tag in tags:
            if not TAG.fullmatch(tag):
                problem = (
                    "is longer than 128 characters"
                    if len(tag) > 128
                    else "holds characters a tag may not have"
                )
                raise ConfigError(
                    f'{where}: tag "{tag}" of image {image.name} {problem}. '
                    "A tag is letters, digits, _ . - and starts with none of . -"
                )
        return tuple(tags)

    def _reference(self, image: Image, registry: Registry, name: str, tag: str) -> Reference:
        where = f"images.{image.name}.repository" if image.repository else "project.repository"
        template = image.repository if image.repository and name == image.name else registry.repository
        special = {"image": name, "owner": registry.owner, "registry": registry.host}
        repository = self.expand(template, image, where, special)
        path = "/".join(part for part in (registry.host, registry.owner, repository) if part)
        return _parse(f"{path}:{tag}", where)

    def _value(self, name: str, image: Image, where: str, special: Mapping[str, str]) -> str:
        if name in special:
            return special[name]
        matrix = templates.flat(image.matrix)
        if name in matrix:
            return matrix[name]
        if name in self.project.constants:
            return self.project.constants[name]
        if name.startswith("image."):
            return str(self.primary(name.removeprefix("image.")))
        first = self.project.registries[0]
        fixed = {"image": image.name, "registry": first.host, "owner": first.owner}
        return fixed[name] if name in fixed else self._fact(name, image, where)

    def _fact(self, name: str, image: Image, where: str) -> str:
        if name in {"version", "major", "minor"}:
            found = self.version(image)
            text = {"version": found.text, "major": found.major, "minor": found.minor}[name]
            if text is None:
                raise ConfigError(
                    f'{where}: {{{name}}} needs a version number, but the version is "{found.text}"'
                )
            return text
        git = self.facts.git
        if name == "tag":
            if self.release or (git and git.tag):
                return self.release or (git.tag if git else "")
            raise ConfigError(f"{where}: {{tag}} needs a git tag on HEAD, and there is none")
        if git is None:
            raise ConfigError(
                f"{where}: {{{name}}} needs a git repository with a commit, and there is none here"
            )
        # A detached HEAD (CI) has no branch: the commit stands for it.
        return {"sha": git.sha[:7], "branch": slug(git.branch) or git.sha[:7], "date": git.date}[name]


def _parse(text: str, where: str) -> Reference:
    try:
        return Reference.parse(text)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
