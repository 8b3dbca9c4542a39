"""Files of container-structure-test: what its program comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.checks.structure import PROGRAM, structure
from tasks.checks.subject import Subject
from tasks.model import Contract, ImageTest
from tests.evidences import evidence


def test_one_that_takes_too_long_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PROGRAM).write_text("#!/bin/sh\necho waiting >&2\nexec sleep 60\n")
    (tmp_path / PROGRAM).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "tests.yaml").write_text("commandTests:\n- name: one\n- name: two\n")
    subject = Subject("api", "linux/amd64", Contract(), (), evidence(tmp_path), "sha256:1")
    check = structure(subject, ImageTest(structure="tests.yaml", within=0.2), tmp_path)
    assert not check
    assert check.detail == "did not end within 0.4 s"
    assert check.log == ("waiting",)
