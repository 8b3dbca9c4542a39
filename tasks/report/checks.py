"""Checks for people, programs and CI's summary page: all three from the same values.

A table has one row for each thing looked at, grouped by image and platform; what failed is told in full below it.
What the words mean is decided where the checks are made; here they are only laid out.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from ..checks.check import Check, Checks, Outcome
from . import listing, summary, units
from .table import Cell, Column, Table, has_colours, styled, write

if TYPE_CHECKING:
    from typing_extensions import Self

SCHEMA = 1
_STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.WARNED: "yellow",
    Outcome.WAIVED: "cyan",
    Outcome.SKIPPED: "dim",
}


def tell(found: Checks, title: str, *, json: bool) -> None:
    """Shows checks to whoever asked: a person or a program on stdout, and CI's summary page."""
    if json:
        listing.print_json(as_json(found))
    else:
        show(found)
    append_summary(found, title, os.environ)


def show(found: Checks, stream: TextIO | None = None) -> None:
    """Writes the table, the logs of what failed, and one line that sums it up, to `stream` (stdout)."""
    out = stream or sys.stdout
    colours = has_colours(out, os.environ)
    if found.checks:
        write(table(found), out)
    for check in found.checks:
        if check.log and not check:
            out.write(f"\n{styled(heading(check), 'bold red', colours=colours)}\n")
            out.writelines(f"  | {line}\n" for line in check.log)
    blank = "\n" if found.checks else ""
    out.write(
        blank + styled(conclusion(found), "bold green" if found else "bold red", colours=colours) + "\n"
    )


def table(found: Checks, *, repeat: bool = False) -> Table:
    """Returns one row for each check; image, platform and digest stand only where they change, or in every row."""
    rows: list[tuple[Cell | str, ...]] = []
    before: tuple[str, str, str] = ("", "", "")
    for check in found.checks:
        group = (check.image, check.platform, units.digest(check.digest))
        new = repeat or group != before
        image, platform, digest = group if new else ("", "", "")
        before = group
        rows.append(
            (
                Cell(image, "bold"),
                platform or (units.NOTHING if new else ""),
                Cell(digest, "dim"),
                check.name,
                Cell(check.outcome.value, _STYLES[check.outcome]),
                units.duration(check.seconds) if check.seconds else units.NOTHING,
                "  ".join(filter(None, [check.where, check.detail])),
            )
        )
    columns = (
        Column("image"),
        Column("platform"),
        Column("digest"),
        Column("check", wraps=True),
        Column("result"),
        Column("time", align="right"),
        Column("detail", wraps=True),
    )
    return Table(columns, tuple(rows))


def heading(check: Check) -> str:
    """Returns which check on what, in one line."""
    return "  ".join(filter(None, [f"FAILED {check.image}", check.platform, check.name, check.where]))


def conclusion(found: Checks) -> str:
    """Returns one line: how many of each outcome, how long it took."""
    said = ", ".join(f"{count} {outcome.value}" for outcome, count in found.counts.items())
    return f"{said or 'nothing to check'} in {units.duration(found.seconds)}"


def as_json(found: Checks) -> dict[str, Any]:
    """Returns the checks for programs; `schema` changes when a key changes its meaning or goes."""
    return {
        "schema": SCHEMA,
        "ok": bool(found),
        "seconds": round(found.seconds, 3),
        "counts": {outcome.value: found.counts.get(outcome, 0) for outcome in Outcome},
        "checks": [
            {
                "image": check.image,
                "platform": check.platform,
                "digest": check.digest,
                "reference": check.reference,
                "name": check.name,
                "outcome": check.outcome.value,
                "detail": check.detail,
                "where": check.where,
                "seconds": round(check.seconds, 3),
                "log": list(check.log),
            }
            for check in found.checks
        ],
    }


def append_summary(found: Checks, title: str, environ: Mapping[str, str]) -> None:
    """Appends the checks to the page that CI shows for a job, where there is one."""
    summary.append(lambda: markdown(found, title), environ)


def markdown(found: Checks, title: str) -> str:
    """Returns a heading that sums up, the table, and the end of each failure's log."""
    parts = [f"### Argosy {title}: {conclusion(found)}\n"]
    if found.checks:
        parts.append(table(found, repeat=True).markdown())
    parts += [
        f"**{heading(check)}**\n\n{summary.fenced(check.log)}"
        for check in found.checks
        if check.log and not check
    ]
    return "\n".join(parts) + "\n"


class Progress:
    """Tells of checks as they are done: a line for each that ran something or failed, the rest is counted."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._done: list[Check] = []
        self._told = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._told and kind is None:
            self._stream.write("\n")

    @property
    def said(self) -> str:
        """How far it is."""
        done = conclusion(Checks(tuple(self._done))).rpartition(" in ")[0]
        return done if self._done else "no check was done"

    def reads(self, image: str, platform: str) -> None:
        """Tells which image is being read."""
        with self._lock:
            self._told = True
            self._stream.write(f"reading  {image}  {platform}\n")
            self._stream.flush()

    def told(self, check: Check) -> None:
        """Takes one check that is done."""
        with self._lock:
            self._done.append(check)
            if check.seconds or not check:
                self._told = True
                colours = has_colours(self._stream, os.environ)
                word = styled(check.outcome.value, _STYLES[check.outcome], colours=colours)
                about = "  ".join(filter(None, [check.image, check.platform, check.name]))
                self._stream.write(f"{word}  {about}\n")
                self._stream.flush()
