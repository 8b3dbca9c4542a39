"""The secrets of an image: where each is to be found. What they are is read by nobody here."""

from __future__ import annotations

from ..model import Secret
from .findings import Finding
from .image_table import ImageTable


def secrets(table: ImageTable, where: str, findings: list[Finding]) -> tuple[Secret, ...]:
    """Returns an image's secrets, and adds those of which it is not clear where they are."""
    found = []
    for name, one in table.secrets.items():
        if bool(one.file) == bool(one.env):
            findings.append(
                Finding(f"{where}.{name}", "a secret comes from a `file` or from an `env` variable")
            )
        if "," in name or not name.strip():
            findings.append(Finding(f"{where}.{name}", "cannot be the id of a secret"))
        found.append(Secret(name, one.file or "", one.env or "", one.optional))
    return tuple(found)
