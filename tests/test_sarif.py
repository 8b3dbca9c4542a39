"""SARIF read: severities as GitHub reads them, suppressed findings left out, nonsense refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.checks import sarif
from tests.scanners import log


def hits(result: dict[str, Any], rule: dict[str, Any] | None = None) -> tuple[sarif.Hit, ...] | None:
    driver = {"name": "x", "rules": [{"id": "CVE-1", **(rule or {})}]}
    run = {"tool": {"driver": driver}, "results": [{"ruleId": "CVE-1", "message": {"text": "m"}, **result}]}
    return sarif.read(json.dumps({"runs": [run]}))


@pytest.mark.parametrize(
    ("result", "rule", "severity"),
    [
        ({}, {"properties": {"security-severity": "9.8"}}, "critical"),
        ({}, {"properties": {"security-severity": "7.0"}}, "high"),
        ({"properties": {"security-severity": 4.5}}, {"properties": {"security-severity": "9.8"}}, "medium"),
        ({}, {"properties": {"security-severity": "0.0"}}, "low"),
        ({"level": "note"}, {"properties": {"tags": ["vulnerability", "HIGH"]}}, "high"),
        ({"level": "error"}, {}, "high"),
        ({"level": "note"}, {}, "low"),
        ({}, {"defaultConfiguration": {"level": "error"}}, "high"),
        ({}, {}, "medium"),
    ],
)
def test_the_severity_is_that_of_the_rule_or_the_level(result: Any, rule: Any, severity: str) -> None:
    assert (found := hits(result, rule))
    assert [hit.severity for hit in found] == [severity]


def test_a_suppressed_finding_is_none() -> None:
    assert hits({"suppressions": [{"kind": "external"}]}) == ()


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"runs": [{}]}', '{"runs": 5}'])
def test_what_is_no_sarif_is_not_taken_for_an_empty_one(text: str) -> None:
    assert sarif.read(text) is None


def test_findings_are_counted_from_a_severity_on_the_worst_first() -> None:
    found = sarif.read(
        log([("CVE-1", "5"), ("CVE-2", "9.1"), ("CVE-3", "7.5"), ("CVE-4", "9.9"), ("CVE-4", "9.9")])
    )
    assert found
    assert [hit.rule for hit in sarif.counted(found, "high")] == ["CVE-2", "CVE-4", "CVE-4", "CVE-3"]
    assert sarif.summed(found) == "3 critical, 1 high, 1 medium"
    assert sarif.summed(()) == "nothing found"
    assert found[0].message == "CVE-1 in openssl"
