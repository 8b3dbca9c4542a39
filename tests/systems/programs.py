"""How the programs begin that the stand-in toolchain writes: real static ELF files, made in no time by a shell script.

Such a program starts `/bin/sh -c SOURCE ARGUMENTS`; its source, a `main.sh`, stands behind what is made here. The
sources read $NAME and $VERSION, which `go build` and `cargo build` put in, and $COMPILED: how often cargo has run here.
"""

from __future__ import annotations

import struct
from pathlib import Path

SIZE = 0x4000
"""What is read of a program, source and all; `compile` makes none shorter."""
AT = 0x400000


def starts(folder: Path) -> Path:
    """Writes the beginnings into a folder, one for each processor, and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "start-amd64").write_bytes(_elf(62, 0x1000, _amd64()))
    (folder / "start-arm64").write_bytes(_elf(183, 0x10000, _arm64()))
    return folder


def _elf(machine: int, page: int, code: bytes) -> bytes:
    """A header with one segment that is read and run, and the code; the source follows."""
    header = 64 + 56
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    ehdr = ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, AT + header, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    phdr = struct.pack("<IIQQQQQQ", 1, 5, 0, AT, AT, SIZE, SIZE, page)
    return ehdr + phdr + code


_WORDS = b"/bin/sh\0-c\0"
# The code does execve("/bin/sh", {"/bin/sh", "-c", SOURCE, argv...}, environment): argc's place on the stack takes the
# source, two words are pushed before it, and what follows are the arguments as they came. SOURCE stands behind.


def _amd64() -> bytes:
    end = 44

    def lea(code: str, here: int, there: int) -> bytes:
        return bytes.fromhex(code) + struct.pack("<i", there - here - 7)

    return (
        bytes.fromhex("488b0c24 488d54cc10")  # rcx = argc; rdx = environment
        + lea("488d05", 9, end + 11)
        + bytes.fromhex("48890424")  # [rsp] = SOURCE
        + lea("488d05", 20, end + 8)
        + bytes.fromhex("50")  # push "-c"
        + lea("488d3d", 28, end)
        + bytes.fromhex("57 4889e6 6a3b58 0f05")  # push rdi, "/bin/sh"; rsi = rsp; execve
        + _WORDS
    )


def _arm64() -> bytes:
    end = 44

    def adr(register: int, here: int, there: int) -> int:
        offset = there - here
        return 0x10000000 | (offset & 3) << 29 | (offset >> 2) << 5 | register

    words = (
        0xF94003E9,  # ldr x9, [sp]            argc
        0x8B296FE2,  # add x2, sp, x9, uxtx #3
        0x91004042,  # add x2, x2, #16         environment
        adr(10, 12, end + 11),
        0xF90003EA,  # str x10, [sp]           SOURCE
        adr(10, 20, end + 8),  # "-c"
        adr(0, 24, end),  # "/bin/sh"
        0xA9BF2BE0,  # stp x0, x10, [sp, #-16]!
        0x910003E1,  # mov x1, sp
        0xD2801BA8,  # mov x8, #221            execve
        0xD4000001,  # svc #0
    )
    return struct.pack(f"<{len(words)}I", *words) + _WORDS
