"""Addresses: equal inputs, equal address."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.planning.address import address, is_address, joined

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
