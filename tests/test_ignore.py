"""Docker's ignore rules, path by path. What BuildKit really sends is compared in test_content_buildkit.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import ConfigError
from tasks.planning.ignore import ignore_files, read

# (ignore file, paths it leaves out, paths it keeps)
RULES = [
    # A pattern is rooted, and takes all below what it matches.
    ("foo", "foo foo/a foo/a/b", "foobar x/foo afoo"),
    ("*.log", "a.log .log", "x/a.log a.logs"),
    ("docs/", "docs docs/a", "x/docs"),
    ("/docs", "docs docs/a", "x/docs"),
    ("./docs/../src//lib/", "src/lib src/lib/a", "src docs"),
    ("*/*", "a/b a/b/c", "a"),
    ("a?", "ab ab/c", "a abc a/b"),
    ("src/*", "src/a src/a/b", "src"),
    ("*", "a a/b .hidden", ""),
    (".", "", "a a/b"),
    ("/", "", "a a/b"),
    ("..", "", "a a/b"),
    ("../a", "", "a"),
    # Two stars.
    ("**", "a a/b", ""),
    ("**/foo", "foo x/foo x/y/foo x/foo/z", "xfoo x/foobar"),
    ("**foo", "foo xfoo x/yfoo", "foox"),
    ("**/*.md", "a.md x/a.md x/y/a.md", "a.mdx"),
    ("foo/**", "foo/a foo/a/b", "foo foobar"),
    ("foo**", "foo foobar foo/a", "fo"),
    ("foo/**/bar", "foo/bar foo/x/bar foo/x/y/bar/z", "foobar bar"),
    ("**/a/**", "x/a/b a/b", "a x/a"),
    ("**/x/**/y", "x/y a/x/b/c/y", "x y"),
    # The last match wins, and exceptions reach into folders that are left out.
    ("*.md\n!README.md", "a.md", "README.md"),
    ("!README.md\n*.md", "README.md", "a.txt"),
    ("*\n!src", "a docs/a", "src src/a"),
    ("*\n!src/lib", "src src/a", "src/lib src/lib/a"),
    ("docs\n!docs/README.md", "docs docs/a", "docs/README.md"),
    ("**\n!**/*.go", "a x/a.c", "a.go x/y/a.go"),
    ("*\n!a/**/b", "a/c x", "a/b a/x/b"),
    ("foo\n!foo/bar\nfoo/bar/x", "foo/a foo/bar/x", "foo/bar foo/bar/y"),
    ("*\n!foo/*\nfoo/bar", "foo foo/bar foo/bar/x", "foo/a"),
    ("*\n! src\n!/lib", "a", "src lib"),
    ("*\n/!src\n./!lib", "a", "src lib"),
    # An exception that changes nothing for a folder is not remembered below it.
    ("x/y\n!x", "x/y x/y/z", "x x/a"),
    ("x\n!x/y\n!x", "", "x x/y x/z"),
    # Lines.
    ("# foo\nfoo\n#bar", "foo", "bar #bar"),
    (" #foo", "#foo", "foo"),
    ("  foo \t\r\n\x0bbar\x0c\r\n\r\n", "foo bar", ""),
    ("\ufefffoo\n\ufeffbar", "foo \ufeffbar", "bar"),
    ("\ufeff# foo", "", "foo"),
    ("\u00a0foo\u2003\n\u0085bar\n\x1cbaz", "foo bar \x1cbaz", "baz"),
    ("", "", "a"),
    # Escapes, classes, and what is no wildcard.
    ("\\!foo", "!foo", "foo"),
    ("\\#foo\n\\*bar", "#foo *bar", "foo xbar"),
    ("[a-c]x", "ax cx", "dx"),
    ("[^a-c]x", "dx", "ax"),
    ("[!a]x", "ax !x", "bx"),
    ("a[^x]b", "a/b ayb", "axb"),
    ("[[]x", "[x", "x"),
    ("[\\]\\-]x", "]x -x", "\\x"),
    ("a+b\n(c)\n$d\ne.f", "a+b (c) $d e.f", "aab c d exf"),
    ("a{b,c}*\nx|y", "a{b,c} a{b,c}d x|y", "ab x y"),
    ("^a*\nb^*", "a ab", "^a b^c"),
    ("ünï*\n?x\n**/é", "ünïx éx a/é", "x"),
]


@pytest.mark.parametrize(("text", "out", "kept"), RULES)
def test_what_is_left_out(text: str, out: str, kept: str) -> None:
    rules = read(text)
    assert not rules.note
    assert [path for path in out.split(" ") if path and not rules.excludes(path)] == []
    assert [path for path in kept.split(" ") if path and rules.excludes(path)] == []


@pytest.mark.parametrize("line", ["!", "! ", "!/", "[", "a[", "[]a]", "[a-]", "[-a]", "[^]", "x\\"])
def test_what_is_no_pattern_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(ConfigError, match=r"app/.dockerignore:3: .*is no pattern"):
        read(f"a\n# b\n{line}\n", "app/.dockerignore")


@pytest.mark.parametrize(
    "line", ["[a*]", "[?]x", "\\d", "[\\w]", "a\\é", "[[:digit:]]", "[z-a]", "a|b*", "x{2}*", "\udce9*"]
)
def test_a_pattern_of_uncertain_meaning_leaves_nothing_out(line: str) -> None:
    rules = read(f"foo\n{line}\n!foo/bar")
    assert not rules.excludes("foo")
    assert rules.note.startswith(".dockerignore:2: the meaning of ")


def test_bytes_that_are_not_utf8_match_themselves() -> None:
    assert read("caf\udce9").excludes("caf\udce9")


def test_a_folder_is_entered_only_where_an_exception_can_reach() -> None:
    rules = read("*\n!src/lib/*")
    assert rules.folder("docs", rules.top()) == (True, None)
    out, inside = rules.folder("src", rules.top())
    assert out
    assert inside is not None
    assert rules.folder("src/lib", inside)[1] is not None
    assert rules.folder("src/api", inside)[1] is None
    anywhere = read("*\n!**/keep")
    assert anywhere.folder("docs", anywhere.top())[1] is not None


def test_which_ignore_file_holds() -> None:
    assert ignore_files("app", "app/Dockerfile") == ("app/Dockerfile.dockerignore", "app/.dockerignore")
    assert ignore_files(".", "docker/api.Dockerfile") == (
        "docker/api.Dockerfile.dockerignore",
        ".dockerignore",
    )
    assert ignore_files("../common/") == ("../common/.dockerignore",)
    assert ignore_files("") == (".dockerignore",)
    assert ignore_files("/") == ("/.dockerignore",)


LINES = st.text(alphabet="ab*?/!.[]^-\\ #", max_size=6)
PATHS = st.lists(st.sampled_from("a b ab b.a .b -".split()), min_size=1, max_size=4).map("/".join)  # noqa: SIM905


@given(st.lists(LINES, max_size=6), PATHS, st.sampled_from("ab"))
def test_folders_and_files_are_judged_alike(lines: list[str], path: str, name: str) -> None:
    """A folder that nothing can be sent of leaves out all in it, whatever it is."""
    try:
        rules = read("\n".join(lines))
    except ConfigError:
        return
    above = rules.top()
    for end in range(1, path.count("/") + 2):
        out, inside = rules.folder("/".join(path.split("/")[:end]), above)
        if inside is None:
            assert rules.excludes(path)
            assert rules.excludes(f"{path}/{name}")
            return
        above = inside
    assert rules.excludes(path) is out
