"""`[lint]` and `[scan]`: rules that are known, templates that say enough."""

from __future__ import annotations

import re

from ..errors import available, nearest
from ..model import Linting, Scanning
from ..model.checking import RULES
from . import templates
from .document import Document
from .findings import Finding

FIELDS = ("reference", "platform", "digest", "image", "sarif", "json")
# hadolint's, shellcheck's and BuildKit's rules are known to them alone.
_FOREIGN = re.compile(r"(?:DL|SC)\d{4}|(?:[A-Z][a-z]+){2,}")


def linting(document: Document, findings: list[Finding]) -> Linting:
    """Returns how to lint, and adds rules that nobody has."""
    table = document.tables.lint
    for word in table.ignore:
        rule = word.partition(":")[0]
        if rule not in RULES and not _FOREIGN.fullmatch(rule):
            hint = nearest(rule, RULES)
            known = available("rules", RULES, limit=len(RULES))
            findings.append(
                Finding(
                    "lint.ignore", f"no rule \"{rule}\"{hint}. {known} Or one of hadolint's or BuildKit's."
                )
            )
    return Linting(tuple(table.ignore), table.strict)


def scanning(document: Document, findings: list[Finding]) -> Scanning:
    """Returns how to scan, and adds what a command lacks or cannot mean."""
    table = document.tables.scan
    constants = document.tables.constants
    known = dict.fromkeys(FIELDS, "") | dict(constants)
    problems = [templates.unknown(word, known) for word in table.command]
    findings += [document.finding("scan.command", problem) for problem in problems if problem]
    named = {field for word in table.command for field in templates.fields(word)}
    if table.command and not any(problems):
        for field, why in (("reference", "what is scanned"), ("sarif", "where its SARIF is written")):
            if field not in named:
                findings.append(
                    Finding("scan.command", f"does not say {why}: it needs {{{field}}} in an argument")
                )
    folder = document.root / table.folder
    if document.root.resolve().is_relative_to(folder.resolve()):
        problem = f'reports need a folder of their own, and "{table.folder}" holds the project. Say "reports", for one'
        findings.append(document.finding("scan.folder", problem))
    return Scanning(tuple(table.command), table.severity, table.fail, table.folder)
