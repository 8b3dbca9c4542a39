"""For people, or as JSON: what there is (`list`), what would be done (`plan`), what was seen, pulled, or set."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..planning.plan import SCHEMA, Plan
from ..planning.versions import Version
from .results import grouped
from .table import Cell, Column, Table, write

if TYPE_CHECKING:
    from ..engine.examination import Observation
    from ..engine.pulling import Pulled


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
            for image in plan.selected
        ),
    )
    write(table, sys.stdout)
    sys.stdout.write(f"\n{_counted(plan.selected)}, version {plan.version} ({plan.version_source})\n")


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
        "args",
        "platforms",
    )
    more = ("needs", "groups", "publish")
    images = [{key: image.as_json()[key] for key in keys + more} for image in plan.selected]
    return {"schema": SCHEMA, "project": plan.project, "version": plan.version, "images": images}


def show_plan(plan: Plan) -> None:
    """Writes what would be done, in order, with the reason for each, and what came from outside the file."""
    # Without an engine all have one reason: it is said once, below.
    known = any(image.action != "unknown" for image in plan.images)
    columns = (
        Column("image"),
        Column("action"),
        Column("platforms", wraps=True),
        Column("from", wraps=True),
        Column("references", wraps=True),
        Column("reason", wraps=True),
    )
    rows = tuple(
        (
            Cell(image.name, "bold" if image.selected else "dim"),
            image.action,
            ", ".join(image.platforms),
            image.dockerfile + (f" ({image.target})" if image.target else ""),
            "\n".join(grouped(map(str, image.references))) or "no name: not selected",
            image.reason,
        )
        for image in plan.images
    )
    shown = len(columns) if known else -1
    write(Table(columns[:shown], tuple(row[:shown] for row in rows)), sys.stdout)
    sys.stdout.write("\n" + "".join(f"{line}\n" for line in _notes(plan)))


def _notes(plan: Plan) -> Iterable[str]:
    ends = {"load": "loaded into the engine", "push": "pushed", "none": "not loaded, not pushed"}
    yield f"{_counted(plan.selected)}, {ends[plan.output]}; version {plan.version} ({plan.version_source})"
    for reason in dict.fromkeys(image.reason for image in plan.images if image.action == "unknown"):
        yield f"what would be built or reused is unknown: {reason}"
    for image in plan.images:
        for need in image.needs:
            yield f"{image.name} stands on {need.image}: {need.because}"
        for note in (*image.warnings, *image.notes):
            yield f"{image.name}: {note}"
    for path, origin in plan.origins.items():
        yield f"{path} comes from {origin}"


def _counted(images: Sequence[object]) -> str:
    return f"{len(images)} {'image' if len(images) == 1 else 'images'}"


def show_versions(fleet: Version, own: Mapping[str, Version]) -> None:
    """Writes the fleet's version and those of images that have one of their own, each with what gave it."""
    sys.stdout.write(f"{fleet.text}  ({fleet.source})\n")
    for name, version in own.items():
        sys.stdout.write(f"{name}: {version.text}  ({version.source})\n")


def versions_json(fleet: Version, own: Mapping[str, Version]) -> dict[str, object]:
    """Returns the versions for programs."""
    images = {name: {"version": version.text, "source": version.source} for name, version in own.items()}
    return {"schema": SCHEMA, "version": fleet.text, "source": fleet.source, "images": images}


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


def show_observations(seen: Iterable[Observation]) -> None:
    """Writes what doctor has seen, each failure with its remedy."""
    table = Table(
        columns=(Column(""), Column("check"), Column("found", wraps=True)),
        rows=tuple(
            (
                Cell("✗", "bold red") if one.failed else Cell("✓", "green"),
                Cell(one.name, "bold"),
                f"{one.found}\n{one.remedy}" if one.remedy else one.found,
            )
            for one in seen
        ),
    )
    write(table, sys.stdout)
