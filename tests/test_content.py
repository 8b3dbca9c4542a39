"""What COPY and bind mounts take of a context. BuildKit's own word stands in test_content_buildkit.py."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.planning.content import Entry, Kind, Tree, copied, mounted


def entry(path: str, what: str) -> Entry:
    """An entry by its kind, `-> text` for a symlink, or the path of the file it is a hard link to."""
    if what.startswith("-> "):
        return Entry(path, "symlink", 0o777, "", what[3:])
    kinds: dict[str, Kind] = {"dir": "dir", "file": "file", "fifo": "fifo"}
    digest = "0" * 64 if what != "dir" else ""
    return Entry(path, kinds.get(what, "file"), 0o644, digest, "" if what in kinds else what)


def tree(**more: str) -> Tree:
    context = {
        "README.md": "file",
        "docs": "dir",
        "docs/api": "dir",
        "docs/api/a.md": "file",
        "docs/b.md": "file",
        "docs-old": "file",
        "docs.md": "file",
        "empty": "dir",
        "queue": "fifo",
        "src": "dir",
        "src/a.go": "file",
        "src/link": "-> ../docs/b.md",
        "to-docs": "-> docs",
        "to-api": "-> /to-docs/api",
        "odd": "-> docs/../src",
        "lost": "-> gone",
        "loop": "-> loop",
    }
    return Tree(tuple(sorted((entry(p, w) for p, w in (context | more).items()), key=lambda e: e.path)))


def taken(*sources: str, **more: str) -> list[str] | None:
    found = copied(tree(**more), sources)
    return None if found is None else [entry.path for entry in found]


ALL = [entry.path for entry in tree().entries]
DOCS = ["docs", "docs/api", "docs/api/a.md", "docs/b.md"]


@pytest.mark.parametrize(
    ("sources", "paths"),
    [
        (["README.md"], ["README.md"]),
        (["docs"], DOCS),
        (["/docs/"], DOCS),
        (["./src/../docs/."], DOCS),
        (["../docs"], DOCS),
        (["empty"], ["empty"]),
        (["queue"], ["queue"]),
        (["."], ALL),
        (["/"], ALL),
        ([".."], ALL),
        (["src", "README.md", "src/a.go"], ["README.md", "src", "src/a.go", "src/link"]),
        ([], []),
    ],
)
def test_paths(sources: Sequence[str], paths: list[str]) -> None:
    assert taken(*sources) == paths


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("*.md", ["README.md", "docs.md"]),
        ("docs*", ["docs", "docs-old", "docs.md", *DOCS[1:]]),
        ("d*/*.md", ["docs/b.md"]),
        ("docs/a*", ["docs/api", "docs/api/a.md"]),
        ("to-docs/*.md", ["docs/b.md", "to-docs"]),
        ("to-*/b.md", []),
        ("[q-r]*", ["queue"]),
        ("[^a-z]*", ["README.md"]),
        ("docs[^x]b.md", ["docs/b.md"]),
        ("none*", []),
        ("README.md/*", []),
        ("**/a.go", ["src/a.go"]),
        ("**", None),
        ("q*/../docs", DOCS),
    ],
)
def test_patterns(pattern: str, paths: list[str] | None) -> None:
    assert taken(pattern) == (sorted(paths) if paths is not None else None)


def test_symlinks_that_are_named_are_followed_and_are_part_of_it() -> None:
    assert taken("to-docs") == sorted(["to-docs", *DOCS])
    assert taken("to-api/a.md") == ["docs/api/a.md", "to-api", "to-docs"]
    assert taken("src/link") == ["docs/b.md", "src/link"]
    assert taken("t*-api") == sorted(["docs/api", "docs/api/a.md", "to-api", "to-docs"])


def test_symlinks_in_a_folder_are_taken_as_they_are() -> None:
    assert taken("src") == ["src", "src/a.go", "src/link"]


def test_retargeting_a_symlink_is_a_change() -> None:
    one = copied(tree(x="-> README.md", y="-> docs.md"), ["x", "y"])
    other = copied(tree(x="-> docs.md", y="-> README.md"), ["x", "y"])
    assert one != other


@pytest.mark.parametrize(
    "source",
    ["gone", "gone/*", "README.md/x", "lost", "loop", "odd", "l*", "[", "docs/[]a]", "https://example.com/a"],
)
def test_what_cannot_be_told_takes_the_whole_context(source: str) -> None:
    assert taken("README.md", source) is None
    if "*" not in source and "[" not in source:
        assert mounted(tree(), source) is None


def test_flags_that_change_what_is_taken() -> None:
    harmless = ["from", "chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"]
    assert copied(tree(), ["docs.md"], harmless) == copied(tree(), ["docs.md"])
    assert copied(tree(), ["docs.md"], ["parents"]) is None
    assert copied(tree(), ["docs.md"], ["a-flag-of-tomorrow"]) is None


def test_a_bind_mount_shows_a_folder_or_all() -> None:
    assert mounted(tree(), "") == mounted(tree(), ".") == mounted(tree(), "/") == tree().entries
    assert [e.path for e in mounted(tree(), "docs/api") or ()] == ["docs/api", "docs/api/a.md"]
    assert [e.path for e in mounted(tree(), "to-docs/b.md") or ()] == ["docs/b.md", "to-docs"]


def test_a_mount_knows_no_patterns() -> None:
    assert mounted(tree(), "*.md") is None
    assert mounted(tree(**{"[x]": "file"}), "[x]") == (entry("[x]", "file"),)


def test_hard_links_count_where_both_ends_are_taken() -> None:
    """Nothing outside of what is taken can say how it looks."""
    context = tree(**{"a": "file", "src/x": "a", "src/y": "a"})
    found = {e.path: e.link for e in copied(context, ["src"]) or ()}
    assert (found["src/x"], found["src/y"]) == ("", "src/x")
    assert [e.link for e in copied(context, ["src/y"]) or ()] == [""]
    assert [e.link for e in copied(context, ["a", "src/y"]) or ()] == ["", "a"]


def test_names_that_begin_alike_are_not_in_a_folder() -> None:
    assert [e.path for e in tree(**{"docs0": "file", "docs!": "file"}).below("docs")] == DOCS[1:]
    assert tree().get("docs") is not None
    assert tree().get("doc") is None
    assert Tree().get("a") is None
    assert Tree().below("") == ()


PATHS = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join)
LINKS = st.lists(st.sampled_from(["a", "b", "..", "."]), min_size=1, max_size=3).map("/".join)
SOURCES = st.lists(st.sampled_from(["a", "b", "*", "?", "[^a]*", "..", "**"]), min_size=1, max_size=3).map(
    "/".join
)


@given(st.dictionaries(PATHS, LINKS | st.none(), max_size=8), st.lists(SOURCES, max_size=3))
def test_what_is_taken_is_all_it_takes(things: dict[str, str | None], sources: list[str]) -> None:
    """A context of what was taken, and of all folders, gives the same again, or is taken whole."""
    folders = {path[:n] for path in things for n, char in enumerate(path) if char == "/"}
    entries = {path: entry(path, "dir") for path in folders}
    for path, link in things.items():
        if path not in folders:
            entries[path] = entry(path, "file" if link is None else f"-> {link}")
    context = Tree(tuple(entries[path] for path in sorted(entries)))
    first = copied(context, sources)
    if first is None:
        return
    kept = {e.path for e in first} | folders
    again = copied(Tree(tuple(e for e in context.entries if e.path in kept)), sources)
    # A pattern below a file takes nothing; without the file it is not understood.
    assert again in {first, None}
