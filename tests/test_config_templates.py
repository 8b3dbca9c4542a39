"""Templates: which fields they name, what they become, what is wrong with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.config import templates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{version}", "1.2"),
        ("v{version}-{image.probe-http}", "v1.2-r/probe"),
        ("{{version}}", "{version}"),
        ("a}}b", "a}b"),
        ("", ""),
    ],
)
def test_fields_are_replaced_and_doubled_braces_stand_for_themselves(text: str, expected: str) -> None:
    values = {"version": "1.2", "image.probe-http": "r/probe"}
    assert templates.expand(text, values.__getitem__) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Single '{' encountered; a brace that stands for itself is doubled"),
        ("{version", "expected '}' before end of string"),
        ("{version:>9}", "only plain fields like {version}"),
        ("{version!r}", "only plain fields like {version}"),
        ("{}", "only plain fields like {version}"),
        (
            "{vers}",
            'unknown field {vers} in "{vers}" (did you mean "version"?). Available fields: sha, version.',
        ),
        ("{sha.x}", 'unknown field {sha.x} in "{sha.x}" (did you mean "sha"?)'),
        ("{v[0]}", "unknown field {v[0]}"),
    ],
)
def test_what_is_wrong_with_a_template_is_said(text: str, said: str) -> None:
    assert said in templates.unknown(text, ["version", "sha"])


def test_known_fields_may_come_from_several_places() -> None:
    assert not templates.unknown("{version} {v.id} {{x}}", ["version"], {"v.id": "1"})


@given(st.text())
def test_any_text_is_a_template_that_expands_or_one_that_is_refused(text: str) -> None:
    if not templates.unknown(text, templates.FIELDS):
        expanded = templates.expand(text, lambda name: f"<{name}>")
        assert expanded == text or "{" in text or "}" in text


@given(st.text())
def test_a_text_with_its_braces_doubled_stands_for_itself(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert not templates.unknown(doubled)
    assert templates.expand(doubled, dict[str, str]().__getitem__) == text


def test_nested_values_are_spread_out_to_dotted_names() -> None:
    values = {"v": {"id": 1, "deep": {"on": True}}, "w": "x"}
    assert templates.flat(values) == {"v.id": "1", "v.deep.on": "true", "w": "x"}
