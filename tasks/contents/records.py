"""What was built here before, remembered: the inputs behind each address, and which images are whole.

It serves reasons ("x changed") and spares questions; nothing is wrong without it, so what cannot be read is
taken as not remembered, and what cannot be written is not.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import writing
from ..planning.address import Address
from ..planning.caches import key
from ..planning.differing import changed
from . import state


def before(root: Path, image: str, platforms: Iterable[str]) -> dict[str, Address]:
    """Returns the addresses an image was last built at, by platform, with their inputs."""
    found: dict[str, Address] = {}
    for platform in platforms:
        record = read(_inputs(root, image, platform))
        with suppress(KeyError, TypeError):
            found[platform] = Address(record["digest"], record["inputs"], record["files"])
    return found


def remember(root: Path, image: str, addresses: Mapping[str, Address], dockerfile: str) -> None:
    """Remembers what an image was built from."""
    for platform, address in addresses.items():
        record = {
            "digest": address.digest,
            "inputs": dict(address.inputs),
            "files": dict(address.files),
            "times": {path: _time(root, path) for path in (*address.files, dockerfile)},
        }
        write(_inputs(root, image, platform), record)


def unseen(
    root: Path, image: str, old: Mapping[str, Address], new: Mapping[str, Address], dockerfile: str
) -> list[str]:
    """Returns the files that changed since the `old` addresses were built and kept their size and time of change.

    By these two BuildKit knows what to read anew (fsutil's comparison of metadata): it would build what it read then.
    """
    found: dict[str, None] = {}
    for platform, known in old.items():
        if paths := list(changed(known, new[platform], dockerfile)):
            times = read(_inputs(root, image, platform)).get("times") or {}
            found |= {path: None for path in paths if times.get(path) and times[path] == _time(root, path)}
    return list(found)


def whole(root: Path) -> dict[str, list[str]]:
    """Returns the platforms that are known to be really there, by image id."""
    return {key: list(value) for key, value in read(state.folder(root) / "whole.json").items()}


def remember_whole(root: Path, images: Mapping[str, Iterable[str]]) -> None:
    """Remembers that these images (by id) hold these platforms in full."""
    known = whole(root)
    added = {key: sorted(value) for key, value in images.items()}
    if added.items() <= known.items():
        return
    # The newest few thousand are plenty; an image that is forgotten is looked at again.
    write(state.folder(root) / "whole.json", dict(list((known | added).items())[-4000:]))


def _time(root: Path, path: str) -> list[int] | None:
    try:
        said = os.lstat(os.path.join(root, path))  # noqa: PTH118 - a hundred thousand of them
    except OSError:
        return None
    return [said.st_size, said.st_mtime_ns] if stat.S_ISREG(said.st_mode) else None


def _inputs(root: Path, image: str, platform: str) -> Path:
    return state.folder(root) / "inputs" / f"{key(image, platform)}.json"


def read(path: Path) -> dict[str, Any]:
    """Returns the table that a file holds, an empty one where there is none that can be read."""
    with suppress(OSError, ValueError):
        value = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        return value if isinstance(value, dict) else {}
    return {}


def write(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a table; where that cannot be, nothing is said."""
    with suppress(OSError):
        writing.write(path, json.dumps(value).encode(errors="surrogateescape"), sync=False)
