"""What a container sees of layers: whiteouts, opaque folders, links, and every way layers are compressed."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tasks.errors import SurroundingsError
from tasks.evidence.entries import contents, entries
from tasks.evidence.tree import Tree, merged
from tests.layers import layer, member

FOLDER, LINK, HARD, FIFO = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE


def tree(*layers: Path) -> Tree:
    return merged(entries(one) for one in layers)


def paths(found: Tree) -> set[str]:
    return {file.path for file in found} - {"/"}


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_a_layer_is_read_however_it_is_compressed(tmp_path: Path, compression: str) -> None:
    made = layer(
        tmp_path,
        member("etc/", kind=FOLDER, mode=0o755),
        member("./etc/motd", b"hello\n", mode=0o4640, uid=1000, gid=991),
        member("etc/greeting", kind=LINK, linkname="motd"),
        compression=compression,
    )
    found = tree(made).files
    motd = found["/etc/motd"]
    assert (motd.kind, motd.mode, motd.uid, motd.gid, motd.size) == ("file", 0o4640, 1000, 991, 6)
    assert motd.head == b"hello\n"
    assert (found["/etc/greeting"].kind, found["/etc/greeting"].target) == ("link", "motd")
    assert [content.read() for entry, content in contents(made) if entry.kind == "file"] == [b"hello\n"]


def test_a_whiteout_hides_what_is_below_it_and_nothing_beside(tmp_path: Path) -> None:
    below = layer(tmp_path, member("x/a", b"a"), member("x/deep/er", b"e"), member("xy", b"y"))
    above = layer(tmp_path, member(".wh.x"))
    assert paths(tree(below, above)) == {"/xy"}


def test_a_whiteout_does_not_hide_what_its_own_layer_adds(tmp_path: Path) -> None:
    below = layer(tmp_path, member("x/a", b"a"))
    above = layer(tmp_path, member("x/a", b"new"), member("x/.wh.a"))
    assert tree(below, above).files["/x/a"].size == 3


def test_an_opaque_folder_hides_all_that_was_in_it(tmp_path: Path) -> None:
    below = layer(tmp_path, member("x/a", b"a"), member("x/deep/er", b"e"))
    above = layer(tmp_path, member("x/b", b"b"), member("x/.wh..wh..opq"))
    assert paths(tree(below, above)) == {"/x", "/x/b"}


def test_a_file_takes_the_place_of_a_folder_and_back(tmp_path: Path) -> None:
    first = layer(tmp_path, member("x/a", b"a"))
    second = layer(tmp_path, member("x", b"a file"))
    third = layer(tmp_path, member("x/", kind=FOLDER), member("x/b", b"b"))
    assert paths(tree(first, second)) == {"/x"}
    assert paths(tree(first, second, third)) == {"/x", "/x/b"}


def test_a_folder_s_later_mode_is_the_one_that_counts_and_its_files_stay(tmp_path: Path) -> None:
    below = layer(tmp_path, member("x/", kind=FOLDER, mode=0o755), member("x/a", b"a"))
    above = layer(tmp_path, member("x/", kind=FOLDER, mode=0o700, uid=5))
    found = tree(below, above).files
    assert (found["/x"].mode, found["/x"].uid, found["/x"].layer) == (0o700, 5, 1)
    assert found["/x/a"].layer == 0


def test_hard_links_have_the_content_of_what_they_link_to_even_if_that_goes(tmp_path: Path) -> None:
    below = layer(tmp_path, member("a", b"aa", mode=0o755), member("b", kind=HARD, linkname="a"))
    above = layer(tmp_path, member(".wh.a"))
    found = tree(below, above).files
    assert (found["/b"].kind, found["/b"].size, found["/b"].mode) == ("file", 2, 0o755)
    assert (found["/b"].layer, found["/b"].source) == (0, "/a")


def test_links_are_followed_as_linux_does(tmp_path: Path) -> None:
    found = tree(
        layer(
            tmp_path,
            member("usr/bin/tool", b"t"),
            member("bin", kind=LINK, linkname="usr/bin"),
            member("sh", kind=LINK, linkname="/bin/./tool"),
            member("usr/up", kind=LINK, linkname="../sh"),
            member("loop", kind=LINK, linkname="loop"),
            member("nowhere", kind=LINK, linkname="/not/there"),
            member("pipe", kind=FIFO),
        )
    )
    for path in ("/usr/bin/tool", "/bin/tool", "/sh", "/usr/up", "/../bin/../bin/tool"):
        assert (where := found.find(path)), path
        assert where.path == "/usr/bin/tool"
    assert found.find("/loop") is found.find("/nowhere") is found.find("/not") is None
    assert (pipe := found.find("/pipe"))
    assert pipe.kind == "fifo"


@pytest.mark.parametrize("content", [b"no layer at all" * 100, b"\x1f\x8bbroken", b"\x28\xb5\x2f\xfdbroken"])
def test_what_is_no_layer_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "layer").write_bytes(content)
    with pytest.raises(SurroundingsError, match="the layer layer cannot be read"):
        list(entries(tmp_path / "layer"))


def test_a_layer_that_breaks_off_is_no_layer(tmp_path: Path) -> None:
    whole = layer(tmp_path, member("a", bytes(range(256)) * 100)).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SurroundingsError, match="cannot be read"):
        list(entries(tmp_path / "cut"))
