"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.errors import SurroundingsError
from tasks.writing import write, write_all


@pytest.mark.parametrize("sync", [True, False])
def test_a_file_takes_the_place_of_the_old_one_and_nothing_is_left_beside_it(
    tmp_path: Path, *, sync: bool
) -> None:
    path = tmp_path / "new folder" / "build.lock"
    for content in (b"one", b"two"):
        write(path, content, sync=sync)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_whoever_reads_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    write(path, b"old")
    with path.open("rb") as reader:
        write(path, b"something new")
        assert reader.read() == b"old"


def test_what_cannot_take_its_place_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="taken"):
        write(path, b"text")
    assert list(tmp_path.iterdir()) == [path]


def test_of_several_files_all_are_written_with_their_modes_or_none(tmp_path: Path) -> None:
    first, second = tmp_path / "pom.xml", tmp_path / "run.sh"
    first.write_text("1")
    second.write_text("1")
    second.chmod(0o755)
    write_all({first: "2", second: "2"})
    assert (first.read_text(), second.read_text()) == ("2", "2")
    assert second.stat().st_mode & 0o777 == 0o755
    with pytest.raises(SurroundingsError, match=r"gone cannot be written: .*Nothing was changed"):
        write_all({first: "3", tmp_path / "gone": "3"})
    assert first.read_text() == "2"
    assert sorted(tmp_path.iterdir()) == [first, second]
