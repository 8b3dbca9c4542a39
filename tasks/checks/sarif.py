"""What a scanner's SARIF says: each finding with its severity. Text in, values out.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; severities as GitHub reads them, from a rule's
`security-severity`, which is a CVSS score.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from ..model.checking import Severity

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_SCORES: tuple[tuple[float, Severity], ...] = (
    (9.0, "critical"),
    (7.0, "high"),
    (4.0, "medium"),
    (0.0, "low"),
)
_LEVELS: Mapping[str, Severity] = {"error": "high", "warning": "medium", "note": "low", "none": "low"}


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding of a scanner: its rule (a CVE), how severe it is, what it says in one line."""

    rule: str
    severity: Severity
    message: str


def read(text: str) -> tuple[Hit, ...] | None:
    """Returns the findings of a SARIF log, those that were suppressed left out; None for what is no such log."""
    try:
        log = json.loads(text)
        return tuple(hit for run in log["runs"] for hit in _hits(run))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def counted(hits: Sequence[Hit], least: Severity) -> tuple[Hit, ...]:
    """Returns those that are at least so severe, the worst first."""
    wanted = SEVERITIES[SEVERITIES.index(least) :]
    found = [hit for hit in hits if hit.severity in wanted]
    return tuple(sorted(found, key=lambda hit: (-SEVERITIES.index(hit.severity), hit.rule)))


def summed(hits: Sequence[Hit]) -> str:
    """Returns how many there are of each severity, the worst first: "2 critical, 5 high"."""
    found = Counter(hit.severity for hit in hits)
    return ", ".join(f"{found[one]} {one}" for one in reversed(SEVERITIES) if found[one]) or "nothing found"


def _hits(run: Mapping[str, Any]) -> list[Hit]:
    tool = run["tool"]
    parts = [tool["driver"], *(tool.get("extensions") or ())]
    rules = {str(rule["id"]): rule for part in parts for rule in part.get("rules") or ()}
    found = []
    for result in run.get("results") or ():
        if result.get("suppressions"):
            continue
        name = str(result.get("ruleId") or (result.get("rule") or {}).get("id") or "")
        rule = rules.get(name, {})
        message = " ".join(str((result.get("message") or {}).get("text") or "").split())
        found.append(Hit(name or "a finding", _severity(result, rule), message))
    return found


def _severity(result: Mapping[str, Any], rule: Mapping[str, Any]) -> Severity:
    for properties in (result.get("properties") or {}, rule.get("properties") or {}):
        try:
            score = float(properties["security-severity"])
        except (KeyError, TypeError, ValueError):
            tags = {str(tag).lower() for tag in properties.get("tags") or ()}
            named = [severity for severity in reversed(SEVERITIES) if severity in tags]
            if named:
                return named[0]
            continue
        return next(severity for least, severity in _SCORES if score >= least)
    level = result.get("level") or (rule.get("defaultConfiguration") or {}).get("level") or "warning"
    return _LEVELS.get(str(level), "medium")
