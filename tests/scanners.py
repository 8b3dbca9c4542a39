"""A scanner that stands in for a real one: it records its arguments and writes the SARIF it was given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROGRAM = """\
#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path({folder!r})
with (here / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
wanted = json.loads((here / "wanted.json").read_text())
for word in sys.argv[1:]:
    file = word.partition("=")[2] or word
    if file.endswith(".sarif") and wanted["sarif"] is not None:
        pathlib.Path(file).write_text(wanted["sarif"])
    if file.endswith(".json") and not pathlib.Path(file).exists():
        pathlib.Path(file).write_text("{{}}")
print(wanted["says"], file=sys.stderr)
sys.exit(wanted["status"])
"""


class Scanner:
    """A program called `name` in a folder that a test puts on PATH."""

    def __init__(self, folder: Path, name: str = "trivy") -> None:
        self.folder = folder / "bin"
        self.folder.mkdir(parents=True)
        program = self.folder / name
        program.write_text(PROGRAM.format(folder=str(self.folder)))
        program.chmod(0o755)
        self.finds()

    def finds(self, *hits: tuple[str, str], status: int = 0, says: str = "", sarif: str | None = "") -> None:
        """What it finds from now on: (CVE, CVSS score), and how it ends; `sarif` is what it writes instead."""
        text = log(hits) if sarif == "" else sarif
        (self.folder / "wanted.json").write_text(json.dumps({"sarif": text, "status": status, "says": says}))

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call."""
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def path(self, env: dict[str, str]) -> dict[str, str]:
        """An environment in which it is the first on PATH."""
        return {"PATH": f"{self.folder}:{env['PATH']}"}


def log(hits: Sequence[tuple[str, str]], **more: Any) -> str:
    """A SARIF log as trivy writes it."""
    rules = [{"id": cve, "properties": {"security-severity": score}} for cve, score in dict(hits).items()]
    results = [
        {"ruleId": cve, "level": "error", "message": {"text": f"{cve}\nin openssl"}} for cve, _ in hits
    ]
    driver = {"name": "stand-in", "rules": rules}
    return json.dumps(
        {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}], **more}
    )
