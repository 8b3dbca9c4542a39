"""What an image is on one platform: manifest, configuration, layers, and the files a container sees.

Configuration and layers are there at once; files and their contents are read when they are asked for, layer by
layer, with bounded memory. It does not know where the layers come from, nor what should be in them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from . import entries as reading
from .configuration import Configuration, Step
from .entries import Entry
from .tree import File, Tree, merged

READ = 1_000_000
"""Bytes of one file that are read at most."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: `created_by` is the history line that made it."""

    digest: str
    created_by: str


@dataclass(frozen=True)
class Evidence:
    """One image on one platform. `digest` is that of the platform's manifest, never an index's.

    `fetch` returns a layer's file on this disk.
    """

    reference: str
    platform: str
    digest: str
    manifest: Mapping[str, Any]
    configuration: Configuration
    layers: tuple[Layer, ...]
    fetch: Callable[[Layer], Path] = field(repr=False, compare=False)

    @cached_property
    def entries(self) -> tuple[tuple[Entry, ...], ...]:
        """What each layer holds, whiteouts included, the base first."""
        return tuple(tuple(reading.entries(self.fetch(layer))) for layer in self.layers)

    @cached_property
    def tree(self) -> Tree:
        """The files a container sees."""
        return merged(self.entries)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Bytes of content each layer adds, uncompressed; the same wherever the image is kept."""
        return tuple(sum(entry.size for entry in layer) for layer in self.entries)

    def read(self, path: str, most: int = READ) -> bytes | None:
        """Returns the beginning of the file that a container finds at `path`; None where there is no such file."""
        file = self.tree.find(path)
        if file is None or file.kind != "file":
            return None
        return next((content.read(most) for _, content in self.contents([file])), b"")

    def contents(self, files: Collection[File]) -> Iterator[tuple[File, IO[bytes]]]:
        """Returns files of the tree, each with its content, in the layers' order: every layer is read once.

        A content can be read until the next is asked for. Of several hard links to one content the first is returned.
        """
        wanted: dict[int, dict[str, File]] = {}
        for file in files:
            if file.kind == "file":
                wanted.setdefault(file.layer, {}).setdefault(file.source, file)
        for number in sorted(wanted):
            left = wanted[number]
            for entry, content in reading.contents(self.fetch(self.layers[number])):
                if entry.kind == "file" and entry.path in left:
                    yield left.pop(entry.path), content
                if not left:
                    break

    def everything(self) -> Iterator[tuple[Layer, Entry, IO[bytes]]]:
        """Returns every entry of every layer with its content: also what a later layer hides."""
        for layer in self.layers:
            for entry, content in reading.contents(self.fetch(layer)):
                yield layer, entry, content


def layers(manifest: Mapping[str, Any], configuration: Configuration) -> tuple[Layer, ...]:
    """Returns a manifest's layers, each with the step of the history that made it."""
    made = itertools.chain(
        (step for step in configuration.history if step.has_layer), itertools.repeat(Step("", has_layer=True))
    )
    return tuple(
        Layer(str(one["digest"]), step.created_by)
        for one, step in zip(manifest.get("layers") or (), made, strict=False)
    )
