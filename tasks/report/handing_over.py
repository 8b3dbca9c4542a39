"""Images that became files, and files that came out of images: as tables or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from . import units
from .listing import print_json
from .results import grouped
from .table import Cell, Column, Table, write

if TYPE_CHECKING:
    from ..engine.extracting import Extracted
    from ..engine.handover import Packed

SCHEMA = 1


def told(line: str) -> None:
    """Says what has just been done."""
    print(line, file=sys.stderr, flush=True)


def show_packed(packed: Sequence[Packed], *, json: bool) -> None:
    """Writes what a folder holds: each image's platforms, names, archive."""
    if json:
        print_json(packed_json(packed))
        return
    columns = (
        Column("image"),
        Column("platforms", wraps=True),
        Column("names", wraps=True),
        Column("file"),
        Column("size", align="right"),
    )
    rows = tuple(
        (
            Cell(one.image, "bold"),
            ", ".join(one.platforms),
            "\n".join(grouped(one.names)),
            one.file,
            units.size(one.size),
        )
        for one in packed
    )
    write(Table(columns, rows), sys.stdout)


def packed_json(packed: Sequence[Packed]) -> dict[str, object]:
    """Returns what a folder holds for programs."""
    return {"schema": SCHEMA, "images": [asdict(one) for one in packed]}


def show_extracted(extracted: Sequence[Extracted], *, json: bool) -> None:
    """Writes what was taken out, and where it lies."""
    if json:
        print_json(extracted_json(extracted))
        return
    columns = (Column("image"), Column("platform"), Column("files", wraps=True))
    rows = tuple((Cell(one.image, "bold"), one.platform, "\n".join(map(str, one.paths))) for one in extracted)
    write(Table(columns, rows), sys.stdout)


def extracted_json(extracted: Sequence[Extracted]) -> dict[str, object]:
    """Returns what was taken out for programs."""
    found = [
        {"image": one.image, "platform": one.platform, "paths": [str(path) for path in one.paths]}
        for one in extracted
    ]
    return {"schema": SCHEMA, "extracted": found}
