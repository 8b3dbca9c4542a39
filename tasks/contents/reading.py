"""build.toml read, or what its last reading came to: the same text, flags and files give the same Project.

To load pydantic and build its schema takes longer than all else in a run that finds nothing to do. What is kept is JSON
that names kinds of the model, and nothing in it is ever executed. A variable that `[env]` names may hold anything,
a password too: with one of them set nothing is kept, nor taken.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import config, model
from ..config import given
from . import records, state

if TYPE_CHECKING:
    from ..model import Project

_PLAIN = (str, int, float, bool, type(None))
_KINDS: Mapping[str, Callable[..., Any]] = {
    "tuple": lambda *parts: parts,
    "list": lambda *parts: list(parts),
    "Path": Path,
}


def project(start: Path, environ: Mapping[str, str], flags: Sequence[given.Override] = ()) -> Project:
    """Returns what config.load does, and raises the same."""
    path = given.find(start)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return config.load(start, environ, flags)  # it says what is wrong with the file
    file, key = state.folder(path.parent) / "project.json", _key(path, text, flags)
    known = _known(records.read(file), key, path.parent, environ)
    if known is not None:
        return known
    reading = config.read(path, environ, flags, text)
    if not any(environ.get(name) for name in reading.variables):
        with suppress(TypeError):  # a date among a matrix' values, say
            records.write(file, {"key": key, **_record(reading)})
    return reading.project


def _record(reading: given.Reading) -> dict[str, Any]:
    looked = [[*asked, there] for asked, there in reading.looked.items()]
    return {"variables": reading.variables, "looked": looked, "project": encoded(reading.project)}


def _known(kept: Mapping[str, Any], key: str, root: Path, environ: Mapping[str, str]) -> Project | None:
    if kept.get("key") != key or any(environ.get(name) for name in kept["variables"]):
        return None
    if any(given.is_there(root, kind, path) != there for kind, path, there in kept["looked"]):
        return None
    found: Project = decoded(kept["project"])
    return found


def _key(path: Path, text: str, flags: Sequence[given.Override]) -> str:
    said = [str(path), text, [dataclasses.astuple(flag) for flag in flags], [*_program()]]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _program() -> Iterator[tuple[str, int, int]]:
    """Tells the code that reads: another one may read the same file in another way."""
    for package in (config, model):
        for entry in sorted(os.scandir(package.__path__[0]), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                stat = entry.stat()
                yield entry.name, stat.st_size, stat.st_mtime_ns


def encoded(value: Any) -> Any:
    """Returns a value of the model as JSON has it: [kind, part, …] for all that JSON does not know.

    Raises TypeError for what no model holds.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {key: encoded(part) for key, part in value.items()}
    if kind in {tuple, list}:
        return [kind.__name__, *map(encoded, value)]
    if isinstance(value, Path):
        return ["Path", str(value)]
    if kind is model.Decimal:
        return ["Decimal", value.text]
    if dataclasses.is_dataclass(value) and kind.__name__ in model.__all__:
        return [kind.__name__, *(encoded(getattr(value, one.name)) for one in dataclasses.fields(value))]
    raise TypeError(f"a {kind.__name__} is no part of a project")


def decoded(value: Any) -> Any:
    """Returns what was encoded."""
    if isinstance(value, dict):
        return {key: decoded(part) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    kind, *parts = value
    return (_KINDS.get(kind) or getattr(model, kind))(*map(decoded, parts))
