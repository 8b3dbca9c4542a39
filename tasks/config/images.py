"""The images of a file: defaults merged in, matrices spread out, Dockerfiles found.

One entry of `[images]` is one image, or with a matrix several. What they stand on is not known here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..model import REPOSITORY, Image
from . import contracts, extracts, templates
from .dockerfiles import find_context, find_dockerfile
from .document import Document
from .findings import Finding
from .image_table import ImageTable
from .secrets import secrets
from .versions import sources

MERGED = ("args", "contexts", "labels", "secrets")
"""What an image adds to or replaces in the defaults key by key; every other key it replaces whole."""

PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One image before it is looked at: its key in the file, its name, its settings, its matrix values."""

    key: str
    name: str
    table: ImageTable
    own: ImageTable
    values: Mapping[str, Any]

    def where(self, setting: str, key: str = "") -> str:
        """Returns the key path at which a setting (and a key in it) was said: the image's, or the defaults'."""
        own = key in getattr(self.own, setting) if key else setting in self.own.model_fields_set
        place = f"images.{self.key}" if own else "defaults"
        return ".".join(part for part in (place, setting, key) if part)


def spread(document: Document, findings: list[Finding]) -> dict[str, Entry]:
    """Returns every image's entry by its name, matrices spread out."""
    entries: dict[str, Entry] = {}
    for key in document.tables.images:
        if document.lacks("images", key, "matrix"):
            continue
        for entry in _entries(key, document, findings):
            other = entries.setdefault(entry.name, entry)
            if other is not entry:
                axes = ", ".join(f"{{{axis}}}" for axis in templates.flat(entry.values))
                hint = f"; the name of a matrix image must differ by its values ({axes})" if axes else ""
                findings.append(Finding(f"images.{key}", f'a second image is called "{entry.name}"{hint}'))
    return entries


def image(
    document: Document, entry: Entry, findings: list[Finding], inherited: Collection[str] = ()
) -> Image | None:
    """Returns the image of an entry, or None if its name is impossible; `inherited` are tests it may have too."""
    name, table = entry.name, entry.table
    where = f"images.{entry.key}"
    if not REPOSITORY.fullmatch(name):
        allowed = "lower-case letters and digits, with . _ - / between them"
        findings.append(Finding(where, f'"{name}" cannot name an image ({allowed})'))
        return None
    fixed = _Fixed(document, entry, findings)
    dockerfile, context = fixed.paths()
    platforms = fixed.texts("platforms")
    for platform in platforms:
        if not PLATFORM.fullmatch(platform):
            meant = platform.replace("-", "/") if "-" in platform else f"linux/{platform}"
            hint = f' (did you mean "{meant}"?)' if PLATFORM.fullmatch(meant) else ""
            message = f'"{platform}" is no platform, which is os/arch: linux/arm64{hint}'
            findings.append(document.finding(entry.where("platforms"), message))
    findings += [
        document.finding(
            entry.where("contexts", key),
            "is a context for one platform, which Argosy does not tell apart: name it without the platform",
        )
        for key in table.contexts
        if "::" in key
    ]
    return Image(
        name=name,
        dockerfile=dockerfile,
        context=context,
        target=fixed.text("target") or "",
        args=table.args,
        contexts=table.contexts,
        platforms=tuple(dict.fromkeys(platforms)),
        labels=table.labels,
        needs=fixed.texts("needs"),
        paths=fixed.inside("paths"),
        tags=None if table.tags is None else tuple(table.tags),
        local=tuple(table.local),
        aliases=tuple(table.aliases),
        groups=fixed.texts("groups"),
        publish=table.publish,
        annotate=table.annotate,
        selected=table.selected,
        version=tuple(
            replace(source, value=fixed.expanded("version", source.value))
            for source in sources(table.version, entry.where("version"), findings)
        ),
        repository=table.repository,
        secrets=secrets(table, entry.where("secrets"), findings),
        ssh=fixed.texts("ssh"),
        before=tuple(
            tuple(fixed.expanded("before", word) for word in words) for words in table.before if words
        ),
        extract=extracts.checked(fixed.pairs("extract"), entry.where("extract"), findings),
        matrix=entry.values,
        contract=contracts.contract(
            entry.own,
            where,
            findings,
            known=inherited,
            expanded=lambda text: fixed.expanded("size", text),
        ),
    )


def _entries(key: str, document: Document, findings: list[Finding]) -> Iterator[Entry]:
    own, defaults = document.tables.images[key], document.tables.defaults
    given = {name: getattr(defaults, name) for name in defaults.model_fields_set}
    for name in own.model_fields_set:
        value = getattr(own, name)
        given[name] = {**given.get(name, {}), **value} if name in MERGED else value
    table = ImageTable.model_construct(**given)
    if not table.matrix:
        yield Entry(key, key, table, own, {})
        return
    empty = [axis for axis, values in table.matrix.items() if not values]
    findings += [
        Finding(f"images.{key}.matrix.{axis}", "has no values, so there is no image") for axis in empty
    ]
    axes = [[(axis, value) for value in values] for axis, values in table.matrix.items()]
    for combination in itertools.product(*axes):
        values = dict(combination)
        known = templates.flat(values) | document.tables.constants
        problem = templates.unknown(key, known)
        if problem:
            findings.append(
                Finding(f"images.{key}", f"{problem} A matrix image's name is made of its values.")
            )
            return
        yield Entry(key, templates.expand(key, known.__getitem__), table, own, values)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """The settings that hold whatever the facts are: templates in them may name only what the file says."""

    document: Document
    entry: Entry
    findings: list[Finding]

    def text(self, setting: str) -> str | None:
        """Returns a setting that is one text, expanded."""
        value = getattr(self.entry.table, setting)
        return None if value is None else self.expanded(setting, value)

    def texts(self, setting: str) -> tuple[str, ...]:
        """Returns a setting that is a list of texts, expanded."""
        return tuple(self.expanded(setting, value) for value in getattr(self.entry.table, setting))

    def pairs(self, setting: str) -> dict[str, str]:
        """Returns a setting that is a table of texts, expanded on both sides."""
        given = getattr(self.entry.table, setting).items()
        return {self.expanded(setting, key): self.expanded(setting, value) for key, value in given}

    def inside(self, setting: str) -> tuple[str, ...]:
        """Returns a setting that is a list of paths below the project, expanded; one that leads out is said."""
        found = self.texts(setting)
        for path in found:
            if path.startswith(("/", "!")) or ".." in path.split("/"):
                message = f'"{path}" is no path below the folder of build.toml'
                self.findings.append(self.document.finding(self.entry.where(setting), message))
        return found

    def paths(self) -> tuple[str, str]:
        """Returns the Dockerfile and the context, with what is wrong with them said; "" for what is not known."""
        document, entry = self.document, self.entry
        asked, within = self.text("dockerfile"), self.text("context")
        holders = (("images", entry.key), ("defaults",))
        if any(document.lacks(*holder, key) for holder in holders for key in ("dockerfile", "context")):
            return "", ""
        dockerfile, problem = find_dockerfile(document, entry.name, asked, within)
        context, other = find_context(document, within, dockerfile)
        for setting, given, wrong in (("dockerfile", asked, problem), ("context", within, other)):
            where = f"images.{entry.key}" if given is None else entry.where(setting)
            if wrong:
                self.findings.append(document.finding(where, wrong))
        return dockerfile, context

    def expanded(self, setting: str, text: str) -> str:
        """Returns a text of a setting, expanded; what is wrong with it is said."""
        constants = self.document.tables.constants
        known = {"image": self.entry.name, **constants, **templates.flat(self.entry.values)}
        problem = templates.unknown(text, known)
        if problem:
            self.findings.append(self.document.finding(self.entry.where(setting), problem))
            return text
        return templates.expand(text, known.__getitem__)
