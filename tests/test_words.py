"""Expansion of variables, quotes and escapes in a word; BuildKit's own answers are in test_dockerfile_buildkit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.planning.words import ExpansionError, expand, names, split

SCOPE = {"A": "one", "E": "", "T": "foo.tar.gz", "P": "a/b/c", "S": "a*b"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("plain", "plain"),
        ("$A", "one"),
        ("${A}x", "onex"),
        ("$Ax", ""),
        ("$A-x.$A", "one-x.one"),
        ("$NOPE", ""),
        ("a$", "a$"),
        ("$1a", "a"),
        ("$$A", "A"),
        ("'$A'", "$A"),
        ('"$A b"', "one b"),
        ("\"'$A'\"", "'one'"),
        (r"\$A", "$A"),
        (r'"\$A \x"', r"$A \x"),
        (r"a\ b\\c", r"a b\c"),
        ("${E:-d}${E-d}", "d"),
        ("${N:-d}${N-e}", "de"),
        ("${A:-d}", "one"),
        ("${N:-${A}/${N:-x y}}", "one/x y"),
        ("${N:-'$A'}${N:-\"$A\"}", "$Aone"),
        ("${A:+y}${E:+y}${E+z}${N+z}", "yz"),
        ("${A:?why}", "one"),
        ("${T%.*} ${T%%.*} ${T#*.} ${T##*.}", "foo.tar foo tar.gz gz"),
        ("${P##*/}:${P%/*}", "c:a/b"),
        ("${T%?z}", "foo.tar."),
        (r"${S#a\*}", "b"),
        ("${T#}${N%x}", "foo.tar.gz"),
        ("${T/o/0} ${T//o/0}", "f0o.tar.gz f00.tar.gz"),
        (r"${P//\//-}", "a-b-c"),
        ("${T//*/all}", "all"),
        ("${T/./[$]}", "foo[$]tar.gz"),
    ],
)
def test_a_word_is_expanded(word: str, expected: str) -> None:
    assert expand(word, SCOPE) == expected


def test_another_escape_character_escapes_and_the_backslash_then_does_not() -> None:
    assert expand(r"C:\a`$A\$A", SCOPE, escape="`") == r"C:\a$A\one"


def test_quotes_of_a_heredoc_stay() -> None:
    assert expand("""'$A' "$A" \\$A it's\n""", SCOPE, quotes=False) == """'one' "one" $A it's\n"""


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("${A", "missing }"),
        ("${", "missing }"),
        ("${A:-x", "missing }"),
        ("${A/b}", "missing /"),
        ("${}", "bad substitution"),
        ("${:x}", "bad substitution"),
        ("${A^}", "unsupported modifier"),
        ("${A:#x}", "unsupported modifier"),
        ("${N?}", "N: is not allowed to be unset"),
        ("${E:?}", "E: is not allowed to be empty"),
        ("${N:?set it}", "N: set it"),
        (r"${T#\x}", "invalid escape"),
        ("'a", "single quote is never closed"),
        ('"a', "double quote is never closed"),
    ],
)
def test_what_cannot_be_expanded_says_why(word: str, message: str) -> None:
    with pytest.raises(ExpansionError, match=message):
        expand(word, SCOPE)


def test_words_split_at_blanks_outside_quotes_and_keep_what_they_are_told_to() -> None:
    line = r"""RUN cat <<'A B' <<  C "x y" $V\ w"""
    assert split(line, keep_quotes=True, keep_escapes=True) == [
        "RUN", "cat", "<<'A B'", "<<  C", '"x y"', r"$V\ w",
    ]  # fmt: skip
    assert split("a 'b c'", keep_quotes=False, keep_escapes=False) == ["a", "b c"]


def test_the_names_in_a_word_are_found_for_messages() -> None:
    assert names("${REG:-$HOST}/x:$TAG") == ["REG", "HOST", "TAG"]


@given(st.text(alphabet="aA${}:-+?#%/\\'\"` <*\n"))
def test_any_text_is_expanded_or_refused(word: str) -> None:
    try:
        assert isinstance(expand(word, SCOPE), str)
    except ExpansionError as refused:
        assert str(refused)  # noqa: PT017 - both outcomes are right; other exceptions are not
