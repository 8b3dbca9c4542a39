"""Everything that goes into one image, for people and for programs that compare two machines."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import SurroundingsError
from ..planning.address import CONTENT, Address
from ..planning.plan import SCHEMA, Plan
from .listing import print_json
from .table import Column, Table, write

if TYPE_CHECKING:
    from ..contents.addressing import Survey


def explain(plan: Plan, survey: Survey | None, name: str, *, json: bool) -> None:
    """Writes what goes into one image of the plan. Raises SurroundingsError where there is nobody to ask for it."""
    if survey is None or name not in survey.addresses:
        reason = next(image.reason for image in plan.images)
        raise SurroundingsError(f"what goes into {name} cannot be told: {reason}")
    addresses = survey.addresses[name]
    if json:
        print_json(inputs_json(name, addresses))
    else:
        _show(name, addresses)


def inputs_json(name: str, addresses: Mapping[str, Address]) -> dict[str, object]:
    """Returns what goes into an image for programs, for each platform."""
    platforms = {platform: _told(found) for platform, found in addresses.items()}
    return {"schema": SCHEMA, "image": name, "platforms": platforms}


def _told(found: Address) -> dict[str, object]:
    inputs, files = dict(sorted(found.inputs.items())), dict(sorted(found.files.items()))
    return {"address": found.tag, "inputs": inputs, "files": files}


def _show(name: str, addresses: Mapping[str, Address]) -> None:
    for platform, found in addresses.items():
        # The digest over files is left out: the files themselves stand there.
        inputs = {key: value for key, value in found.inputs.items() if not key.startswith(CONTENT)}
        rows = [(f"file {path}", what) for path, what in sorted(found.files.items())]
        rows += sorted((key, value.replace("\n", " ⏎ ")) for key, value in inputs.items())
        sys.stdout.write(f"{name} {platform}  {found.tag}\n")
        write(
            Table(columns=(Column("input", wraps=True), Column("value", wraps=True)), rows=tuple(rows)),
            sys.stdout,
        )
