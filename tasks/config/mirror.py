"""`[mirror]`: from where an outside base is really taken. Constants in both sides are expanded, references checked.

Which of them a Dockerfile asks for is planning's matter.
"""

from __future__ import annotations

from ..errors import ConfigError
from ..model import Reference
from . import templates
from .document import Document
from .findings import Finding


def stand_ins(document: Document, findings: list[Finding]) -> dict[str, str]:
    """Returns base -> stand-in, and adds what is no reference."""
    found: dict[str, str] = {}
    for base, stand_in in document.tables.mirror.items():
        where = f'mirror."{base}"'
        sides = [_reference(document, where, text, findings) for text in (base, stand_in)]
        if "" in sides:
            continue
        key, value = sides
        if found.setdefault(key, value) != value:
            findings.append(Finding(where, f"{key} has a stand-in already: {found[key]}"))
    return found


def _reference(document: Document, where: str, text: str, findings: list[Finding]) -> str:
    constants = document.tables.constants
    problem = templates.unknown(text, constants)
    if not problem:
        expanded = templates.expand(text, constants.__getitem__)
        try:
            return str(Reference.parse(expanded))
        except ConfigError as error:
            problem = str(error)
    findings.append(document.finding(where, problem))
    return ""
