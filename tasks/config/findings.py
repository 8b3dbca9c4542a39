"""What is wrong with build.toml, said so that it can be mended: where, what, and the nearest known word.

It turns pydantic's errors into findings, and leaves what is wrong out of the tables, so that one reading
finds as much as possible. It knows the schema's shape, not what settings mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from ..errors import nearest
from .schema import BuildToml, fields_of, plain

KINDS = {
    "string_type": "text in quotes",
    "list_type": "a list",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
# Without these two there is no model at all: where they are wrong they are taken to be empty.
REQUIRED = ("project", "images")

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: the key path and what is the matter; `origin` is set if the file did not say it."""

    where: str
    message: str
    origin: str = ""

    def __str__(self) -> str:
        return (
            f"{self.origin}: {self.message} ({self.where})"
            if self.origin
            else f"{self.where}: {self.message}"
        )


def report(path: Path, findings: Iterable[Finding]) -> str:
    """Words findings, each once: one on one line, several as a list."""
    found = list(dict.fromkeys(findings))
    if len(found) == 1:
        return str(found[0]) if found[0].origin else f"{path}: {found[0]}"
    return "\n".join([f"{path}: {len(found)} findings", *(f"  {finding}" for finding in found)])


def check(raw: Mapping[str, Any]) -> tuple[BuildToml, list[Finding], frozenset[Place]]:
    """Reads tables by the schema.

    Returns the model of what is sound, the findings, and the places that were left out for being wrong.
    """
    sound: Any = raw
    findings: list[Finding] = []
    left_out: set[Place] = set()
    while True:
        try:
            return BuildToml.model_validate(sound), findings, frozenset(left_out)
        except ValidationError as error:
            details = error.errors()
        findings += [_finding(detail) for detail in details]
        places = {_place(sound, detail) for detail in details}
        left_out |= places
        sound = _without(sound, places) | {key: {} for key in REQUIRED if (key,) in places}


def _place(tables: Any, detail: Any) -> Place:
    """Returns the keys that lead to what an error is about, or to the table that lacks something."""
    location, place = detail["loc"], []
    if detail["type"] == "missing" and len(location) > 1:
        location = location[:-1]
    for key in location:
        # A short form that stands for a list of one has no number in the file.
        if isinstance(key, int) and not isinstance(tables, list):
            continue
        place.append(key)
        tables = tables[key] if isinstance(tables, list) else tables.get(key)
    return tuple(place)


def _without(node: Any, places: Collection[Place], at: Place = ()) -> Any:
    """Returns a copy of nested tables and lists without what stands at `places`."""
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if (*at, key) not in places}
        return {key: _without(value, places, (*at, key)) for key, value in kept.items()}
    if isinstance(node, list):
        return [_without(value, places, (*at, i)) for i, value in enumerate(node) if (*at, i) not in places]
    return node


def _finding(detail: Any) -> Finding:
    location = [str(part) for part in detail["loc"]]
    where = ".".join(location)
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        known = _keys(location[:-1])
        return Finding(where, f"unknown key{nearest(location[-1], known)}; known: {', '.join(known)}")
    if kind == "missing":
        hint = ": an image is a table [images.NAME]" if where == "images" else ""
        return Finding(where, f"is missing{hint}")
    if kind == "literal_error":
        return Finding(where, f"must be {detail['ctx']['expected']}, not {_shown(given)}")
    if kind in KINDS:
        return Finding(where, f"must be {KINDS[kind]}, not {_shown(given)}")
    return Finding(where, f"{str(detail['msg']).lower()}, not {_shown(given)}")


def _shown(value: object) -> str:
    """Writes a value as TOML has it, tables and lists as what they are."""
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _keys(location: Sequence[str]) -> list[str]:
    """Returns the keys that the table at a location may have."""
    kind: Any = BuildToml
    for key in location:
        fields = fields_of(kind)
        # Neither a table's own key nor a list's number has a field: what matters is what they hold.
        kind = plain(fields[key].annotation if fields else get_args(kind)[-1])
    return list(fields_of(kind))
