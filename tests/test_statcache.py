"""The memory of files' contents: what it may say, and what it must not."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.contents.statcache import RACY, StatCache
from tests.scenario import ROOT

DIGEST = hashlib.sha256(b"text").digest()
LATER = RACY + 1_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"text")
    return path


def remembering(store: Path, file: Path, *, began: int | None = None) -> StatCache:
    """A cache that was told of a file, as if it had been read long after its last change."""
    cache = StatCache(store)
    stat = file.stat()
    cache.put(stat, DIGEST, xattrs=False, began=began or stat.st_ctime_ns + LATER)
    return cache


def test_it_remembers_across_runs(tmp_path: Path, file: Path) -> None:
    remembering(tmp_path / "store", file).save()
    assert StatCache(tmp_path / "store").get(file.stat()) == (DIGEST, False)


def test_it_remembers_whether_there_were_attributes(tmp_path: Path, file: Path) -> None:
    cache = StatCache(tmp_path / "store")
    cache.put(file.stat(), DIGEST, xattrs=True, began=time.time_ns() + LATER)
    cache.save()
    assert StatCache(tmp_path / "store").get(file.stat()) == (DIGEST, True)


def test_every_change_makes_it_another_file(tmp_path: Path, file: Path) -> None:
    cache = remembering(tmp_path / "store", file)
    before = file.stat()
    file.write_bytes(b"tixt")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert cache.get(file.stat()) is None

    cache = remembering(tmp_path / "store", file)
    file.chmod(0o755)
    assert cache.get(file.stat()) is None

    cache = remembering(tmp_path / "store", file)
    (tmp_path / "new").write_bytes(b"text")
    (tmp_path / "new").replace(file)
    assert cache.get(file.stat()) is None


def test_what_changed_a_moment_ago_is_not_remembered(tmp_path: Path, file: Path) -> None:
    """A second write within one tick of the file system's clock would go unseen."""
    changed = file.stat().st_ctime_ns
    assert remembering(tmp_path / "store", file, began=changed + RACY).get(file.stat()) is None
    assert remembering(tmp_path / "store", file, began=changed + LATER).get(file.stat()) is not None


def test_a_file_from_the_future_is_not_remembered(tmp_path: Path, file: Path) -> None:
    ahead = time.time_ns() + 10**12
    os.utime(file, ns=(ahead, ahead))
    assert remembering(tmp_path / "store", file, began=time.time_ns() + LATER).get(file.stat()) is None


@pytest.mark.parametrize("year", [1900, 2400])
def test_times_out_of_the_ordinary(tmp_path: Path, file: Path, year: int) -> None:
    seconds = (year - 1970) * 31_556_952
    os.utime(file, (seconds, seconds))
    remembering(tmp_path / "store", file).save()
    assert (StatCache(tmp_path / "store").get(file.stat()) is not None) == (year < 2000)


def test_a_broken_store_is_an_empty_one(tmp_path: Path, file: Path) -> None:
    store = tmp_path / "store"
    remembering(store, file).save()
    whole = store.read_bytes()
    flipped = bytes([*whole[:-40], whole[-40] ^ 1, *whole[-39:]])
    for bad in (b"", b"{}", whole[:10], whole[:-1], whole + b"x", flipped, b"other" + whole):
        store.write_bytes(bad)
        assert StatCache(store).get(file.stat()) is None
        remembering(store, file).save()
        assert StatCache(store).get(file.stat()) == (DIGEST, False)


def test_nothing_is_written_where_nothing_is_new(tmp_path: Path, file: Path) -> None:
    store = tmp_path / "store"
    StatCache(store).save()
    assert not store.exists()
    remembering(store, file).save()
    before = store.stat()
    again = StatCache(store)
    assert again.get(file.stat())
    again.save()
    assert store.stat() == before


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path, file: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    remembering(tmp_path / "taken" / "store", file).save()
    (tmp_path / "folder").mkdir()
    remembering(tmp_path / "folder", file).save()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "taken"]


def test_what_nobody_asks_for_is_forgotten(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, day, now = tmp_path / "store", 86_400, time.time()
    other = tmp_path / "other"
    other.write_bytes(b"text")
    cache = remembering(store, file)
    cache.put(other.stat(), DIGEST, xattrs=False, began=time.time_ns() + LATER)
    cache.save()
    for days in (20, 40):
        monkeypatch.setattr(time, "time", lambda days=days: now + days * day)
        later = StatCache(store)
        assert later.get(file.stat())
        later.save()
    monkeypatch.undo()
    assert StatCache(store).get(file.stat())
    assert StatCache(store).get(other.stat()) is None


WRITER = """
import os, sys, time
from pathlib import Path
from tasks.contents.statcache import StatCache
store, folder = Path(sys.argv[1]), Path(sys.argv[2])
for turn in range(30):
    cache = StatCache(store)
    for path in folder.iterdir():
        cache.put(path.stat(), bytes([turn]) * 32, xattrs=False, began=time.time_ns() + 10**12)
    cache.save()
"""


def test_two_processes_can_save_at_once(tmp_path: Path) -> None:
    folder, store = tmp_path / "files", tmp_path / "state" / "store"
    folder.mkdir()
    for number in range(500):
        (folder / str(number)).write_text("x")
    command = [sys.executable, "-c", WRITER, str(store), str(folder)]
    writers = [subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}) for _ in range(2)]
    seen = []
    while any(writer.poll() is None for writer in writers):
        if store.exists():
            cache = StatCache(store)
            seen.append({cache.get(path.stat()) for path in folder.iterdir()})
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [digests for digests in seen if len(digests) != 1 or None in digests] == []
    assert [path.name for path in store.parent.iterdir()] == ["store"]
