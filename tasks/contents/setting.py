"""A new version, or a new constant, in every place that says it: build.toml, version files, what `[[lockstep]]` names.

What is to be written is known in full before anything is; build.toml keeps its comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import config
from ..config.given import NAME
from ..errors import ConfigError, available, nearest
from ..model import Lockstep, Project, VersionSource
from ..planning import versions
from ..planning.facts import Facts
from ..planning.lockstep import expected, places, speaks_of
from ..planning.naming import Naming
from ..planning.versions import Version
from ..writing import write_all
from . import lockstep
from .toml import Toml

VERSION = "version"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


@dataclass(frozen=True, slots=True)
class Change:
    """One place and what becomes of it."""

    file: str
    line: int
    old: str
    new: str


@dataclass(slots=True)
class Setting:
    """All that is to be changed, and the files' new texts (path relative to `root` -> text)."""

    root: Path
    changes: tuple[Change, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    def write(self) -> None:
        """Writes all files or none. Raises SurroundingsError."""
        write_all({self.root / file: text for file, text in self.texts.items()})


@dataclass(slots=True)
class _Edits:
    """Spans of files and what takes their place; the same edit may be found twice."""

    texts: dict[str, str] = field(default_factory=dict)
    spans: dict[tuple[str, int, int], str] = field(default_factory=dict)

    def add(self, file: str, text: str, span: tuple[int, int], new: str) -> None:
        """Adds one. Raises ConfigError where another wants something else there."""
        self.texts[file] = text
        other = self.spans.setdefault((file, *span), new)
        if other != new:
            raise ConfigError(f'{file}:{_line(text, span[0])}: both "{other}" and "{new}" are to stand here')

    def changes(self) -> Iterator[Change]:
        """Yields the places that change."""
        for (file, start, end), new in sorted(self.spans.items()):
            text = self.texts[file]
            if text[start:end] != new:
                yield Change(file, _line(text, start), text[start:end], new)

    def applied(self) -> dict[str, str]:
        """Returns the new texts of the files that change."""
        found = dict(self.texts)
        for (file, start, end), new in sorted(self.spans.items(), reverse=True):
            found[file] = found[file][:start] + new + found[file][end:]
        return {file: text for file, text in found.items() if text != self.texts[file]}


def setting(root: Path, facts: Facts, wanted: Mapping[str, str]) -> Setting:
    """Returns what is to be changed so that "version" or constants have these values everywhere.

    `root` is build.toml's folder and `facts` are the project's without anything from outside. Raises ConfigError
    for what cannot be set, and for a place that does not repeat it.
    """
    before = config.load(root, {})
    toml, edits = Toml(root / NAME), _Edits()
    for name, value in wanted.items():
        if name == VERSION:
            if not _TAG.fullmatch(value):
                raise ConfigError(
                    f'"{value}" is no version that a tag could say: letters, digits, "." "_" "-" "+"'
                )
            _version(before, facts, value, toml, edits)
        elif name in before.constants and not toml.has(("constants", name)):
            raise ConfigError(f"{name} is said by a flavour of build.toml; set it there.")
        elif name in before.constants:
            toml.set(("constants", name), value)
        else:
            known = [VERSION, *before.constants]
            raise ConfigError(
                f'no constant "{name}" in build.toml{nearest(name, known)}. {available("names", known)}'
            )
    after = config.load(root, {}, text=toml.text)
    _require(after, wanted)
    said = {"": Version(wanted[VERSION], "--set")} if VERSION in wanted else {}
    old, new = Naming(before, facts), Naming(after, facts, _versions=said)
    for one in after.lockstep:
        _lockstep(one, old, new, wanted, edits)
    files = edits.applied() | ({NAME: toml.text} if toml.changed else {})
    return Setting(root, (*(Change(NAME, *place) for place in toml.changes), *edits.changes()), files)


def _require(after: Project, wanted: Mapping[str, str]) -> None:
    """Raises ConfigError where something else in the file, a flavour, has the last word."""
    for name, value in wanted.items():
        first = after.version[0] if name == VERSION and after.version else None
        fixed = first.value if first is not None and first.kind == "value" else value
        said = fixed if name == VERSION else after.constants.get(name, value)
        if said != value:
            raise ConfigError(
                f"{name} would still be {said}: a flavour of build.toml, or a source before this one, says so. "
                "Set it there. Nothing was changed."
            )


def _version(project: Project, facts: Facts, value: str, toml: Toml, edits: _Edits) -> None:
    """Sets the fleet's version where it is said: in build.toml, or in every file that is asked for it."""
    if toml.has(("project", VERSION)):
        toml.set(("project", VERSION), value)
        return
    files = [source for source in project.version if source.kind == "file" and source.value in facts.files]
    for source in files:
        text = lockstep.read(project.root / source.value)
        span = versions.span(source, text)
        if span is None:
            raise ConfigError(f"cannot find a version in {source.value} ({source})")
        edits.add(source.value, text, span, value)
    if files:
        return
    answers = ((n, source) for n, source in enumerate(project.version) if versions.answer(source, facts))
    number, answering = next(answers, (0, None))
    if answering is None:
        asked = ", ".join(map(str, project.version))
        raise ConfigError(
            f"no source says a version yet (asked: {asked}). Make that file, or that tag, first."
        )
    sources = (VERSION, "sources")
    # One source may stand without a list around it, and a fixed one as nothing but its text.
    keys = ((*sources, number, "value"), (*sources, "value"), sources)
    key = next((key for key in keys if toml.has(key)), None)
    if answering.kind != "value" or key is None:
        raise ConfigError(_not_here(answering, project))
    toml.set(key, value)


def _not_here(answering: VersionSource, project: Project) -> str:
    asked = ", ".join(str(source) for source in project.version)
    how = {"git-tag": "tag the commit", "git-describe": "tag a commit", "env": f"set {answering.value}"}
    return (
        f"the version comes from {answering}, where nothing can be written (asked: {asked}). "
        f"To change it {how.get(answering.kind, 'give build.toml a project.version')}."
    )


def _lockstep(one: Lockstep, old: Naming, new: Naming, wanted: Mapping[str, str], edits: _Edits) -> None:
    """Sets what one lockstep names, where it is made of what is set."""
    before, after = expected(old, one), expected(new, one)
    if before == after and not any(speaks_of(one, name) for name in wanted):
        return
    texts = lockstep.texts(new.project.root, one)
    if not texts:
        raise ConfigError(
            f"no file is called {' or '.join(one.files)} ({one.where}.files). Nothing was changed."
        )
    becomes = {value: after[name] for name, value in before.items() if name in after}
    for file, text in texts.items():
        found = list(places(one, file, text))
        if not found:
            raise ConfigError(f"cannot find {one.regex} in {file} ({one.where}). Nothing was changed.")
        for place in found:
            value = after.get("") or becomes.get(place.value)
            if value is None:
                raise ConfigError(
                    f'{file}:{place.line}: "{place.value}" is none of {", ".join(one.images)} ({one.where}), '
                    f"so what becomes of it is unknown: {place.text}. Nothing was changed."
                )
            edits.add(file, text, (place.start, place.end), value)


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
