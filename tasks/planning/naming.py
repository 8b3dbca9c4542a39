"""The names an image gets: every template expanded, every reference well-formed. Pure.

It knows settings and facts; it does not know which other images claim a name (collisions.py does).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..config import templates
from ..errors import ConfigError
from ..model import HUB, TAG, Image, Project, Reference, Registry
from .facts import Facts
from .versions import Version, version

NOTHING: Mapping[str, str] = {}


def slug(branch: str) -> str:
    """Makes a branch name fit for a tag: `feat/My_X` -> `feat-My_X`."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", branch).strip("-.")


@dataclass(frozen=True)
class Naming:
    """Expands templates for a project under given facts; `release` is a release's tag or ""."""

    project: Project
    facts: Facts
    release: str = ""
    _versions: dict[str, Version] = field(default_factory=dict, repr=False, compare=False)

    def fleet_version(self) -> Version:
        """The version of the fleet; a release's tag says it, without its "v"."""
        if self.release:
            return Version(self.release.removeprefix("v"), "--tag")
        if "" not in self._versions:
            self._versions[""] = version(self.project.version, self.facts, "version")
        return self._versions[""]

    def version(self, image: Image) -> Version:
        """The image's own version, or the fleet's."""
        if not image.version:
            return self.fleet_version()
        if image.name not in self._versions:
            where = f"images.{image.name}.version"
            self._versions[image.name] = version(image.version, self.facts, where)
        return self._versions[image.name]

    def expand(self, text: str, image: Image, where: str, here: Mapping[str, str] = NOTHING) -> str:
        """Expands one template of an image, in which the fields of `here` come first.

        Raises ConfigError, naming `where`, for a field that has no value now.
        """
        return templates.expand(text, lambda name: self._value(name, image, where, here))

    def expand_all(self, image: Image, setting: str) -> dict[str, str]:
        """Expands the values of one of an image's tables: args, contexts or labels."""
        table: Mapping[str, str] = getattr(image, setting)
        return {
            key: self.expand(text, image, f"images.{image.name}.{setting}.{key}")
            for key, text in table.items()
        }

    def published(self, image: Image, *, aliases: bool = True) -> tuple[Reference, ...]:
        """All references an image is published under, those given twice merged."""
        found: dict[Reference, None] = {}
        for registry in self.project.registries:
            tags = self._tags(image, registry)
            for reference in self._places(image, registry, aliases=aliases):
                found |= dict.fromkeys(replace(reference, tag=tag) for tag in tags)
        return tuple(found)

    def local(self, image: Image) -> tuple[Reference, ...]:
        """The references it gets in the engine only; one without a tag is `latest`."""
        where = f"images.{image.name}.local"
        parsed = (_parse(self.expand(text, image, where), where) for text in image.local)
        return tuple(dict.fromkeys(replace(one, tag=one.tag or "latest") for one in parsed))

    def primary(self, name: str) -> Reference:
        """The reference an image is built under in this run: what `{image.NAME}` means."""
        image = self.project.images[name]
        found = self.published(image, aliases=False) or self.local(image)
        if not found:
            raise ConfigError(
                f"images.{name} has no tag and no local name, so {{image.{name}}} means nothing"
            )
        return found[0]

    def home(self, image: Image) -> str:
        """The repository that holds an image's addresses: the first it is published to."""
        return self._places(image, self.project.registries[0], aliases=False)[0].name

    def repositories(self, image: Image) -> tuple[str, ...]:
        """Every name, without a tag, by which a Dockerfile may mean this image.

        As published now, as the file declares it, without the registry where an owner tells it apart, and
        its local names.
        """
        found: dict[str, None] = {}
        for registry in dict.fromkeys((*self.project.registries, *self.project.declared)):
            for reference in self._places(image, registry):
                found[reference.name] = None
                if "/" in reference.repository or registry.host == HUB:
                    found[reference.repository] = None
        where = f"images.{image.name}.local"
        for text in image.local:
            # Its tag may be made of what is not known now, a git tag say; the name is enough.
            name = re.sub(r":[^:/]*$", "", text)
            found[_parse(self.expand(name, image, where), where).name] = None
        return tuple(found)

    def _places(self, image: Image, registry: Registry, *, aliases: bool = True) -> list[Reference]:
        """Returns the repositories of an image at a registry: its own, then those of its aliases."""
        here = {"registry": registry.host, "owner": registry.owner}
        own = f"images.{image.name}"
        where = f"{own}.repository" if image.repository else "project.repository"
        names = [(where, self.expand(image.repository or registry.repository, image, where, here))]
        for alias in image.aliases if aliases else ():
            name = self.expand(alias, image, f"{own}.aliases", here)
            names.append(
                (
                    f"{own}.aliases",
                    self.expand(registry.repository, image, f"{own}.aliases", here | {"image": name}),
                )
            )
        before = [part for part in (registry.host, registry.owner) if part]
        found = [(where, _parse("/".join([*before, name]), where)) for where, name in names]
        for where, reference in found:
            if reference.tag or reference.digest:
                raise ConfigError(f'{where}: "{reference}" must be a name alone; its tags are said in `tags`')
        return [reference for _, reference in found]

    def _tags(self, image: Image, registry: Registry) -> tuple[str, ...]:
        where, templated = self._tag_rule(image, registry)
        here = {"registry": registry.host, "owner": registry.owner}
        tags = tuple(dict.fromkeys(self.expand(tag, image, where, here) for tag in templated))
        for tag in tags:
            if not TAG.fullmatch(tag):
                problem = "is longer than 128 characters" if len(tag) > 128 else "is none"
                raise ConfigError(
                    f'{where}: tag "{tag}" of image {image.name} {problem}. '
                    "A tag is letters, digits, _ . - and starts with neither . nor -"
                )
        return tags

    def _tag_rule(self, image: Image, registry: Registry) -> tuple[str, tuple[str, ...]]:
        """Returns which tags hold, and the key that says them."""
        rules, git = self.project.tags, self.facts.git
        if self.release:
            rule = "prerelease" if self.fleet_version().prerelease else "release"
            return f"tags.{rule}", getattr(rules, rule)
        if image.tags is not None:
            return f"images.{image.name}.tags", image.tags
        if registry.tags is not None:
            return f"project.registries ({registry.host}).tags", registry.tags
        if rules.branch and git and git.branch and git.branch not in rules.default_branches:
            return "tags.branch", rules.branch
        return "tags.build", rules.build

    def _value(self, name: str, image: Image, where: str, here: Mapping[str, str]) -> str:
        for values in (here, templates.flat(image.matrix), self.project.constants):
            if name in values:
                return values[name]
        if name.startswith("image."):
            return str(self.primary(name.removeprefix("image.")))
        if name.startswith("repository."):
            return self.primary(name.removeprefix("repository.")).name
        if name == "image":
            return image.name
        if name in {"registry", "owner"}:
            first = self.project.registries[0]
            return first.host if name == "registry" else first.owner
        if name in {"version", "major", "minor"}:
            return self._version_field(name, image, where)
        return self._git_field(name, where)

    def _version_field(self, name: str, image: Image, where: str) -> str:
        found = self.version(image)
        text = {"version": found.text, "major": found.major, "minor": found.minor}[name]
        if text is None:
            raise ConfigError(
                f'{where}: {{{name}}} needs a version number, but the version is "{found.text}" ({found.source})'
            )
        return text

    def _git_field(self, name: str, where: str) -> str:
        git = self.facts.git
        if name == "tag":
            tag = self.release or (git.tag if git else "")
            if not tag:
                raise ConfigError(f"{where}: {{tag}} needs a git tag on HEAD, and there is none")
            return tag
        if git is None:
            raise ConfigError(
                f"{where}: {{{name}}} needs a git repository with a commit, and there is none here. "
                "Work in a clone, or say other tags with --tags."
            )
        # A detached HEAD (CI) has no branch: the commit stands for it.
        branch = slug(git.branch) or git.sha[:7]
        return {
            "sha": git.sha[:7],
            "revision": git.sha,
            "branch": branch,
            "date": git.date,
            "created": git.moment,
        }[name]


def _parse(text: str, where: str) -> Reference:
    try:
        return Reference.parse(text)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
