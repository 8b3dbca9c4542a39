"""build.lock: sorted, minimal, written whole, read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.config import lock
from tasks.errors import ConfigError

LOCK = lock.Lock(
    {
        "node:22": lock.Base("sha256:" + "b" * 64),
        "alpine:3": lock.Base("sha256:" + "c" * 64, onbuild=True),
        "python:3": lock.Base("sha256:" + "d" * 64, onbuild=True, fetching=True),
        "localhost:5000/x/y:1": lock.Base("sha256:" + "a" * 64),
    }
)


def test_it_reads_back_what_it_wrote(tmp_path: Path) -> None:
    lock.write(tmp_path, LOCK)
    assert lock.read(tmp_path) == LOCK


def test_references_stand_in_order() -> None:
    text = LOCK.text()
    assert text.index("c" * 64) < text.index("a" * 64) < text.index("b" * 64)


def test_none_is_an_empty_one(tmp_path: Path) -> None:
    assert lock.read(tmp_path).bases == {}


def test_a_lock_that_says_the_same_is_not_touched(tmp_path: Path) -> None:
    lock.write(tmp_path, LOCK)
    before = (tmp_path / "build.lock").stat().st_mtime_ns
    lock.write(tmp_path, LOCK)
    assert (tmp_path / "build.lock").stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == ["build.lock"]


@pytest.mark.parametrize("content", [b"<<<<<<< HEAD\n", b"\xff", None], ids=["merge", "bytes", "folder"])
def test_a_broken_one_is_an_error_that_says_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        (tmp_path / "build.lock").mkdir()
    else:
        (tmp_path / "build.lock").write_bytes(content)
    with pytest.raises(ConfigError, match="Restore it from git"):
        lock.read(tmp_path)
