"""Results for people: one table, each failure with where and the end of its log, one line that sums it up.

What the words mean is decided where the Results are made; here they are only laid out. Programs get
`as_json`, CI gets summary.py's Markdown, all from the same rows.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from ..engine.results import Result, Results, Verdict
from ..model import Moved
from . import units
from .table import Cell, Column, Table, has_colours, styled, write

SCHEMA = 1
LOG_LINES = 20
"""How many of a failing step's last lines stand below the table; the log file has all of them."""

_STYLES = {
    Verdict.BUILT: "green",
    Verdict.REUSED: "cyan",
    Verdict.FAILED: "bold red",
    Verdict.SKIPPED: "dim",
    Verdict.STOPPED: "yellow",
}


def show(results: Results, stream: TextIO | None = None, *, logs: bool = True) -> None:
    """Writes tables, failures and the conclusion to `stream` (stdout).

    Without `logs` a failing step's output is left out: for whoever has just seen all of it.
    """
    out = stream or sys.stdout
    if results.images:
        write(images_table(results), out)
    if results.moved:
        out.write("\n")
        write(moved_table(results), out)
    colours = has_colours(out, os.environ)
    for result in results.images:
        if result.verdict is Verdict.FAILED:
            head, *lines = failure_lines(result, logs=logs)
            out.write(
                "".join(f"{line}\n" for line in ("", styled(head, "bold red", colours=colours), *lines))
            )
    if results.images or results.moved:
        out.write("\n")
    out.write(styled(conclusion(results), "bold green" if results else "bold red", colours=colours) + "\n")


def images_table(results: Results) -> Table:
    """Returns one row for each image, in plan order."""
    return Table(
        columns=(
            Column("image"),
            Column("platforms", wraps=True),
            Column("references", wraps=True),
            Column("size", align="right"),
            Column("time", align="right"),
            Column("cached", align="right"),
            Column("result", wraps=True),
        ),
        rows=tuple(
            (
                Cell(result.image, "bold"),
                ", ".join(result.platforms),
                "\n".join(grouped(result.references)),
                units.size(result.size),
                units.duration(result.seconds) if result.seconds else units.NOTHING,
                units.share(result.cached, result.steps) if result else units.NOTHING,
                Cell(outcome(result), _STYLES.get(result.verdict, "")),
            )
            for result in results.images
        ),
    )


def moved_table(results: Results) -> Table:
    """Returns one row for each name: what was behind it, what is now."""
    return Table(
        columns=(Column("name", wraps=True), Column("old"), Column("new"), Column("change")),
        rows=tuple(
            (
                moved.reference,
                Cell(units.digest(moved.old), "dim"),
                units.digest(moved.new),
                Cell(change(moved), "dim" if moved.old == moved.new else ""),
            )
            for moved in results.moved
        ),
    )


def grouped(references: Iterable[str]) -> list[str]:
    """Returns one text for each repository: its first reference in full, its other tags after it."""
    repositories: dict[str, list[str]] = {}
    for reference in references:
        # A colon after the last slash starts the tag; one before it is a registry's port.
        slash = reference.rfind("/")
        colon = reference.find(":", slash + 1)
        name, tag = (reference[:colon], reference[colon + 1 :]) if colon > 0 else (reference, "")
        repositories.setdefault(name, []).append(tag)
    return [
        ", ".join([f"{name}:{tags[0]}" if tags[0] else name, *tags[1:]])
        for name, tags in repositories.items()
    ]


def outcome(result: Result) -> str:
    """Returns where a built image went, or the verdict and its reason; failures are told in full below."""
    if result.verdict is Verdict.REUSED:
        return ", ".join(part for part in ("unchanged", result.output) if part)
    if result:
        return result.output or result.verdict.value
    reason = "" if result.verdict is Verdict.FAILED else result.reason
    return ": ".join(part for part in (str(result.verdict.value), reason) if part)


def change(moved: Moved) -> str:
    """Returns what happened to a name, in one word."""
    if moved.old == moved.new:
        return "unchanged"
    if not moved.old:
        return "new"
    return "moved" if moved.new else "removed"


def failure_lines(result: Result, *, logs: bool = True) -> list[str]:
    """Returns what is to be said of one failed image: where, why, and (with `logs`) the end of its log."""
    head = f"FAILED {result.image}" + (f"  {result.where}" if result.where else "")
    return [
        head,
        *(f"  {line}" for line in result.reason.splitlines()),
        *(f"  | {line}" for line in (tail(result) if logs else ())),
    ]


def tail(result: Result) -> tuple[str, ...]:
    """Returns the last lines of a failed step's output, and says so where there were more."""
    hidden = result.dropped + max(0, len(result.log) - LOG_LINES)
    more = (f"({hidden} earlier lines are in the log file)",) if hidden > 0 else ()
    return more + result.log[-LOG_LINES:]


def conclusion(results: Results) -> str:
    """Returns one line: how many of each verdict, how long it took, where the log is."""
    counts = Counter(result.verdict for result in results.images)
    parts = [f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]]
    said = ", ".join(parts) or "nothing built"
    names = sum(1 for moved in results.moved if moved.old != moved.new)
    if results.moved:
        said += f", {names} {'name' if names == 1 else 'names'} moved"
    log = f"; log: {_shown(results.log_file)}" if results.log_file else ""
    return f"{said} in {units.duration(results.seconds)}{log}"


def as_json(results: Results) -> dict[str, Any]:
    """Returns the results for programs; `schema` changes when a key changes its meaning or goes."""
    return {
        "schema": SCHEMA,
        "ok": bool(results),
        "seconds": round(results.seconds, 3),
        "log": str(results.log_file) if results.log_file else None,
        "images": [
            {
                "name": result.image,
                "verdict": result.verdict.value,
                "reason": result.reason,
                "output": result.output,
                "platforms": list(result.platforms),
                "references": list(result.references),
                "digest": result.digest,
                "size": result.size,
                "seconds": round(result.seconds, 3),
                "steps": result.steps,
                "cached": result.cached,
                "where": result.where,
                "log": list(result.log),
            }
            for result in results.images
        ],
        "moved": [
            {"reference": moved.reference, "old": moved.old, "new": moved.new, "change": change(moved)}
            for moved in results.moved
        ],
    }


def _shown(path: Path) -> str:
    """Returns a path relative to the working directory where it is below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (OSError, ValueError):
        return os.fspath(path)
