"""A fleet cut into bake calls: of bounded size, families together, bases before children, nothing lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.planning.batches import batches, bound
from tasks.planning.plan import Need, Plan
from tests.planned import image


def plan(stands_on: dict[str, list[str]], platforms: dict[str, int] | None = None) -> Plan:
    """A plan in which images stand on those before them."""
    images = tuple(
        image(
            name,
            [f"linux/p{number}" for number in range((platforms or {}).get(name, 1))],
            [Need(other, "", other) for other in below],
        )
        for name, below in stands_on.items()
    )
    return Plan("x", Path(), "1", "", images, "load")


def cut(stands_on: dict[str, list[str]], most: int, only: str = "", **platforms: int) -> list[str]:
    """The batches, each as one text."""
    made = plan(stands_on, platforms)
    return ["".join(batch) for batch in batches(made, only or stands_on, most)]


@pytest.mark.parametrize(
    ("parallel", "cores", "expected"), [(5, 2, 5), (None, 2, 40), (None, None, 20), (1, 8, 1)]
)
def test_how_much_runs_at_once_is_set_or_follows_the_cores(
    parallel: int | None, cores: int | None, expected: int
) -> None:
    assert bound(parallel, cores) == expected


def test_images_that_have_nothing_to_do_with_each_other_fill_one_batch_after_another() -> None:
    assert cut({name: [] for name in "abcde"}, 2) == ["ab", "cd", "e"]


def test_a_family_that_fits_one_batch_is_not_torn() -> None:
    assert cut({"a": [], "b": [], "c": ["b"], "d": ["b"]}, 3) == ["a", "bcd"]


def test_a_family_is_whoever_stands_on_each_other_by_whatever_way() -> None:
    assert cut({"a": [], "b": [], "c": [], "d": ["a", "c"], "e": ["b"]}, 3) == ["acd", "be"]


def test_a_family_that_is_too_large_is_cut_bases_first() -> None:
    assert cut({"a": [], "b": ["a"], "c": ["b"], "d": ["a"]}, 2) == ["ab", "cd"]


def test_every_platform_counts() -> None:
    assert cut({"a": [], "b": [], "c": []}, 4, a=2, b=2, c=2) == ["ab", "c"]


def test_an_image_larger_than_the_bound_is_alone() -> None:
    assert cut({"a": [], "b": [], "c": []}, 2, b=5) == ["a", "b", "c"]


def test_what_is_not_asked_for_is_in_no_batch_but_still_joins_a_family() -> None:
    assert cut({"a": [], "b": [], "c": ["a"], "d": ["a"]}, 2, only="bcd") == ["b", "cd"]


def test_nothing_makes_no_batch() -> None:
    assert cut({}, 3) == []


@st.composite
def fleets(draw: Any) -> tuple[Plan, list[str], int]:
    names = [f"i{number}" for number in range(draw(st.integers(0, 14)))]
    stands_on = {
        name: draw(st.lists(st.sampled_from(names[:at]), max_size=3, unique=True)) if at else []
        for at, name in enumerate(names)
    }
    platforms = {name: draw(st.integers(1, 4)) for name in names}
    only = [name for name in names if draw(st.booleans())]
    return plan(stands_on, platforms), only, draw(st.integers(1, 8))


@given(fleets())
def test_whatever_the_fleet_nothing_is_lost_twice_too_much_or_before_its_base(
    fleet: tuple[Plan, list[str], int],
) -> None:
    made, only, most = fleet
    cut_up = batches(made, only, most)
    flat = [name for batch in cut_up for name in batch]
    assert sorted(flat) == sorted(only)
    assert all(cut_up)
    for batch in cut_up:
        assert len(batch) == 1 or sum(len(made[name].platforms) for name in batch) <= most
    for at, name in enumerate(flat):
        assert not {need.image for need in made[name].needs} & set(flat[at + 1 :])


def test_a_thousand_images_in_one_chain_are_cut_at_once() -> None:
    stands_on = {"i0": [], **{f"i{n}": [f"i{n - 1}"] for n in range(1, 1000)}}
    assert len(batches(plan(stands_on), list(stands_on), 24)) == 42
