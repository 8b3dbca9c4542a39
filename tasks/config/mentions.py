"""What settings mention: the siblings in `needs`, the fields in templates. All of it must be there.

It knows names only; what a field's value is depends on the facts of the moment and is planning's matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ..errors import nearest
from ..model import Contract, Image
from . import contracts, templates
from .document import Document
from .findings import Finding
from .images import Entry

NAMES = ("tags", "local", "aliases", "repository")
"""What an image's own names are made of: another image's name cannot be part of it."""

CONTENTS = ("args", "contexts", "labels")


def check(
    document: Document,
    names: Collection[str],
    pairs: Collection[tuple[Entry, Image]],
    shared: Contract,
    findings: list[Finding],
) -> None:
    """Adds every mention of an image that is not among `names`, or of an unknown field, with its key.

    `shared` is what the defaults promise for every image.
    """
    constants = document.tables.constants
    for name in constants:
        if name in templates.FIELDS:
            findings.append(
                Finding(f"constants.{name}", f"{{{name}}} has a meaning already; choose another name")
            )
    of_names = frozenset([*templates.FIELDS, *constants])
    of_contents = of_names | {f"{kind}.{name}" for kind in ("image", "repository") for name in names}
    found = [(where, templates.unknown(text, of_names)) for where, text in _shared(document)]
    axes = {axis for _, image in pairs for axis in templates.flat(image.matrix)}
    found += [
        (f"defaults.{key}", templates.unknown(text, of_contents, axes))
        for key, text in contracts.said(shared)
    ]
    for entry, image in pairs:
        found += [
            (entry.where("needs"), f'no image "{need}"{nearest(need, names)}')
            for need in image.needs
            if need not in names
        ]
        values = templates.flat(image.matrix)
        found += [
            (entry.where(setting, key), templates.unknown(text, known, values))
            for settings, known in ((NAMES, of_names), (CONTENTS, of_contents))
            for setting in settings
            for key, text in _texts(getattr(image, setting))
        ]
        found += [
            (f"images.{entry.key}.{key}", templates.unknown(text, of_contents, values))
            for key, text in contracts.said(image.contract)
        ]
    findings += [document.finding(where, problem) for where, problem in found if problem]


def _shared(document: Document) -> Iterator[tuple[str, str]]:
    """Yields (key path, template) of what is said for all images."""
    project, tags = document.tables.project, document.tables.tags
    for rule in ("build", "branch", "release", "prerelease"):
        yield from ((f"tags.{rule}", tag) for tag in getattr(tags, rule))
    yield "project.repository", project.repository
    for at, registry in enumerate(project.registries or []):
        where = f"project.registries.{at}"
        yield from ((f"{where}.tags", tag) for tag in registry.tags or ())
        yield f"{where}.repository", registry.repository or ""


def _texts(value: Any) -> Iterable[tuple[str, str]]:
    """Returns (key or "", template) of a setting, whatever its shape."""
    if isinstance(value, Mapping):
        return value.items()
    return [("", text) for text in ([value] if isinstance(value, str) else value or ())]
