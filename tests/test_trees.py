"""Reading build contexts: entries as BuildKit is sent them, and contents that are never stale."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tasks.contents.statcache import RACY, StatCache
from tasks.contents.trees import UNREADABLE, outline, rules, tree
from tasks.errors import ConfigError
from tasks.planning.content import Entry, copied
from tasks.planning.ignore import Rules, read

NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "context").mkdir()
    return tmp_path / "context"


@pytest.fixture
def cache(tmp_path: Path) -> StatCache:
    return StatCache(tmp_path / "state" / "contents")


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def aged(root: Path) -> None:
    """Waits until no file counts as just changed."""
    newest = max(path.lstat().st_ctime_ns for path in root.rglob("*"))
    time.sleep(max(0, newest + RACY - time.time_ns()) / 1e9 + 0.05)


def at(entries: Sequence[Entry], path: str) -> Entry:
    return next(entry for entry in entries if entry.path == path)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_files_have_the_sha256_of_their_bytes(root: Path, cache: StatCache) -> None:
    write(root, "a", "b/c")
    (root / "empty").write_bytes(b"")
    big = os.urandom(3_000_000)
    (root / "big").write_bytes(big)
    found = {entry.path: entry.digest for entry in tree(root, Rules(), cache).entries}
    assert found == {
        "a": sha("a"),
        "b": "",
        "b/c": sha("b/c"),
        "big": hashlib.sha256(big).hexdigest(),
        "empty": sha(""),
    }


def test_every_kind_of_entry(root: Path, cache: StatCache) -> None:
    write(root, "file", "folder/x")
    (root / "link").symlink_to("folder//x")
    os.mkfifo(root / "queue")
    with socket.socket(socket.AF_UNIX) as server:
        where = os.getcwd()  # noqa: PTH109 - a socket's path must be short
        os.chdir(root)
        server.bind("socket")
        os.chdir(where)
    entries = tree(root, Rules(), cache).entries
    kinds = {entry.path: (entry.kind, entry.link) for entry in entries}
    assert kinds == {
        "file": ("file", ""),
        "folder": ("dir", ""),
        "folder/x": ("file", ""),
        "link": ("symlink", "folder//x"),
        "queue": ("fifo", ""),
        "socket": ("socket", ""),
    }
    assert [entry.path for entry in entries] == sorted(kinds)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_devices_have_their_numbers(root: Path, cache: StatCache) -> None:
    os.mknod(root / "null", 0o20600, os.makedev(1, 3))
    assert tree(root, Rules(), cache).entries == (Entry("null", "device", 0o600, "", "c 1:3"),)


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o4755, 0o600])
def test_modes_are_whole(root: Path, cache: StatCache, mode: int) -> None:
    write(root, "a")
    (root / "a").chmod(mode)
    (root / "b").mkdir()
    (root / "b").chmod(0o1777)
    assert [entry.mode for entry in tree(root, Rules(), cache).entries] == [mode, 0o1777]


def test_hard_links_name_the_first_of_them(root: Path, tmp_path: Path, cache: StatCache) -> None:
    write(root, "b/one", "single")
    os.link(root / "b/one", root / "a-two")
    os.link(root / "b/one", root / "c-three")
    os.link(root / "single", tmp_path / "elsewhere")
    links = {entry.path: entry.link for entry in tree(root, Rules(), cache).entries}
    assert links == {"a-two": "", "b": "", "b/one": "a-two", "c-three": "a-two", "single": ""}


def test_what_is_ignored_is_not_there(root: Path, cache: StatCache) -> None:
    write(root, "a/b/keep", "a/b/lose", "a/lose", "c/d", "e")
    found = tree(root, read("*\n!a/b/keep\n!e"), cache)
    assert [entry.path for entry in found.entries] == ["a", "a/b", "a/b/keep", "e"]


def test_a_folder_that_is_left_out_is_not_even_read(root: Path, cache: StatCache) -> None:
    """A million files in node_modules cost nothing."""
    write(root, "skipped/a", "kept/a")
    (root / "skipped").chmod(0)
    found = outline(root, read("skipped"), cache)
    assert [entry.path for entry in found.tree.entries] == ["kept", "kept/a"]
    (root / "skipped").chmod(0o755)


def test_attributes_count_as_buildkit_counts_them(root: Path, cache: StatCache) -> None:
    write(root, "a", "b/c")
    try:
        os.setxattr(root / "a", "user.note", b"1")
        os.setxattr(root / "b", "user.note", b"1")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    first = tree(root, Rules(), cache)
    assert first.entries[0].xattrs == first.entries[1].xattrs != ""
    assert first.entries[2].xattrs == ""
    os.setxattr(root / "a", "user.note", b"2")
    assert at(tree(root, Rules(), cache).entries, "a").xattrs not in {"", first.entries[0].xattrs}


def test_a_second_run_knows_what_the_first_has_read(root: Path, tmp_path: Path) -> None:
    write(root, "a", "b/c")
    try:
        os.setxattr(root / "a", "user.note", b"1")
    except OSError:
        (root / "b").touch()
    aged(root)
    cache = StatCache(tmp_path / "store")
    first = tree(root, Rules(), cache)
    cache.save()
    known = outline(root, Rules(), StatCache(tmp_path / "store"))
    assert known.stats == {}
    assert known.tree == first


def test_what_was_just_written_is_read_again(root: Path, tmp_path: Path) -> None:
    write(root, "a")
    cache = StatCache(tmp_path / "store")
    tree(root, Rules(), cache)
    assert list(outline(root, Rules(), cache).stats) == ["a"]


def test_a_change_that_keeps_size_and_mtime_is_seen(root: Path, cache: StatCache) -> None:
    write(root, "a")
    before = (root / "a").stat()
    for text in "bcde":
        (root / "a").write_text(text)
        os.utime(root / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert tree(root, Rules(), cache).entries[0].digest == sha(text)


def test_only_what_is_taken_is_read(root: Path, cache: StatCache) -> None:
    write(root, "src/a", "huge/b", "c")
    found = outline(root, Rules(), cache)
    taken = copied(found.tree, ["src"])
    assert taken is not None
    assert [entry.digest for entry in found.filled(taken, cache)] == ["", sha("src/a")]
    assert at(found.tree.entries, "huge/b").digest == ""


def test_a_file_that_is_gone_or_closed_is_unreadable(root: Path, cache: StatCache) -> None:
    write(root, "a", "b")
    found = outline(root, Rules(), cache)
    (root / "a").unlink()
    assert [entry.digest for entry in found.filled(found.tree.entries, cache)] == [UNREADABLE, sha("b")]


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder in which a user without rights of his own looks around."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        if os.geteuid() == NOBODY:
            os.seteuid(0)


def test_what_cannot_be_read_is_an_entry_that_says_so(as_nobody: Path, cache: StatCache) -> None:
    write(as_nobody, "closed/a", "listed/b", "open/c", "secret")
    for path, mode in {"closed": 0o700, "listed": 0o744, "secret": 0o600}.items():
        (as_nobody / path).chmod(mode)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    else:
        (as_nobody / "closed").chmod(0)
        (as_nobody / "listed").chmod(0o400)
        (as_nobody / "secret").chmod(0)
    found = {entry.path: entry.digest for entry in tree(as_nobody, Rules(), cache).entries}
    assert found == {
        "closed": UNREADABLE,
        "listed": "",
        "listed/b": UNREADABLE,
        "open": "",
        "open/c": sha("open/c"),
        "secret": UNREADABLE,
    }
    assert [entry.path for entry in tree(as_nobody, read("closed\nlisted\nsecret"), cache).entries] == [
        "open",
        "open/c",
    ]


@pytest.mark.parametrize("name", ["gone", "file"])
def test_a_context_that_is_no_folder_is_refused(root: Path, cache: StatCache, name: str) -> None:
    write(root, "file")
    with pytest.raises(ConfigError, match=f"{name}: no folder that can be read"):
        tree(root / name, Rules(), cache)


def test_a_context_may_be_reached_through_a_symlink(root: Path, tmp_path: Path, cache: StatCache) -> None:
    write(root, "a")
    (tmp_path / "other").symlink_to("context")
    assert tree(tmp_path / "other", Rules(), cache) == tree(root, Rules(), cache)


def test_names_that_are_not_utf8(root: Path, cache: StatCache) -> None:
    name = os.fsdecode(b"caf\xe9")
    write(root, "a")
    (root / name).write_text("x")
    (root / ".dockerignore").write_bytes(b"caf\xe9\n")
    assert [e.path for e in tree(root, Rules(), cache).entries] == [".dockerignore", "a", name]
    assert [e.path for e in tree(root, rules(root, "."), cache).entries] == [".dockerignore", "a"]


def test_a_dockerfiles_own_ignore_file_comes_first(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/.dockerignore").write_text("a")
    assert rules(tmp_path, "app", "docker/x.Dockerfile").excludes("a")
    write(tmp_path, "docker/x.Dockerfile.dockerignore")
    (tmp_path / "docker/x.Dockerfile.dockerignore").write_text("b")
    assert rules(tmp_path, "app", "docker/x.Dockerfile").excludes("b")
    assert not rules(tmp_path, "app", "docker/x.Dockerfile").excludes("a")
    assert rules(tmp_path, "app").excludes("a")
    assert not rules(tmp_path, "docker").excludes("a")


def test_an_ignore_file_that_leads_out_of_its_folder_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "common").write_text("a")
    (tmp_path / "app/.dockerignore").symlink_to("../common")
    assert not rules(tmp_path, "app").excludes("a")
    (tmp_path / "app/common").write_text("b")
    assert rules(tmp_path, "app").excludes("b")


def test_a_refused_ignore_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/.dockerignore").write_text("a\n!\n")
    with pytest.raises(ConfigError, match=r"app/\.dockerignore:2: ! is no pattern"):
        rules(tmp_path, "app")
