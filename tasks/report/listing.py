"""Plans for people: what there is (`list`) and what would be done (`plan`), as tables or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

from ..engine.examination import Check
from ..engine.pulling import Pulled
from ..planning.plan import SCHEMA, Plan
from .results import grouped
from .table import Cell, Column, Table, write


def print_json(value: object) -> None:
    """Writes a value for programs."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def show_list(plan: Plan) -> None:
    """Writes the fleet: images, targets, platforms, references."""
    table = Table(
        columns=(
            Column("image"),
            Column("target"),
            Column("platforms", wraps=True),
            Column("references", wraps=True),
            Column("stands on", wraps=True),
            Column("groups", wraps=True),
        ),
        rows=tuple(
            (
                Cell(image.name, "bold"),
                image.target or "-",
                ", ".join(image.platforms),
                "\n".join(grouped(map(str, image.references))),
                ", ".join(dict.fromkeys(need.image for need in image.needs)) or "-",
                ", ".join(image.groups) or "-",
            )
            for image in plan.images
        ),
    )
    write(table, sys.stdout)
    sys.stdout.write(f"\n{len(plan.images)} images, version {plan.version} ({plan.version_source})\n")


def list_json(plan: Plan) -> dict[str, object]:
    """Returns the fleet for programs."""
    keys = (
        "name",
        "version",
        "references",
        "repository",
        "dockerfile",
        "context",
        "target",
        "platforms",
        "groups",
    )
    images = [
        {key: image.as_json()[key] for key in (*keys, "needs", "args", "publish")} for image in plan.images
    ]
    return {"schema": SCHEMA, "project": plan.project, "version": plan.version, "images": images}


def show_plan(plan: Plan) -> None:
    """Writes what would be done, in order, with the reason for each, and what came from outside the file."""
    table = Table(
        columns=(
            Column("image"),
            Column("action"),
            Column("platforms", wraps=True),
            Column("from", wraps=True),
            Column("references", wraps=True),
            Column("reason", wraps=True),
        ),
        rows=tuple(
            (
                Cell(image.name, "bold" if image.selected else "dim"),
                image.action,
                ", ".join(image.platforms),
                f"{image.dockerfile}" + (f" ({image.target})" if image.target else ""),
                "\n".join(grouped(map(str, image.references))) or "no name: not selected",
                image.reason,
            )
            for image in plan.images
        ),
    )
    write(table, sys.stdout)
    sys.stdout.write("\n" + "".join(f"{line}\n" for line in _notes(plan)))


def _notes(plan: Plan) -> Iterable[str]:
    ends = {"load": "loaded into the engine", "push": "pushed", "none": "not loaded, not pushed"}
    yield f"{len(plan.selected)} images, {ends[plan.output]}; version {plan.version} ({plan.version_source})"
    for image in plan.images:
        for need in image.needs:
            yield f"{image.name} stands on {need.image}: {need.because}"
    for path, origin in plan.origins.items():
        yield f"{path} comes from {origin}"


def show_pulled(pulled: Iterable[Pulled]) -> None:
    """Writes what was pulled, under which names, and what was not there."""
    table = Table(
        columns=(Column("image"), Column("pulled", wraps=True), Column("names", wraps=True)),
        rows=tuple(
            (
                Cell(one.image, "bold"),
                Cell(f"not there: {one.absent}", "yellow") if one.absent else one.reference,
                "\n".join(one.names),
            )
            for one in pulled
        ),
    )
    write(table, sys.stdout)


def show_checks(checks: Iterable[Check]) -> None:
    """Writes doctor's checks, each failure with its remedy."""
    table = Table(
        columns=(Column(""), Column("check"), Column("found", wraps=True)),
        rows=tuple(
            (
                Cell("✗", "bold red") if check.failed else Cell("✓", "green"),
                Cell(check.name, "bold"),
                f"{check.found}\n{check.remedy}" if check.remedy else check.found,
            )
            for check in checks
        ),
    )
    write(table, sys.stdout)
