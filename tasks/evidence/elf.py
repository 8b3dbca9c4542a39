"""What a program's ELF header tells: which processor it is for, whether it needs libraries, what it still carries.

Knows bytes, not images. pyelftools reads all but the few bytes that every file of an image is asked for.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from dataclasses import dataclass
from typing import IO

MAGIC = b"\x7fELF"
_HEADER = 20
_IN_MEMORY = 16_000_000
_EXECUTABLE, _SHARED = 2, 3
# (e_machine, class, data) -> the architecture as platforms name it; System V ABI, chapter 4, and its supplements.
_MACHINES = {
    (3, 1, 1): "386",
    (62, 2, 1): "amd64",
    (40, 1, 1): "arm",
    (183, 2, 1): "arm64",
    (243, 2, 1): "riscv64",
    (258, 2, 1): "loong64",
    (21, 2, 1): "ppc64le",
    (22, 2, 2): "s390x",
    (8, 2, 1): "mips64le",
    (8, 1, 1): "mipsle",
}
_ALSO_RUNS = {"amd64": ("386",), "arm64": ("arm",)}
"""Processors that also run another's programs, as Linux distributions use them."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program or library.

    `static` needs no interpreter and no library; `stripped` has neither a symbol table nor debugging sections.
    """

    machine: str
    static: bool
    stripped: bool


def machine(head: bytes) -> str | None:
    """Returns the architecture of a program or library that begins with `head`; None for anything else.

    One that no platform is known for is named by its number.
    """
    if len(head) < _HEADER or not head.startswith(MAGIC):
        return None
    order = ">" if head[5] == 2 else "<"
    kind, number = struct.unpack(f"{order}HH", head[16:20])
    if kind not in {_EXECUTABLE, _SHARED}:
        return None
    return _MACHINES.get((number, head[4], head[5]), f"machine {number}")


def runs_on(platform: str, architecture: str) -> bool:
    """Tells whether a platform's processor runs programs of an architecture; a variant makes no difference."""
    own = platform.split("/")[1]
    return architecture == own or architecture in _ALSO_RUNS.get(own, ())


def program(content: IO[bytes]) -> Program | None:
    """Reads a program or library; None for anything else, and for one that is damaged."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile
    from elftools.elf.segments import InterpSegment

    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        head = content.read(_HEADER)
        architecture = machine(head)
        if architecture is None:
            return None
        file.write(head)
        shutil.copyfileobj(content, file, 1 << 20)
        file.seek(0)
        try:
            elf = ELFFile(file)
            needs = any(
                isinstance(segment, InterpSegment)
                or (
                    isinstance(segment, DynamicSegment)
                    and any(tag.entry.d_tag == "DT_NEEDED" for tag in segment.iter_tags())
                )
                for segment in elf.iter_segments()
            )
            carries = any(
                section.name == ".symtab" or section.name.startswith((".debug_", ".zdebug_"))
                for section in elf.iter_sections()
            )
        except (ELFError, struct.error, ValueError, KeyError, UnicodeDecodeError):
            return None
    return Program(architecture, static=not needs, stripped=not carries)
