"""One layer, read from its first byte to its last: its entries, and the content of those that are wanted.

Knows tar and how layers are compressed (by their first bytes, whatever their media type says), nothing of images
or of other layers. Nothing is unpacked, and no more than a block is held in memory.
https://github.com/opencontainers/image-spec/blob/main/layer.md
"""

from __future__ import annotations

import contextlib
import gzip
import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from ..errors import SurroundingsError

Kind = Literal["file", "folder", "link", "hard link", "device", "fifo"]
HEAD = 64
"""Bytes of every file that are kept with its entry: enough to tell what it is."""
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a layer: `path` is absolute, `target` that of a symbolic or hard link, `size` in bytes."""

    path: str
    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int = 0
    target: str = ""
    head: bytes = b""


def entries(layer: Path) -> Iterator[Entry]:
    """Returns a layer's entries in its own order, whiteouts (`.wh.…`) as the files they are."""
    for entry, content in contents(layer):
        if entry.kind == "file" and entry.size:
            yield Entry(
                entry.path, "file", entry.mode, entry.uid, entry.gid, entry.size, head=content.read(HEAD)
            )
        else:
            yield entry


def contents(layer: Path) -> Iterator[tuple[Entry, IO[bytes]]]:
    """Returns a layer's entries, each with its content, which can be read until the next entry is asked for.

    Raises SurroundingsError for what is no layer.
    """
    try:
        with layer.open("rb") as raw, opened(raw) as plain:
            for member, content in members(plain):
                yield _entry(member), content
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise SurroundingsError(f"the layer {layer.name} cannot be read: {error}") from error


def members(stream: IO[bytes]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Returns an archive's members as they come, each with its content: empty for what is no file."""
    nothing = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        kept: list[tarfile.TarInfo] = archive.__dict__["members"]
        while (member := archive.next()) is not None:
            # A stream is never gone back in, and a layer may have a million members: none is kept.
            kept.clear()
            yield member, (archive.extractfile(member) if member.isreg() else None) or nothing


@contextlib.contextmanager
def opened(raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """Returns what a layer holds beneath its compression: gzip, zstd or none."""
    start = raw.read(4)
    raw.seek(0)
    if start.startswith(_GZIP):
        with gzip.GzipFile(fileobj=raw) as plain:
            yield cast("IO[bytes]", plain)
    elif start == _ZSTD:
        import zstandard

        frames = zstandard.ZstdDecompressor()
        try:
            with frames.stream_reader(raw, read_across_frames=True, closefd=False) as plain:
                yield cast("IO[bytes]", plain)
        except zstandard.ZstdError as error:
            raise ValueError(error) from None
    else:
        yield raw


def _entry(member: tarfile.TarInfo) -> Entry:
    kind: Kind = "device"
    if member.isreg():
        kind = "file"
    elif member.isdir():
        kind = "folder"
    elif member.issym():
        kind = "link"
    elif member.islnk():
        kind = "hard link"
    elif member.isfifo():
        kind = "fifo"
    target = _absolute(member.linkname) if kind == "hard link" else member.linkname
    size = member.size if kind == "file" else 0
    return Entry(_absolute(member.name), kind, member.mode & 0o7777, member.uid, member.gid, size, target)


def _absolute(name: str) -> str:
    return posixpath.normpath(f"/{name.lstrip('/')}")
