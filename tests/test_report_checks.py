"""Checks as a table, JSON and Markdown: grouped for people, whole for programs, and what failed said in full."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tasks.checks.check import Check, Checks, Outcome
from tasks.errors import CheckError
from tasks.report import checks as report

DIGEST = "sha256:" + "ab12" * 16
AMD, ARM = "linux/amd64", "linux/arm64"
USER = Check("api", "user", Outcome.PASSED, "1000", AMD, DIGEST, f"acme/api@{DIGEST}")
HTTP = Check(
    "api", "http /health", Outcome.FAILED, "503, not 200", AMD, DIGEST, seconds=2.5, log=("boom `x`",)
)
ARMS = Check("api", "user", Outcome.PASSED, "1000", ARM, DIGEST)
ROOT = Check("proxy", "user", Outcome.WAIVED, "is root: SO_ORIGINAL_DST needs it", AMD)
GONE = Check("worker", "tests", Outcome.SKIPPED, "not there")
KEY = Check("web", "key in context", Outcome.WARNED, "looks like a key", where="web/id_rsa:1")
MIXED = Checks((USER, HTTP, ARMS, ROOT, GONE, KEY), 3.1)


def shown(found: Checks) -> str:
    out = io.StringIO()
    report.show(found, out)
    return out.getvalue()


def test_rows_are_grouped_by_image_and_platform():
    head, *rows = shown(MIXED).splitlines()[:7]
    assert head.split() == ["IMAGE", "PLATFORM", "DIGEST", "CHECK", "RESULT", "TIME", "DETAIL"]
    assert rows[0].split() == ["api", AMD, "ab12ab12ab12", "user", "passed", "-", "1000"]
    assert rows[1].split() == ["http", "/health", "failed", "2.5", "s", "503,", "not", "200"]
    assert rows[2].split()[:2] == ["api", ARM]
    assert rows[3].split()[:3] == ["proxy", AMD, "-"]
    assert rows[4].split()[:3] == ["worker", "-", "-"]
    assert "web/id_rsa:1  looks like a key" in rows[5]


def test_a_failure_is_told_in_full_and_all_is_counted():
    text = shown(MIXED)
    assert f"FAILED api  {AMD}  http /health\n  | boom `x`\n" in text
    assert text.endswith("\n2 passed, 1 failed, 1 warned, 1 waived, 1 skipped in 3.1 s\n")
    assert shown(Checks()) == "nothing to check in 0.0 s\n"


def test_programs_get_every_value_and_a_schema_number():
    said = report.as_json(MIXED)
    assert (said["schema"], said["ok"]) == (1, False)
    assert said["counts"] == {"passed": 2, "failed": 1, "warned": 1, "waived": 1, "skipped": 1}
    assert said["checks"][0]["reference"] == f"acme/api@{DIGEST}"
    assert said["checks"][0]["digest"] == DIGEST
    assert said["checks"][1]["log"] == ["boom `x`"]


def test_the_summary_page_repeats_the_image_in_every_row_and_fences_logs(tmp_path: Path):
    page = tmp_path / "summary.md"
    report.append_summary(MIXED, "test", {"GITHUB_STEP_SUMMARY": str(page)})
    report.append_summary(MIXED, "test", {})
    text = page.read_text()
    assert text.startswith("### Argosy test: 2 passed")
    assert f"| api | {AMD} | ab12ab12ab12 | http /health | failed |" in text
    assert "```\nboom `x`\n```" in text
    assert text.count("###") == 1


def test_only_what_failed_fails_a_run():
    Checks((USER, ROOT, GONE, KEY)).require()
    with pytest.raises(CheckError, match="1 of 6 checks failed: api"):
        MIXED.require()
