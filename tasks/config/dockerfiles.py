"""Where an image's Dockerfile and context are: as given, or by the usual places.

It looks at which files exist and reads none of them.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

USUAL = ("docker/{name}", "services/{name}", "{name}")


def locate(root: Path, name: str, dockerfile: str | None, context: str | None) -> tuple[str, str, str]:
    """Returns (Dockerfile, context, problem), both paths relative to `root`; the problem is "" if they exist."""
    if dockerfile is None:
        places = [f"{context}/Dockerfile"] if context and not is_remote(context) else []
        places += [f"{place.format(name=name)}/Dockerfile" for place in USUAL]
        places = [str(PurePosixPath(place)) for place in places]
        dockerfile = next((place for place in places if (root / place).is_file()), None)
        if dockerfile is None:
            looked = ", ".join(places)
            return (
                "",
                "",
                f"no Dockerfile for image {name}: looked for {looked}. Set images.{name}.dockerfile.",
            )
    elif not (root / dockerfile).is_file():
        there = ", ".join(_nearby(root, dockerfile)) or "none"
        return (
            "",
            "",
            (
                f"{dockerfile} not found (image {name}); paths are relative to {root}. Dockerfiles there: {there}."
            ),
        )
    if context is None:
        context = str(PurePosixPath(dockerfile).parent)
    if not is_remote(context) and not (root / context).is_dir():
        return "", "", f"context {context} is no folder (image {name}); paths are relative to {root}"
    return dockerfile, context, ""


def is_remote(context: str) -> bool:
    """Tells a URL or git address from a folder."""
    return "://" in context or context.startswith("git@")


def _nearby(root: Path, wanted: str, limit: int = 8) -> list[str]:
    """Returns Dockerfiles up to three folders deep, for the message that one is not where it should be."""
    found: list[str] = []
    for folder, subfolders, files in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        subfolders[:] = (
            sorted(s for s in subfolders if not s.startswith(".") and s != "node_modules")
            if depth < 3
            else []
        )
        found += [
            str((Path(folder) / file).relative_to(root)) for file in sorted(files) if "ockerfile" in file
        ]
    word = PurePosixPath(wanted).name
    return sorted(found, key=lambda path: PurePosixPath(path).name != word)[:limit]
