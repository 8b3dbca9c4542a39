"""Blobs put aside: whole and verified or not there, read once, swept when there are too many."""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from tasks.errors import SurroundingsError
from tasks.evidence.blobs import Blobs


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def write(file: IO[bytes], content: bytes) -> None:
    file.write(content)


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    blobs, fetched = Blobs(tmp_path / "blobs"), []

    def fill(file: IO[bytes]) -> None:
        fetched.append(1)
        file.write(b"layer")

    for _ in range(3):
        assert blobs.fetch(digest(b"layer"), fill).read_bytes() == b"layer"
    assert len(fetched) == 1
    assert (tmp_path / "blobs").stat().st_mode & 0o077 == 0


def test_what_is_not_what_its_digest_promises_is_refused_and_not_kept(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    with pytest.raises(SurroundingsError, match="what was sent is not what was asked for"):
        blobs.fetch(digest(b"layer"), lambda file: file.write(b"lay"))
    assert not list((tmp_path / "blobs").iterdir())
    assert blobs.get(digest(b"layer")) is None


def test_an_interrupted_fetch_leaves_nothing(tmp_path: Path) -> None:
    def stopped(file: IO[bytes]) -> None:
        file.write(b"lay")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Blobs(tmp_path / "blobs").fetch(digest(b"layer"), stopped)
    assert not list((tmp_path / "blobs").iterdir())


def test_what_was_not_used_for_longest_goes_first_and_what_is_in_use_stays(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    contents = [bytes([number]) * 100 for number in range(4)]
    for number, content in enumerate(contents):
        path = blobs.fetch(digest(content), partial(write, content=content))
        os.utime(path, (number * 1000, number * 1000))
    assert blobs.get(digest(contents[0]))
    blobs.prune(250)
    assert [bool(blobs.get(digest(content))) for content in contents] == [True, False, False, True]
