"""What was set, place by place: for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..planning.plan import SCHEMA
from .listing import print_json
from .table import Column, Table, write

if TYPE_CHECKING:
    from ..contents.setting import Change


def show_changes(changes: Sequence[Change]) -> None:
    """Writes every place with what stood and what stands there."""
    if not changes:
        sys.stdout.write("every place says so already\n")
        return
    rows = tuple((f"{one.file}:{one.line}", one.old, one.new) for one in changes)
    write(
        Table((Column("place", wraps=True), Column("was", wraps=True), Column("is", wraps=True)), rows),
        sys.stdout,
    )


def print_changes(changes: Sequence[Change]) -> None:
    """Writes them for programs."""
    print_json(changes_json(changes))


def changes_json(changes: Sequence[Change]) -> dict[str, object]:
    """Returns them for programs."""
    told = [{"file": one.file, "line": one.line, "old": one.old, "new": one.new} for one in changes]
    return {"schema": SCHEMA, "changes": told}
