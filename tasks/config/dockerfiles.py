"""Where an image's Dockerfile and context are: as given, or by the usual places.

It looks at which files exist and reads none of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..errors import available, nearest

USUAL = ("docker/{name}", "services/{name}", "{name}")
DEPTH = 3
"""How many folders down Dockerfiles are looked for, to be named in a message."""


def locate(root: Path, name: str, dockerfile: str | None, context: str | None) -> tuple[str, str, str]:
    """Returns (Dockerfile, context, problem), both relative to `root`; the problem is "" if both are there."""
    if dockerfile is None:
        places = [] if context is None or is_remote(context) else [context]
        places += [place.format(name=name) for place in USUAL]
        looked = [str(PurePosixPath(place, "Dockerfile")) for place in places]
        dockerfile = next((file for file in looked if (root / file).is_file()), None)
        if dockerfile is None:
            return (
                "",
                "",
                f"no Dockerfile at {', '.join(looked)}. Write one, or set images.{name}.dockerfile.",
            )
    elif not (root / dockerfile).is_file():
        there = sorted(_dockerfiles(root))
        return (
            "",
            "",
            f"no Dockerfile {dockerfile} in {root}{nearest(dockerfile, there)}. {available('ones', there)}",
        )
    if context is None:
        context = str(PurePosixPath(dockerfile).parent)
    if not is_remote(context) and not (root / context).is_dir():
        return (
            dockerfile,
            context,
            f"no folder {context} in {root} to be the context{_nearest_folder(root, context)}",
        )
    return dockerfile, context, ""


def is_remote(context: str) -> bool:
    """Tells a URL or git address from a folder."""
    return "://" in context or context.startswith("git@")


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
