"""Go's paths and patterns, by the tables of Go's own tests."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.planning.globs import PatternError, cleaned, has_wildcard, matcher

# https://github.com/golang/go/blob/master/src/path/filepath/match_test.go
MATCHES = [
    ("abc", "abc", True), ("*", "abc", True), ("*c", "abc", True), ("a*", "a", True), ("a*", "abc", True),
    ("a*", "ab/c", False), ("a*/b", "abc/b", True), ("a*/b", "a/c/b", False),
    ("a*b*c*d*e*/f", "axbxcxdxe/f", True), ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True),
    ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", False), ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("a*b?c*x", "abxbbxdbxebxczzy", False), ("ab[c]", "abc", True), ("ab[b-d]", "abc", True),
    ("ab[e-g]", "abc", False), ("ab[^c]", "abc", False), ("ab[^b-d]", "abc", False), ("ab[^e-g]", "abc", True),
    ("a\\*b", "a*b", True), ("a\\*b", "ab", False), ("a?b", "a☺b", True), ("a[^a]b", "a☺b", True),
    ("a???b", "a☺b", False), ("a[^a][^a][^a]b", "a☺b", False), ("[a-ζ]*", "β", True), ("*[a-ζ]", "A", False),
    ("a?b", "a/b", False), ("a*b", "a/b", False), ("[\\]a]", "]", True), ("[\\-]", "-", True),
    ("[x\\-]", "x", True), ("[x\\-]", "-", True), ("[x\\-]", "z", False), ("[\\-x]", "x", True), ("*x", "xxx", True),
]  # fmt: skip
MALFORMED = "[]a] [-] [x-] [-x] [a-b-c] [ [^ [^bc a[ \\".split()  # noqa: SIM905


@pytest.mark.parametrize(("pattern", "path", "matches"), MATCHES)
def test_patterns_match_as_in_go(pattern: str, path: str, matches: bool) -> None:
    assert (matcher(pattern).fullmatch(path) is not None) is matches


@pytest.mark.parametrize("pattern", MALFORMED)
def test_what_go_calls_malformed(pattern: str) -> None:
    with pytest.raises(PatternError):
        matcher(pattern)


def test_a_backward_range_holds_nothing() -> None:
    assert not matcher("[b-a]").fullmatch("a")
    assert matcher("[^b-a]").fullmatch("a")
    assert matcher("[b-ac]").fullmatch("c")


@pytest.mark.parametrize(
    ("path", "short"),
    [("", "."), ("a/./b/", "a/b"), ("a//b", "a/b"), ("a/../b", "b"), ("../../a", "../../a"), ("/../a", "/a"),
     ("//a", "/a"), ("/", "/"), ("a/..", "."), ("./..", ".."), ("a/b/../../..", "..")],
)  # fmt: skip
def test_paths_are_cleaned_as_in_go(path: str, short: str) -> None:
    assert cleaned(path) == short


@given(st.text(alphabet="ab/.\\*", max_size=12))
def test_a_clean_path_stays_clean(path: str) -> None:
    once = cleaned(path)
    assert cleaned(once) == once
    assert not re.search(r"//|(^|/)\./|[^/]/$", once)


@pytest.mark.parametrize(
    ("text", "wild"), [("a*", True), ("a\\*", False), ("\\\\*", True), ("[", True), ("a", False)]
)
def test_what_counts_as_a_pattern(text: str, wild: bool) -> None:
    assert has_wildcard(text) is wild
