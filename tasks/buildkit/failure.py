"""What went wrong in a run of bake: read from the step that failed and from the builder's final error.

The final error is plain text: an excerpt of the Dockerfile under a line `Dockerfile:7`, then
`ERROR: target api: failed to solve: …` (docker/buildx cmd/buildx/main.go; moby/buildkit
solver/errdefs/source.go). Whose failure it is in the end, and what that stops, is the engine's to decide.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .remedy import remedy
from .steps import Step, Target

_FINAL = re.compile(
    r"ERROR: (?:target (?P<target>[^\s:]+): )?(?:failed to solve: )?(?P<message>.*)", re.DOTALL
)
_EXCERPT = re.compile(r"\S.*:(\d+)")
_MARKED = re.compile(r" *(\d+) \| >>> (.*)")
_PARSE_ERROR = re.compile(r"parse error on line (\d+)|parse error line (\d+)")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed: `step` and `where` are "" where the builder did not say; `log` is the step's output.

    `dropped` is how many earlier lines of that output were not kept (the log file has them), `remedy` what
    to do about it ("" where that is not known).
    """

    image: str
    platform: str
    step: str
    where: str
    log: tuple[str, ...]
    message: str
    remedy: str
    dropped: int = 0

    @property
    def reason(self) -> str:
        """What to tell people, in up to three lines: the step, what went wrong, what to do."""
        return "\n".join(part for part in (self.step, self.message, self.remedy) if part)


def read_failure(
    failed: Step | None, plain: Sequence[str], targets: Mapping[str, Target], root: Path
) -> Failure | None:
    """Returns the failure, or None where neither a step nor the final error tells of one.

    A run that was stopped from outside has not failed.
    """
    target_name, message = _final_error(plain)
    if failed is None and (not message or "context canceled" in message):
        return None
    target = failed.target if failed else targets.get(target_name)
    if target is None:
        target = _quoted(plain, targets, root)
    line = _line(plain)
    log = tuple(failed.lines) if failed else ()
    return Failure(
        image=target.image if target else "",
        platform=failed.platform if failed else "",
        step=failed.label if failed else "",
        where=f"{target.dockerfile}:{line}" if target and line else "",
        log=log,
        message=failed.message if failed else message,
        remedy=remedy(
            "\n".join((failed.error if failed else "", message, *log[-50:])), target.context if target else ""
        ),
        dropped=failed.dropped if failed else 0,
    )


def _final_error(plain: Sequence[str]) -> tuple[str, str]:
    """Returns the target's name (or "") and the text of the last `ERROR:`, which may run over several lines."""
    starts = [index for index, line in enumerate(plain) if line.startswith("ERROR: ")]
    if not starts:
        return "", ""
    match = _FINAL.fullmatch("\n".join(plain[starts[-1] :]))
    return (match["target"] or "", match["message"].strip()) if match else ("", "")


def _quoted(plain: Sequence[str], targets: Mapping[str, Target], root: Path) -> Target | None:
    """Returns the target whose Dockerfile the error quotes: buildx 0.13 does not say which of several it was."""
    if len(targets) == 1:
        return next(iter(targets.values()))
    marked = next((match for line in plain if (match := _MARKED.fullmatch(line))), None)
    if marked is None:
        return None
    for target in targets.values():
        with contextlib.suppress(OSError, IndexError):
            lines = (root / target.dockerfile).read_text(encoding="utf-8", errors="replace").splitlines()
            if lines[int(marked[1]) - 1].rstrip() == marked[2].rstrip():
                return target
    return None


def _line(plain: Sequence[str]) -> int | None:
    """Returns the Dockerfile line the error is about, or None."""
    for line, below in pairwise(plain):
        if below.startswith("-----") and (match := _EXCERPT.fullmatch(line)):
            return int(match[1])
    match = _PARSE_ERROR.search("\n".join(plain))
    return int(match[1] or match[2]) if match else None
