"""Whether what is said from outside for names is what build.toml says, where nothing else may be said.

A project whose images are named in code as well declares `override = "must-match"`: then a script or CI may repeat
its registry, owner and tags, and is told when they have drifted apart.
"""

from __future__ import annotations

from .document import Document
from .findings import Finding
from .registries import registries
from .schema import BuildToml


def check(document: Document, findings: list[Finding]) -> None:
    """Adds every override of a name's part that is something else than build.toml has there."""
    declared = document.declared
    if declared.project.override == "redirect":
        return
    ours, theirs = _said(declared), _said(document.tables)
    for path in ours:
        if path in document.origins and theirs[path] != ours[path]:
            message = (
                f'"{", ".join(theirs[path])}" does not match "{", ".join(ours[path])}": build.toml allows nothing else '
                f'here (project.override = "must-match"). Leave it out, or change {path} in build.toml.'
            )
            findings.append(document.finding(path, message))


def _said(tables: BuildToml) -> dict[str, list[str]]:
    """Returns what names are made of, by key path; of several registries the first, which an override replaces."""
    project, places = tables.project, registries(tables)
    return {
        "project.registry": [places[0].host] if places else [],
        "project.owner": list(dict.fromkeys(place.owner for place in places)),
        "project.repository": list(dict.fromkeys(place.repository for place in places)),
        "project.version": [] if project.version is None else [project.version],
        "tags.build": tables.tags.build,
    }
