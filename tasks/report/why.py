"""Everything that goes into one image, for people and for programs that compare two machines."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import SurroundingsError
from ..planning.address import CONTENT, Address
from ..planning.plan import SCHEMA, Plan, PlannedImage
from .listing import print_json
from .table import Column, Table, write

if TYPE_CHECKING:
    from ..contents.addressing import Survey

FILE = "file "
"""How the row of a file begins; files stand before the other inputs."""


def explain(
    plan: Plan, survey: Survey | None, name: str, before: Mapping[str, Address], *, json: bool
) -> None:
    """Writes what goes into one image of the plan, and what of it was another when it was last built here (`before`).

    Raises SurroundingsError where there is nobody to ask for it.
    """
    if survey is None or name not in survey.addresses:
        raise SurroundingsError(f"what goes into {name} cannot be told: {plan[name].reason}")
    addresses = survey.addresses[name]
    if json:
        print_json(inputs_json(name, addresses))
    else:
        _show(plan[name], addresses, before)


def inputs_json(name: str, addresses: Mapping[str, Address]) -> dict[str, object]:
    """Returns what goes into an image for programs, for each platform."""
    platforms = {platform: _told(found) for platform, found in addresses.items()}
    return {"schema": SCHEMA, "image": name, "platforms": platforms}


def _told(found: Address) -> dict[str, object]:
    inputs, files = dict(sorted(found.inputs.items())), dict(sorted(found.files.items()))
    return {"address": found.tag, "inputs": inputs, "files": files}


def _show(image: PlannedImage, addresses: Mapping[str, Address], before: Mapping[str, Address]) -> None:
    for platform, found in addresses.items():
        now, old = _rows(found), _rows(before.get(platform, found))
        columns: tuple[Column, ...] = (Column("input", wraps=True), Column("value", wraps=True))
        if now == old:
            rows = [tuple(row) for row in now.items()]
        else:
            columns += (Column("when last built", wraps=True),)
            rows = [
                (name, now.get(name, "-"), "" if now.get(name) == old.get(name) else old.get(name, "-"))
                for name in sorted({*now, *old}, key=lambda name: (not name.startswith(FILE), name))
            ]
        sys.stdout.write(f"{image.name} {platform}  {found.tag}  {image.action}: {image.reason}\n")
        write(Table(columns=columns, rows=tuple(rows)), sys.stdout)


def _rows(found: Address) -> dict[str, str]:
    # The digest over files is left out: the files themselves stand there.
    inputs = {key: value for key, value in found.inputs.items() if not key.startswith(CONTENT)}
    rows = {f"{FILE}{path}": what for path, what in sorted(found.files.items())}
    return rows | {key: value.replace("\n", " ⏎ ") for key, value in sorted(inputs.items())}
