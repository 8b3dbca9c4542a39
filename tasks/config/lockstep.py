"""`[[lockstep]]`: what must be the same elsewhere in the source, checked as far as build.toml alone can tell."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from ..errors import nearest
from ..model import Image, Lockstep
from . import templates
from .document import Document
from .findings import Finding
from .given import NAME
from .lockstep_table import LockstepTable
from .versions import pattern_problem

SPOKEN = ("registry", "owner", "version", "major", "minor")
"""The fields that a file may repeat: what a commit changes by being made cannot stand in it."""


def locksteps(
    document: Document,
    images: Mapping[str, Image],
    groups: Mapping[str, tuple[str, ...]],
    findings: list[Finding],
) -> tuple[Lockstep, ...]:
    """Returns what must be the same, and adds what is wrong with it."""
    found = []
    for number, table in enumerate(document.tables.lockstep):
        where = f"lockstep.{number}"
        problem = pattern_problem(table.regex, "value")
        findings += [Finding(f"{where}.regex", problem)] if problem else []
        findings += [Finding(f"{where}.files", said) for said in _files(table)]
        chosen: dict[str, None] = {}
        for word in table.images:
            matching = _matching(word, images, groups)
            if not matching:
                message = f'no image and no group "{word}"{nearest(word, [*images, *groups])}'
                findings.append(Finding(f"{where}.images", message))
            chosen |= dict.fromkeys(matching)
        known = [*SPOKEN, *document.tables.constants]
        known += [f"{kind}.{name}" for kind in ("image", "repository") for name in images]
        for values in [{"image": name} | templates.flat(images[name].matrix) for name in chosen] or [{}]:
            if problem := templates.unknown(table.equals, known, values):
                findings.append(Finding(f"{where}.equals", problem))
                break
        found.append(Lockstep(where, tuple(table.files), table.regex, table.equals, tuple(chosen)))
    return tuple(found)


def _files(table: LockstepTable) -> list[str]:
    wrong = [] if table.files else ["names no file"]
    for glob in table.files:
        path = PurePosixPath(glob)
        if path.is_absolute() or ".." in path.parts:
            wrong.append(f'"{glob}" leads out of the folder of build.toml')
        if not path.parts or any("**" in part and part != "**" for part in path.parts):
            wrong.append(f'"{glob}" names no files: ** stands alone between slashes (docs/**/*.md)')
        if str(path) == NAME:
            wrong.append(f"{NAME} is what the others are compared with; let it use templates")
    return wrong


def _matching(word: str, images: Mapping[str, Image], groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    if word in images:
        return [word]
    return list(groups.get(word) or [name for name in images if fnmatchcase(name, word)])
