"""Evidence of images that were never built: layers made by hand, a configuration as JSON."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tasks.evidence.configuration import Configuration
from tasks.evidence.evidence import Evidence, layers
from tests.layers import layer


def evidence(
    folder: Path,
    *steps: tuple[str, Sequence[tuple[tarfile.TarInfo, bytes]]],
    platform: str = "linux/amd64",
    config: Mapping[str, Any] | None = None,
) -> Evidence:
    """Returns evidence of an image made by these steps: each a history line, and its layer's members (or none)."""
    files = {
        f"sha256:{number:064x}": layer(folder, *members)
        for number, (_, members) in enumerate(steps)
        if members
    }
    history = [{"created_by": line, **({} if members else {"empty_layer": True})} for line, members in steps]
    system, architecture = platform.split("/")
    raw = {"os": system, "architecture": architecture, "config": dict(config or {}), "history": history}
    manifest = {"layers": [{"digest": digest, "mediaType": "tar", "size": 1} for digest in files]}
    configuration = Configuration.of(raw)
    return Evidence(
        "example/image@sha256:1", platform, "sha256:1", manifest, configuration, layers(manifest, configuration),
        lambda one: files[one.digest],
    )  # fmt: skip


def elf(machine: int = 62, bits: int = 2, order: int = 1, kind: int = 2) -> bytes:
    """The beginning of a program for a machine (System V ABI, chapter 4)."""
    ending: Literal["little", "big"] = "little" if order == 1 else "big"
    numbers = kind.to_bytes(2, ending) + machine.to_bytes(2, ending)
    return b"\x7fELF" + bytes([bits, order, 1]) + bytes(9) + numbers + bytes(44)
