"""Where an image's Dockerfile and context are: as given, or by the usual places.

It looks at which files exist and reads none of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ..errors import available, nearest

if TYPE_CHECKING:
    from .document import Document

USUAL = ("docker/{name}", "services/{name}", "{name}")
_LIKE_SCP = re.compile(r"[\w-]+@[\w.-]+:")
"""git's `user@host:path`."""
DEPTH = 3
"""How many folders down Dockerfiles are looked for, to be named in a message."""


def find_dockerfile(document: Document, name: str, given: str | None, context: str | None) -> tuple[str, str]:
    """Returns (Dockerfile relative to build.toml, what is wrong with it): as `given`, or the first usual place's."""
    if given is not None:
        if document.has("file", given):
            return given, ""
        there = sorted(_dockerfiles(document.root))
        return (
            given,
            f"no Dockerfile {given} in {document.root}{nearest(given, there)}. {available('Dockerfiles', there)}",
        )
    places = [] if context is None or is_remote(context) else [context]
    places += [place.format(name=name) for place in USUAL]
    looked = [str(PurePosixPath(place, "Dockerfile")) for place in places]
    found = next((file for file in looked if document.has("file", file)), "")
    return (
        found,
        "" if found else f"no Dockerfile at {', '.join(looked)}. Write one, or set images.{name}.dockerfile.",
    )


def find_context(document: Document, given: str | None, dockerfile: str) -> tuple[str, str]:
    """Returns (context relative to build.toml, what is wrong with it): as `given`, or the Dockerfile's folder."""
    if given is None:
        return str(PurePosixPath(dockerfile).parent), ""
    if is_remote(given) or document.has("folder", given):
        return given, ""
    hint = _nearest_folder(document.root, given)
    return given, f"no folder {given} in {document.root} to be the context{hint}"


def is_remote(context: str) -> bool:
    """Tells a URL or git address from a folder."""
    return "://" in context or _LIKE_SCP.match(context) is not None


def _nearest_folder(root: Path, wanted: str) -> str:
    parent = PurePosixPath(wanted).parent
    if not (root / parent).is_dir():
        return ""
    return nearest(
        wanted, [str(parent / entry.name) for entry in os.scandir(root / parent) if entry.is_dir()]
    )


def _dockerfiles(root: Path) -> Iterator[str]:
    for folder, inside, files in os.walk(root):
        here = Path(folder).relative_to(root)
        shown = [name for name in inside if not name.startswith(".") and name != "node_modules"]
        inside[:] = shown if len(here.parts) < DEPTH else []
        yield from (
            str(here / file) for file in files if "dockerfile" in file.lower() and file != ".dockerignore"
        )
