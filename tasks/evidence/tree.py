"""Layers laid over each other: the files that a container sees. Pure; it knows no archive and no image.

Whiteouts and opaque folders act on the layers below only, whatever their place in the layer.
https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .entries import Entry

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_MOST_LINKS = 40  # as Linux: path_resolution(7)


@dataclass(frozen=True, slots=True)
class File:
    """One path of the merged image.

    `layer` is the layer it comes from, counted from the base; `target` is where a symbolic link leads; `source`
    is the path its content has in that layer (another one for a hard link); `head` is how its content begins.
    """

    path: str
    kind: Literal["file", "folder", "link", "device", "fifo"]
    mode: int
    uid: int
    gid: int
    size: int
    target: str
    layer: int
    source: str
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Tree:
    """All paths of an image, absolute and without links resolved."""

    files: Mapping[str, File]

    def __iter__(self) -> Iterator[File]:
        return iter(self.files.values())

    def find(self, path: str) -> File | None:
        """Returns what a container would find at a path, symbolic links followed as Linux does; None for nothing."""
        found = self._followed(path)
        return self.files.get(found) if found else None

    def _followed(self, path: str) -> str | None:
        waiting = [part for part in path.split("/") if part][::-1]
        here, links = "/", 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                here = posixpath.dirname(here)
                continue
            there = posixpath.join(here, part) if part != "." else here
            file = self.files.get(there)
            if file is None:
                return None
            if file.kind == "link":
                links += 1
                if links > _MOST_LINKS:
                    return None
                here = "/" if file.target.startswith("/") else here
                waiting += [piece for piece in file.target.split("/") if piece][::-1]
            else:
                here = there
        return here


def merged(layers: Iterable[Iterable[Entry]]) -> Tree:
    """Lays layers over each other, the base first."""
    files: dict[str, File] = {"/": _folder("/", 0)}
    for number, layer in enumerate(layers):
        gone: set[str] = set()
        emptied: set[str] = set()
        added: dict[str, File] = {}
        for entry in layer:
            folder, name = posixpath.split(entry.path)
            if name == _OPAQUE:
                emptied.add(folder)
            elif name.startswith(_WHITEOUT):
                gone.add(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
            else:
                added[entry.path] = _file(entry, number, added, files)
        # What is no folder takes the place of a folder with all that was in it.
        gone |= {p for p, new in added.items() if new.kind != "folder" and _is_folder(files.get(p))}
        if gone or emptied:
            files = {path: file for path, file in files.items() if not _hidden(path, gone, emptied)}
        for path, file in added.items():
            for above in _above(path):
                if above not in files and above not in added:
                    files[above] = _folder(above, number)
            files[path] = file
    return Tree(files)


def _file(entry: Entry, layer: int, added: Mapping[str, File], below: Mapping[str, File]) -> File:
    if entry.kind == "hard link":
        linked = added.get(entry.target) or below.get(entry.target)
        if linked is None:
            return File(entry.path, "file", entry.mode, entry.uid, entry.gid, 0, "", layer, entry.target)
        return File(
            entry.path, linked.kind, linked.mode, linked.uid, linked.gid, linked.size, linked.target,
            linked.layer, linked.source, linked.head,
        )  # fmt: skip
    return File(
        entry.path, entry.kind, entry.mode, entry.uid, entry.gid, entry.size, entry.target, layer, entry.path,
        entry.head,
    )  # fmt: skip


def _folder(path: str, layer: int) -> File:
    """A folder that no layer names is made by whoever unpacks it."""
    return File(path, "folder", 0o755, 0, 0, 0, "", layer, path)


def _is_folder(file: File | None) -> bool:
    return file is not None and file.kind == "folder"


def _hidden(path: str, gone: Collection[str], emptied: Collection[str]) -> bool:
    above = _above(path)
    return path in gone or any(one in gone or one in emptied for one in above)


def _above(path: str) -> list[str]:
    found = []
    while path != "/":
        path = posixpath.dirname(path)
        found.append(path)
    return found
