"""build.toml as a file: where it is, what stands in it, and every finding about it said in one go.

It finds, reads and checks; what the values mean for images is resolve.py's matter.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli
from pydantic import BaseModel, ValidationError

from ..errors import ConfigError, nearest
from . import overlay
from .schema import BuildToml, ImageTable

NAME = "build.toml"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the file: the key path (or variable, or flag) and what is the matter."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


@dataclass(frozen=True, slots=True)
class Document:
    """A checked build.toml: its folder, its tables, and where values came from that are not its own.

    `declared` is the file as it stands, without environment and command line; `findings` are faults that
    did not stop the reading and are reported with those still to be found.
    """

    root: Path
    tables: BuildToml
    declared: BuildToml
    origins: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


def find(start: Path) -> Path:
    """Returns the nearest build.toml in `start` or above it. Raises ConfigError if there is none."""
    for folder in [start, *start.parents]:
        if (folder / NAME).is_file():
            return folder / NAME
    raise ConfigError(
        f"no {NAME} in {start} or any folder above it. Create one at the root of the repository; the smallest is:\n"
        '  [project]\n  registry = "ghcr.io"\n  owner = "acme"\n  version = "0.1.0"\n  [images.api]'
    )


def read(path: Path, environ: Mapping[str, str], flags: Sequence[overlay.Override] = ()) -> Document:
    """Reads and checks the file with environment and command line laid over it.

    Raises ConfigError with all findings at once.
    """
    try:
        raw = tomli.loads(path.read_text(encoding="utf-8"))
    except tomli.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    before = copy.deepcopy(raw)
    names = raw.get("env") if isinstance(raw.get("env"), dict) else {}
    findings = [
        Finding(f"env.{name}", problem)
        for name, target in (names or {}).items()
        if isinstance(target, str) and (problem := overlay.setting(target, raw)[0])
    ]
    known = {k: v for k, v in (names or {}).items() if isinstance(v, str) and not overlay.setting(v, raw)[0]}
    try:
        # The file is judged as it stands first: an override must not hide a mistake in it.
        declared = BuildToml.model_validate(before)
        origins, wrong = overlay.apply(raw, [*overlay.from_environment(known, environ), *flags])
        findings += [Finding(where, message) for where, message in wrong]
        tables = BuildToml.model_validate(raw)
    except ValidationError as error:
        findings += [_finding(detail) for detail in error.errors()]
        raise ConfigError(report(path, findings)) from None
    return Document(path.parent, tables, declared, origins, tuple(findings))


def report(path: Path, findings: Sequence[Finding]) -> str:
    """Words a file's findings: one on one line, several as a list."""
    if len(findings) == 1:
        return f"{path}: {findings[0]}"
    return "\n".join([f"{path}: {len(findings)} findings", *(f"  {finding}" for finding in findings)])


def _finding(detail: Any) -> Finding:
    location = [str(part) for part in detail["loc"]]
    where = ".".join(location)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys(location[:-1])
        hint = nearest(location[-1], known) or f" (known: {', '.join(known)})"
        return Finding(where, f"unknown key{hint}")
    if kind == "missing":
        return Finding(
            where, "is missing" + (": an image is a table [images.NAME]" if where == "images" else "")
        )
    if kind == "literal_error":
        return Finding(where, f"must be {context['expected']}, not {detail['input']!r}")
    wanted = {
        "string_type": "a string",
        "list_type": "a list",
        "bool_type": "true or false",
        "int_type": "a whole number",
        "dict_type": "a table",
        "model_type": "a table",
        "model_attributes_type": "a table",
    }.get(kind)
    if wanted:
        return Finding(where, f"must be {wanted}, not {detail['input']!r}")
    return Finding(where, str(detail["msg"]))


def _keys(location: Sequence[str]) -> list[str]:
    """Returns the keys that the table at a location may have."""
    model: Any = BuildToml
    for key in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            model = overlay.plain(fields[key].annotation) if key in fields else ImageTable
        else:
            arguments = getattr(model, "__args__", ())
            model = overlay.plain(arguments[-1]) if arguments else ImageTable
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [field.alias or name for name, field in model.model_fields.items()]
    return []
