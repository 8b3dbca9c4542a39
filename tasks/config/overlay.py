"""What is said from outside the file, the environment and the command line, laid over it.

Both become settings with a key path, so that there is one way to override anything: command line, then
environment, then build.toml, then the built-in default. It knows key paths and types, not what settings do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from ..errors import nearest
from .findings import Finding
from .given import Override
from .schema import BuildToml, fields_of, plain
from .tables import SourceTable

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

# What is said from outside for all images holds for every image and registry, also for one with a key of its
# own: setting the first removes the others. Whatever an image may have, `defaults` has for all of them.
NARROWER = {
    "project.owner": ("project.registries.*.owner",),
    "project.repository": ("project.registries.*.repository", "defaults.repository", "images.*.repository"),
    "project.version": ("version", "defaults.version", "images.*.version"),
    "version.sources": ("project.version",),
    "tags.build": ("tags.branch", "project.registries.*.tags", "defaults.tags", "images.*.tags"),
}


def from_environment(names: Mapping[str, str], environ: Mapping[str, str]) -> list[Override]:
    """Returns the overrides that `[env]` names and the environment gives; an empty variable gives none.

    What is said for one image comes after what is said for all, in whatever order the file names them.
    """
    given = [
        Override(path, environ[name], f"environment variable {name}")
        for name, path in names.items()
        if environ.get(name)
    ]
    return sorted(given, key=lambda override: override.path.startswith("images."))


def lay(
    overrides: Iterable[Override], over: BuildToml
) -> tuple[dict[str, Any], dict[str, str], list[Finding]]:
    """Lays overrides over a file, later ones winning.

    Returns the file's tables anew, the origins of what was set, by key path, and what could not be set.
    """
    tables = over.model_dump(by_alias=True, exclude_unset=True)
    origins: dict[str, str] = {}
    findings: list[Finding] = []
    for override in overrides:
        problem, kind = look_up(override.path, over)
        value = None if problem else _read(override.text, kind)
        if value is None:
            problem = problem or f'"{override.text}" is not {_wanted(kind)}'
            findings.append(Finding(override.path, problem, override.origin))
            continue
        _set(tables, override.path, value)
        origins[override.path] = override.origin
    return tables, origins, findings


def look_up(path: str, document: BuildToml) -> tuple[str, Any]:
    """Looks a key path up in the schema: ("", its type), or (what is wrong with it, None)."""
    kind: Any = BuildToml
    walked: list[str] = []
    for key in keys(path) or [""]:
        fields = fields_of(kind)
        if fields and key not in fields:
            return f'no setting "{key}" in {".".join(walked) or "build.toml"}{nearest(key, fields)}', None
        if walked == ["images"] and key not in document.images:
            return f'no image "{key}"{nearest(key, document.images)}', None
        if not fields and get_origin(kind) is not dict:
            return f"{'.'.join(walked)} is one value; nothing is below it", None
        kind = plain(fields[key].annotation if fields else get_args(kind)[1])
        walked.append(key)
    if fields_of(kind) or get_origin(kind) is dict:
        inside = ", ".join(fields_of(kind)) or "NAME"
        return f"{path} is a table; name one of its keys ({path}.…: {inside})", None
    if kind not in {str, bool, int, list[str], list[SourceTable]} and get_origin(kind) is not Literal:
        return f"{path} cannot be said in one line of text; it can only stand in build.toml", None
    return "", kind


def keys(path: str) -> list[str]:
    """Splits a key path as TOML does: `images."python3.11".selected` has three keys."""
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]+)"|([^."]+)', path)]


def _read(text: str, kind: Any) -> Any:
    if kind is bool:
        return SWITCH.get(text.strip().lower())
    if kind is int:
        return int(text) if text.strip().isdecimal() else None
    if kind == list[str]:
        return [word for word in re.split(r"[,\s]+", text) if word]
    # A list of version sources takes a plain text as one fixed source; a choice is checked by the schema.
    return text


def _wanted(kind: Any) -> str:
    return {bool: f"a switch ({', '.join(SWITCH)})", int: "a whole number"}[kind]


def _set(tables: dict[str, Any], path: str, value: Any) -> None:
    way = keys(path)
    if way[0] == "defaults":
        _remove(tables, ["images", "*", *way[1:]])
    for narrower in NARROWER.get(path, ()):
        _remove(tables, keys(narrower))
    registries = tables["project"].get("registries") if path == "project.registry" else None
    if registries:
        # Where several are declared, another one takes the place of the first, and of its owner and tags.
        tables["project"]["registries"] = [{**registries[0], "host": value}]
        return
    for key in way[:-1]:
        tables = tables.setdefault(key, {})
    tables[way[-1]] = value


def _remove(tables: dict[str, Any], way: list[str]) -> None:
    """Removes a key wherever a way with `*` in it leads."""
    for holder in _holders(tables, way[:-1]):
        holder.pop(way[-1], None)


def _holders(node: Any, way: list[str]) -> Iterator[dict[str, Any]]:
    if not way:
        if isinstance(node, dict):
            yield node
        return
    first, *rest = way
    if first == "*":
        inside = node.values() if isinstance(node, dict) else node
    else:
        inside = [node[first]] if isinstance(node, dict) and first in node else []
    for one in inside or ():
        yield from _holders(one, rest)
