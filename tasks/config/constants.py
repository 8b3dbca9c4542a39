"""The constants of build.toml: one may be made of others, so that what belongs together is said once."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from ..errors import ConfigError
from . import templates
from .document import Document
from .findings import Finding
from .schema import BuildToml


def settled(document: Document, findings: list[Finding]) -> BuildToml:
    """Returns the document's tables with every constant expanded; adds what is wrong with a constant.

    A constant that is wrong keeps its text, so that what names it is not found fault with as well.
    """
    said = document.tables.constants
    found = dict(said)
    inner: dict[str, list[str]] = {}
    for name, text in said.items():
        problem = templates.unknown(text, said)
        if problem:
            findings.append(document.finding(f"constants.{name}", problem))
        else:
            inner[name] = _named(text)
    try:
        for name in TopologicalSorter(inner).static_order():
            if name in inner:
                found[name] = templates.expand(said[name], found.__getitem__)
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        findings.append(Finding("constants", f"are made of each other in a circle: {circle}"))
    return document.tables.model_copy(update={"constants": found})


def _named(text: str) -> list[str]:
    try:
        return list(templates.fields(text)) if "{" in text else []
    except ConfigError:
        return []
