"""Tab on the command line of `argosy`: images, groups, platforms after the flags that take them."""

from __future__ import annotations

import pytest

from tests.scenario import Fleet


@pytest.fixture
def shop(fleet: Fleet) -> Fleet:
    for name in ("api", "worker"):
        fleet.image(name)
    fleet.toml("""
        [images.api]
        groups = ["services"]
        platforms = ["linux/riscv64"]
        [images.worker]
        [groups]
        all = ["*"]
    """)
    return fleet


def offered(fleet: Fleet, line: str) -> list[str]:
    """What a shell is offered when Tab is pressed at the end of a line."""
    return fleet.inv(f"--complete -- argosy {line}").ok().out.split()


def test_images_are_offered_after_images(shop: Fleet) -> None:
    assert offered(shop, "build --images") == ["api", "worker"]
    assert offered(shop, "build --images w") == ["api", "worker"]  # the shell picks those that fit
    assert offered(shop, "build --images=w") == ["api", "worker"]


def test_a_list_that_has_begun_is_continued_with_what_is_not_in_it(shop: Fleet) -> None:
    assert offered(shop, "push --images api,w") == ["api,worker"]


def test_groups_come_from_the_groups_table_and_from_images(shop: Fleet) -> None:
    assert set(offered(shop, "build --group")) == {"services", "all"}


def test_platforms_are_the_usual_ones_and_those_of_the_fleet(shop: Fleet) -> None:
    assert set(offered(shop, "build --platforms")) == {"linux/amd64", "linux/arm64", "linux/riscv64"}


def test_tasks_and_flags_are_completed_as_ever(shop: Fleet) -> None:
    assert "build" in offered(shop, "bu")
    assert "--images" in offered(shop, "build --im")


def test_a_broken_file_offers_nothing_and_says_nothing(shop: Fleet) -> None:
    shop.file("build.toml", "[project")
    done = shop.inv("--complete -- argosy build --images").ok()
    assert (done.out.strip(), done.err) == ("", "")
