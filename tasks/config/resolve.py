"""A checked document -> Project: defaults merged in, matrices spread out, Dockerfiles found, names known.

Everything the file alone can get wrong is found here, all of it before anything is raised. What needs the
facts of the moment (versions, git, the engine) is left to planning.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from ..errors import ConfigError, nearest
from ..model import REPOSITORY, Builder, Image, Project, Registry, TagRules, VersionSource
from . import templates
from .dockerfiles import locate
from .document import NAME, Document, Finding, report
from .schema import BuildToml, ImageTable, SourceTable

MERGED = ("args", "contexts", "labels")
PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")


def resolve(document: Document) -> Project:
    """Turns a document into a Project. Raises ConfigError with every finding."""
    tables, findings = document.tables, list(document.findings)
    images: dict[str, Image] = {}
    for key in tables.images:
        for name, table, values in _spread(key, tables, findings):
            if name in images:
                findings.append(Finding(f"images.{key}", f'a second image "{name}"; names must differ'))
                continue
            image = _image(document.root, key, name, table, values, findings)
            if image is not None:
                images[name] = image
    if not tables.images:
        findings.append(Finding("images", "is empty: an image is a table [images.NAME]"))
    registries = _registries(tables, findings)
    _check_names(tables, images, findings)
    _check_templates(tables, images, registries, findings)
    if findings:
        raise ConfigError(report(document.root / NAME, findings))
    return Project(
        root=document.root,
        name=tables.project.name or document.root.name,
        registries=registries,
        declared=_registries(document.declared, []),
        version=_versions(tables, findings, document.origins.get("project.version", "project.version")),
        images=images,
        constants=tables.constants,
        tags=TagRules(**{name: tuple(words) for name, words in tables.tags}),
        groups=_groups(tables, images),
        builder=Builder(tables.builder.name, tables.builder.driver, tuple(tables.builder.nodes)),
        parallel=tables.engine.parallel,
        origins=document.origins,
    )


def _spread(
    key: str, tables: BuildToml, findings: list[Finding]
) -> Iterator[tuple[str, ImageTable, Mapping[str, Any]]]:
    """Yields (name, table with defaults, matrix values) for each image a table of the file stands for."""
    own, defaults = tables.images[key], tables.defaults
    given = {name: getattr(defaults, name) for name in defaults.model_fields_set}
    given |= {
        name: {**given.get(name, {}), **getattr(own, name)} if name in MERGED else getattr(own, name)
        for name in own.model_fields_set
    }
    table = ImageTable.model_construct(**given)
    if own.matrix is None:
        yield key, table, {}
        return
    axes = [[(axis, value) for value in values] for axis, values in own.matrix.items()]
    for combination in itertools.product(*axes):
        values = dict(combination)
        known = {**templates.flat(values), **tables.constants}
        problem = templates.unknown(key, known)
        if problem:
            findings.append(
                Finding(f"images.{key}", f"{problem}; a matrix image's name is made of its values")
            )
            return
        yield templates.expand(key, known.__getitem__), table, values


def _image(
    root: Path, key: str, name: str, table: ImageTable, values: Mapping[str, Any], findings: list[Finding]
) -> Image | None:
    where = f"images.{key}"
    if not REPOSITORY.fullmatch(name):
        findings.append(
            Finding(where, f'"{name}" cannot name an image: lower-case letters, digits and . _ - / only')
        )
        return None
    known = templates.flat(values)
    try:
        dockerfile, context, target = (
            None if text is None else templates.expand(text, known.__getitem__)
            for text in (table.dockerfile, table.context, table.target)
        )
    except (KeyError, ValueError) as error:
        findings.append(
            Finding(where, f"dockerfile, context and target may hold matrix values only, not {error}")
        )
        return None
    dockerfile, context, problem = locate(root, name, dockerfile, context)
    if problem:
        findings.append(Finding(where, problem))
        return None
    findings += [
        Finding(f"{where}.platforms", f'"{platform}" is no platform; write os/arch, linux/arm64 say')
        for platform in table.platforms
        if not PLATFORM.fullmatch(platform)
    ]
    return Image(
        name=name,
        dockerfile=dockerfile,
        context=context,
        target=target or "",
        args=table.args,
        contexts=table.contexts,
        platforms=tuple(dict.fromkeys(table.platforms)),
        labels=table.labels,
        needs=tuple(table.needs),
        tags=None if table.tags is None else tuple(table.tags),
        local=tuple(table.local),
        aliases=tuple(table.aliases),
        groups=tuple(table.groups),
        publish=table.publish,
        selected=table.selected,
        version=tuple(_source(source, f"{where}.version", findings) for source in table.version),
        repository=table.repository,
        matrix=values,
    )


def _registries(tables: BuildToml, findings: list[Finding]) -> tuple[Registry, ...]:
    project = tables.project
    if (project.registry is None) == (project.registries is None):
        several = project.registry is not None
        problem = "give `registry` or `registries`, not both" if several else 'is missing, "ghcr.io" say'
        findings.append(Finding("project.registry", problem))
    entries = project.registries or []
    found = [
        Registry(
            entry.host,
            project.owner if entry.owner is None else entry.owner,
            entry.repository or project.repository,
            None if entry.tags is None else tuple(entry.tags),
        )
        for entry in entries
    ]
    if project.registry is not None:
        found = [Registry(project.registry, project.owner, project.repository)]
    for registry in found:
        if "://" in registry.host or registry.host.endswith("/") or not registry.host:
            findings.append(
                Finding("project.registry", f'"{registry.host}" must be a host or host/path, no URL')
            )
    return tuple(found)


def _source(table: SourceTable, where: str, findings: list[Finding]) -> VersionSource:
    given = {name: value for name, value in table if value is not None and name != "regex"}
    if len(given) != 1:
        findings.append(Finding(where, "a version source is exactly one of git, file, env, value"))
        return VersionSource("value")
    kind, value = next(iter(given.items()))
    if table.regex is not None:
        try:
            groups = re.compile(table.regex).groups
        except re.error as error:
            findings.append(Finding(where, f"regex: {error}"))
        else:
            if not groups or kind != "file":
                findings.append(Finding(where, "regex goes with file, and its first group is the version"))
    if kind == "git":
        return VersionSource("git-tag" if value == "tag" else "git-describe")
    plain: Mapping[str, Literal["file", "env", "value"]] = {"file": "file", "env": "env", "value": "value"}
    return VersionSource(plain[kind], value, table.regex or "")


def _versions(tables: BuildToml, findings: list[Finding], said: str = "") -> tuple[VersionSource, ...]:
    if tables.project.version is not None:
        return (VersionSource("value", tables.project.version, said=said),)
    if tables.version is not None:
        return tuple(_source(source, "version.sources", findings) for source in tables.version.sources)
    return (VersionSource("git-describe"), VersionSource("value", "dev"))


def _groups(tables: BuildToml, images: Mapping[str, Image]) -> dict[str, tuple[str, ...]]:
    groups = {name: list(words) for name, words in tables.groups.items()}
    for image in images.values():
        for group in image.groups:
            groups.setdefault(group, []).append(image.name)
    return {name: tuple(dict.fromkeys(words)) for name, words in groups.items()}


def _check_names(tables: BuildToml, images: Mapping[str, Image], findings: list[Finding]) -> None:
    """`needs` and groups name images that exist (globs too); one place says the version."""
    for image in images.values():
        findings += [
            Finding(f"images.{image.name}.needs", f'no image "{need}"{nearest(need, images)}')
            for need in image.needs
            if need not in images
        ]
    for group, words in tables.groups.items():
        findings += [
            Finding(f"groups.{group}", f'no image "{word}"{nearest(word, images)}')
            for word in words
            if not any(fnmatchcase(name, word) for name in images)
        ]
    if tables.project.version is not None and tables.version is not None:
        findings.append(Finding("version", "give project.version or [version] sources, not both"))
    if tables.version is not None:
        _versions(tables, findings)


def _check_templates(
    tables: BuildToml, images: Mapping[str, Image], registries: tuple[Registry, ...], findings: list[Finding]
) -> None:
    """Every template names fields that exist; each mistake is said once, with its key."""
    shared = [*templates.FIELDS, *tables.constants, *(f"image.{name}" for name in images)]
    checked: dict[str, list[str]] = {
        **{f"tags.{name}": words for name, words in tables.tags},
        "project.repository": [tables.project.repository],
        "project.registries": [r.repository for r in registries]
        + [t for r in registries for t in r.tags or ()],
    }
    said: set[tuple[str, str]] = set()
    for where, words in checked.items():
        said |= {(where, problem) for word in words if (problem := templates.unknown(word, shared))}
    for image in images.values():
        known = [*shared, *templates.flat(image.matrix)]
        for key in (*MERGED, "tags", "local", "aliases", "repository"):
            where = f"images.{image.name}.{key}"
            said |= {
                (where, problem) for word in _texts(image, key) if (problem := templates.unknown(word, known))
            }
    findings += [Finding(where, problem) for where, problem in sorted(said)]


def _texts(image: Image, key: str) -> tuple[str, ...]:
    """The templates in one of an image's settings, whatever its shape."""
    value = getattr(image, key)
    if isinstance(value, Mapping):
        return tuple(value.values())
    return (value,) if isinstance(value, str) else tuple(value or ())
