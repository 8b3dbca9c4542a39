"""What is said from outside the file, the environment and the command line, laid over it before it is read.

Both become settings with a key path, so that there is one way to override anything: command line, then
environment, then build.toml, then the built-in default. It knows key paths and types, not what settings do.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ..errors import nearest
from .schema import BuildToml

SWITCH = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True, slots=True)
class Override:
    """One setting from outside: its key path, the text given, and where that came from in words."""

    path: str
    text: str
    origin: str


def from_environment(names: Mapping[str, str], environ: Mapping[str, str]) -> list[Override]:
    """Returns the overrides that `[env]` names and the environment gives; an empty variable gives none."""
    return [
        Override(path, environ[name], f"environment variable {name}")
        for name, path in names.items()
        if isinstance(path, str) and environ.get(name)
    ]


def apply(
    document: dict[str, Any], overrides: Iterable[Override]
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Lays overrides over a document, later ones winning.

    Returns the origins of what was set, by key path, and findings (where, what). What is said from outside
    for all images (`defaults.platforms`, `tags.build`) holds for every image, also one with its own key.
    """
    origins: dict[str, str] = {}
    findings: list[tuple[str, str]] = []
    for override in overrides:
        problem, kind = setting(override.path, document)
        value = None if problem else _convert(override.text, kind)
        if problem or value is None:
            reason = problem or f'"{override.text}" is not {_wanted(kind)}'
            findings.append((override.origin, f"{override.path}: {reason}"))
            continue
        _clear_narrower(document, override.path)
        *parents, last = override.path.split(".")
        table = document
        for key in parents:
            table = table.setdefault(key, {})
        table[last] = value
        origins[override.path] = override.origin
    return origins, findings


def setting(path: str, document: Mapping[str, Any]) -> tuple[str, Any]:
    """Looks a key path up in the schema: ("", its type), or (what is wrong with it, None)."""
    model: Any = BuildToml
    walked: list[str] = []
    for key in path.split("."):
        if isinstance(model, type) and issubclass(model, BaseModel):
            by_name = {field.alias or name: field for name, field in model.model_fields.items()}
            if key not in by_name:
                return (
                    f'no setting "{key}" in {".".join(walked) or "build.toml"}{nearest(key, by_name)}',
                    None,
                )
            model = plain(by_name[key].annotation)
        elif typing.get_origin(model) is dict:
            if walked == ["images"] and key not in document.get("images", {}):
                return f'no image "{key}"{nearest(key, document.get("images", {}))}', None
            model = plain(typing.get_args(model)[1])
        else:
            return f"{'.'.join(walked)} has no parts", None
        walked.append(key)
    return "", model


def plain(kind: Any) -> Any:
    """Strips `Annotated` and `| None` off a type."""
    while True:
        if typing.get_origin(kind) is typing.Annotated:
            kind = typing.get_args(kind)[0]
        elif typing.get_origin(kind) in {typing.Union, types.UnionType}:
            kind = next(arg for arg in typing.get_args(kind) if arg is not type(None))
        else:
            return kind


def _convert(text: str, kind: Any) -> Any:
    if kind is str:
        return text
    if kind is bool:
        return SWITCH.get(text.strip().lower())
    if kind is int:
        return int(text) if text.strip().isdigit() else None
    if typing.get_origin(kind) is list and typing.get_args(kind) == (str,):
        return [word for word in re.split(r"[,\s]+", text) if word]
    # A list of version sources takes a plain text as one fixed source.
    return text if typing.get_origin(kind) is list else None


def _wanted(kind: Any) -> str:
    names = {bool: "a switch (true or false)", int: "a whole number"}
    return names.get(kind, "something one variable can set; name one of its keys")


def _clear_narrower(document: dict[str, Any], path: str) -> None:
    """Removes what would narrow an override of a shared setting again further down the file."""
    project = document.get("project", {})
    images = [table for table in document.get("images", {}).values() if isinstance(table, dict)]
    if path == "project.registry":
        project.pop("registries", None)
    if path == "project.owner":
        for registry in project.get("registries", None) or []:
            registry.pop("owner", None)
    if path == "project.version":
        document.pop("version", None)
        for table in images:
            table.pop("version", None)
    if path == "tags.build":
        document.get("tags", {}).pop("branch", None)
        for table in [*images, *(project.get("registries", None) or [])]:
            table.pop("tags", None)
    if path.startswith("defaults."):
        for table in images:
            table.pop(path.removeprefix("defaults.").split(".", maxsplit=1)[0], None)
