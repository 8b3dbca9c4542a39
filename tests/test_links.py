"""Where symlinks lead, inside a root."""

from __future__ import annotations

import pytest

from tasks.planning.links import TooManyLinksError, followed, inside, is_plain

LINKS = {
    "to-a": "a",
    "to-b": "./a//b/",
    "a/up": "..",
    "a/over": "../../../x",
    "a/root": "/c",
    "chain": "to-a/root",
    "self": "self",
    "ping": "pong/x",
    "pong": "ping",
    "nowhere": "gone/f",
}


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("", ""),
        ("a/b", "a/b"),
        ("to-a", "a"),
        ("to-a/b", "a/b"),
        ("to-b/c", "a/b/c"),
        ("a/up", ""),
        ("a/up/a/b", "a/b"),
        ("to-a/up/to-b", "a/b"),
        ("a/over", "x"),
        ("a/root/d", "c/d"),
        ("chain", "c"),
        ("nowhere", "gone/f"),
        ("not/there", "not/there"),
    ],
)
def test_a_path_leads_on_inside_the_root(path: str, end: str) -> None:
    assert followed(path, LINKS.get) == end


@pytest.mark.parametrize("path", ["self", "self/x", "ping", "pong"])
def test_circles_are_left(path: str) -> None:
    with pytest.raises(TooManyLinksError):
        followed(path, LINKS.get)


@pytest.mark.parametrize(
    ("path", "below"), [("../../a", "a"), ("/", ""), (".", ""), ("", ""), ("/a/./b/..", "a"), ("..", "")]
)
def test_nothing_leads_out_of_the_root(path: str, below: str) -> None:
    assert inside(path) == below


@pytest.mark.parametrize("text", ["a", "../a", "../../a/b", "/a/b", "/../a", ".", "..", "./../a//b/"])
def test_a_plain_text_can_be_read_or_walked(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize("text", ["a/..", "a/../b", "../a/../b", "/a/../b"])
def test_another_may_lead_elsewhere_when_walked(text: str) -> None:
    assert not is_plain(text)
