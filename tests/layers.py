"""Layers made by hand, as a builder would write them."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, mode: int = 0o644, **more: object):
    """One member of a layer: a file unless `kind` says otherwise."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode = kind, len(content), mode
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A layer of these members, uncompressed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def layer(folder: Path, *members: tuple[tarfile.TarInfo, bytes], compression: str = "gzip") -> Path:
    """Writes a layer and returns its file."""
    plain = packed(*members)
    path = folder / f"layer-{len(list(folder.iterdir()))}"
    if compression == "zstd":
        import zstandard

        plain = zstandard.ZstdCompressor().compress(plain)
    path.write_bytes(gzip.compress(plain) if compression == "gzip" else plain)
    return path
