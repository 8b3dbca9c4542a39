"""Releases for people and programs: the plan of names, the history, what a verification found."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Sequence

from ..errors import several
from ..release.names import Name
from ..release.record import Record
from ..release.verifying import Finding
from . import units
from .table import Cell, Column, Table, write

SCHEMA = 1
SHOWN = 6
"""How many images of a release a table names; the rest are counted."""
_STYLES = {"new": "green", "moves": "bold", "WOULD OVERWRITE": "bold red"}


def step(name: str, text: str) -> None:
    """Tells one step of a release, on stderr; that nobody is there any more to read it must not end an undo."""
    with contextlib.suppress(OSError):
        print(f"{name:<10} {text}", file=sys.stderr, flush=True)


def show_names(names: Sequence[Name]) -> None:
    """Writes the plan of names: reference, old digest, new digest, what happens."""
    table = Table(
        columns=(Column("name", wraps=True), Column("old"), Column("new"), Column("change", wraps=True)),
        rows=tuple(
            (
                str(name.reference),
                Cell(units.digest(name.old.digest) if name.old else units.NOTHING, "dim"),
                units.NOTHING if name.stays else units.digest(name.new.digest),
                Cell(f"stays: {name.stays}" if name.stays else name.change, _STYLES.get(name.change, "dim")),
            )
            for name in names
        ),
    )
    write(table, sys.stdout)


def names_json(tag: str, names: Iterable[Name], *, done: bool) -> dict[str, object]:
    """Returns the plan of names for programs; `released` tells whether it was carried out."""
    return {
        "schema": SCHEMA,
        "tag": tag,
        "released": done,
        "names": [
            {
                "reference": str(name.reference),
                "image": name.image,
                "old": name.old.digest if name.old else "",
                "new": "" if name.stays else name.new.digest,
                "change": name.change,
                "reason": name.stays,
                "immutable": name.immutable,
            }
            for name in names
        ],
    }


def show_history(records: Sequence[Record]) -> None:
    """Writes all releases, the newest first."""
    table = Table(
        columns=(
            Column("release"), Column("released"), Column("commit"), Column("committed"), Column("images", wraps=True),
            Column("names", align="right"),
        ),
        rows=tuple(
            (
                Cell(record.tag, "bold"),
                record.released + (f"\nwent back {record.rolled_back}" if record.rolled_back else ""),
                record.revision[:12] or units.NOTHING,
                record.created or units.NOTHING,
                several(list(record.platforms), SHOWN),
                str(len(record.entries)),
            )
            for record in records
        ),
    )  # fmt: skip
    write(table, sys.stdout)


def history_json(records: Iterable[Record]) -> dict[str, object]:
    """Returns all releases for programs."""
    return {"schema": SCHEMA, "releases": [_record(record) for record in records]}


def show_findings(record: Record, findings: Sequence[Finding]) -> None:
    """Writes how every reference of a release stands."""
    table = Table(
        columns=(
            Column(""), Column("name", wraps=True), Column("released"), Column("found", wraps=True),
            Column("with", wraps=True),
        ),
        rows=tuple(
            (
                Cell("✗", "bold red") if one.wrong else Cell("✓", "green"),
                one.entry.reference,
                units.digest(one.entry.digest),
                one.said,
                ", ".join(one.sealed) or units.NOTHING,
            )
            for one in findings
        ),
    )  # fmt: skip
    write(table, sys.stdout)
    wrong = sum(one.wrong for one in findings)
    sys.stdout.write(
        f"\n{record.tag} of commit {record.revision[:12] or 'unknown'}, released {record.released}: "
        f"{len(findings) - wrong} of {len(findings)} names stand\n"
    )


def findings_json(record: Record, findings: Iterable[Finding]) -> dict[str, object]:
    """Returns a verification for programs."""
    found = [
        {
            "reference": f.entry.reference,
            "released": f.entry.digest,
            "now": f.now,
            "found": f.said,
            "with": list(f.sealed),
            "ok": not f.wrong,
        }
        for f in findings
    ]
    return _record(record) | {"schema": SCHEMA, "ok": all(one["ok"] for one in found), "findings": found}


def _record(record: Record) -> dict[str, object]:
    return {
        "tag": record.tag,
        "revision": record.revision,
        "created": record.created,
        "released": record.released,
        "rolled_back": record.rolled_back,
        "versions": dict(record.versions),
        "platforms": {image: dict(found) for image, found in record.platforms.items()},
        "gates": dict(record.gates),
        "seals": list(record.seals),
        "names": [
            {"reference": e.reference, "image": e.image, "digest": e.digest, "previous": e.previous}
            for e in record.entries
        ],
    }
