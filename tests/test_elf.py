"""What a program's header tells, on real programs of this machine and on headers of others."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import pytest

from tasks.evidence import elf, in_registry
from tasks.evidence.blobs import Blobs
from tasks.registries.registry import Remote
from tests import evidences
from tests.conftest import PrivateEngine


@pytest.mark.parametrize(
    ("number", "bits", "order", "name"),
    [
        (62, 2, 1, "amd64"),
        (183, 2, 1, "arm64"),
        (3, 1, 1, "386"),
        (40, 1, 1, "arm"),
        (22, 2, 2, "s390x"),
        (243, 2, 1, "riscv64"),
    ],
)
def test_the_machine_is_named_as_platforms_name_it(number: int, bits: int, order: int, name: str) -> None:
    assert elf.machine(evidences.elf(number, bits, order)) == name
    assert elf.runs_on(f"linux/{name}", name)
    assert elf.runs_on("linux/arm64/v8", name) == (name in {"arm64", "arm"})
    assert elf.runs_on("linux/amd64", name) == (name in {"amd64", "386"})


def test_what_is_no_program_has_no_machine() -> None:
    assert elf.machine(b"#!/bin/sh\necho hello there, you") is None
    assert elf.machine(b"\x7fELF") is None
    assert elf.machine(evidences.elf(kind=1)) is None, "an object file is never run"
    assert elf.machine(evidences.elf(247)) == "machine 247"
    assert elf.program(io.BytesIO(b"#!/bin/sh\n")) is None
    assert elf.program(io.BytesIO(evidences.elf())) is not None
    assert elf.program(io.BytesIO(evidences.elf()[:40])) is None


def test_a_program_of_this_machine_needs_libraries_and_a_library_does_too() -> None:
    with Path(sys.executable).resolve().open("rb") as file:
        python = elf.program(file)
    assert python
    assert not python.static


@pytest.mark.engine
def test_busybox_is_static_and_stripped_on_every_platform(engine: PrivateEngine, tmp_path: Path) -> None:
    for platform, machine in (("linux/amd64", "amd64"), ("linux/arm64", "arm64")):
        found = in_registry.evidence(
            Remote(engine.registry, {}), "library/busybox", "stable", platform, Blobs(tmp_path)
        )
        file = found.tree.find("/bin/busybox")
        assert file
        programs = [elf.program(content) for _, content in found.contents([file])]
        assert programs == [elf.Program(machine, static=True, stripped=True)]


def test_a_symbol_table_is_told() -> None:
    assert (found := elf.program(io.BytesIO(with_section(b".symtab"))))
    assert not found.stripped
    assert (found := elf.program(io.BytesIO(with_section(b".comment"))))
    assert found.stripped


def with_section(name: bytes) -> bytes:
    """A 64-bit program of a header and two sections: one of that name, and the names of sections."""
    names = b"\0" + name + b"\0.shstrtab\0"
    begin = 64 + len(names)
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, begin, 0, 64, 0, 0, 64, 3, 2)
    )
    kind = 2 if name == b".symtab" else 1
    sections = [
        (0,) * 10,
        (1, kind, 0, 0, 64, 0, 2, 0, 1, 24 if kind == 2 else 0),
        (2 + len(name), 3, 0, 0, 64, len(names), 0, 0, 1, 0),
    ]
    return head + names + b"".join(struct.pack("<IIQQQQIIQQ", *one) for one in sections)
