"""Addresses: equal inputs, equal address; and differences said in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.planning.address import address, differences, is_address, joined

INPUTS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6)


@given(INPUTS, INPUTS)
def test_addresses_are_equal_just_where_inputs_are(one: dict[str, str], other: dict[str, str]) -> None:
    assert (address(one).digest == address(other).digest) == (one == other)
    assert address(dict(reversed(one.items()))).digest == address(one).digest


def test_over_one_platform_it_is_that_platforms_own() -> None:
    amd, arm = address({"a": "1"}), address({"a": "2"})
    assert joined({"linux/amd64": amd}) == amd
    assert joined({"linux/amd64": amd, "linux/arm64": arm}).digest not in {amd.digest, arm.digest}


def test_its_tag_is_told_from_a_name() -> None:
    assert is_address(address({}).tag)
    assert not is_address("argosy-1.0")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("FILE docker/api/main.go", "0644 aa", "0644 bb", "docker/api/main.go changed"),
        ("FILE run.sh", "0644 aa", "0755 aa", "mode of run.sh 0644 -> 0755"),
        ("FILE x", None, "0644 aa", "x was added"),
        ("FILE x", "0644 aa", None, "x is gone"),
        ("argument VERSION", "0.1.0", "0.2.0", "argument VERSION 0.1.0 -> 0.2.0"),
        ("argument DEBUG", None, "1", "argument DEBUG unset -> 1"),
        ("sibling base linux/amd64", "a", "b", "stands on base, which changed"),
        ("sibling base linux/amd64", None, "a", "stands on base now"),
        ("sibling base linux/amd64", "a", None, "no longer stands on base"),
        (
            "base debian:trixie-slim linux/amd64",
            "sha256:" + "a" * 64,
            "sha256:" + "b" * 64,
            "base debian:trixie-slim moved aaaaaaaaaaaa -> bbbbbbbbbbbb",
        ),
        ("base busybox:stable linux/amd64", None, "sha256:" + "a" * 64, "base busybox:stable is new"),
        ("base busybox:stable linux/amd64", "sha256:" + "a" * 64, None, "no longer stands on busybox:stable"),
        ("label x", "1", None, "label x is gone"),
    ],
)
def test_a_change_is_said_in_words(name: str, old: str | None, new: str | None, said: str) -> None:
    addresses = []
    for value in (old, new):
        path = name.removeprefix("FILE ")
        found = {} if value is None else {path: value}
        addresses.append(address({}, found) if path != name else address(found))
    assert list(differences(*addresses)) == [said]
