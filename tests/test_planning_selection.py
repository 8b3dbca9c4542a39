"""Which images a command line means: names, globs, groups, and what is meant when nothing is said."""

from __future__ import annotations

import pytest

from tests.scenario import Fleet

FLEET = """
[images.base]
[images.api]
[images.api-docs]
[images.worker]
[groups]
back = ["worker", "api"]
docs = ["*-docs"]
"""


@pytest.fixture
def four(fleet: Fleet) -> Fleet:
    """base, api, api-docs and worker; two groups."""
    for name in ("base", "api", "api-docs", "worker"):
        fleet.image(name)
    fleet.toml(FLEET)
    return fleet


def names(fleet: Fleet, flags: str = "", **env: str) -> list[str]:
    return [image["name"] for image in fleet.inv(f"plan --format json {flags}", env=env).ok().json["images"]]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", ["base", "api", "api-docs", "worker"]),
        ("--images api", ["api"]),
        ("--images worker,api", ["api", "worker"]),
        ("--images 'worker api'", ["api", "worker"]),
        ("--images worker --images api", ["api", "worker"]),
        ("--images 'api*'", ["api", "api-docs"]),
        ("--images '*'", ["base", "api", "api-docs", "worker"]),
        ("--images '[bw]*'", ["base", "worker"]),
        ("--images 'api*,*-docs'", ["api", "api-docs"]),
        ("--group back", ["api", "worker"]),
        ("--group back,docs", ["api", "api-docs", "worker"]),
        ("--group back --images base", ["base", "api", "worker"]),
        ("--group 'd*'", ["api-docs"]),
    ],
)
def test_images_are_chosen_by_name_glob_and_group_and_stand_in_the_file_s_order(
    four: Fleet, flags: str, expected: list[str]
) -> None:
    assert names(four, flags) == expected


def test_the_default_group_is_what_nothing_said_means(four: Fleet) -> None:
    four.toml(FLEET + 'default = ["docs", "base"]\n')
    assert names(four) == ["base", "api-docs"]
    assert names(four, "--images api") == ["api"]
    assert names(four, "--images '*'") == ["base", "api", "api-docs", "worker"]


def test_an_image_that_is_not_selected_is_taken_only_when_named(four: Fleet) -> None:
    four.toml(FLEET + '[env]\nBUILD_BASE = "images.base.selected"\n')
    assert names(four, BUILD_BASE="1") == ["base", "api", "api-docs", "worker"]
    assert names(four, BUILD_BASE="0") == ["api", "api-docs", "worker"]
    assert names(four, "--images base", BUILD_BASE="0") == ["base"]
    four.toml(FLEET + 'default = ["base", "api"]\n[env]\nBUILD_BASE = "images.base.selected"\n')
    assert names(four, BUILD_BASE="0") == ["api"]


def test_list_shows_also_what_a_bare_build_leaves_out(four: Fleet) -> None:
    four.toml(FLEET.replace("[images.base]", "[images.base]\nselected = false") + 'default = ["api"]\n')
    assert [image["name"] for image in four.inv("list --json").ok().json["images"]] == [
        "base",
        "api",
        "api-docs",
        "worker",
    ]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            "--images wroker",
            'no image "wroker" in build.toml (did you mean "worker"?). Available images: base, api,',
        ),
        ("--images 'db*'", 'no image "db*" in build.toml. Available images: base, api, api-docs, worker.'),
        ("--images api,wroker", 'no image "wroker"'),
        (
            "--images wroker,apo,zzz",
            'no image "wroker" in build.toml (did you mean "worker"?), nor "apo" (did you mean "api"?), nor "zzz".',
        ),
        (
            "--group bakc",
            'no group "bakc" in build.toml (did you mean "back"?). Available groups: back, docs.',
        ),
        ("--images api,api", '--images lists "api" 2 times; name each image once'),
        ("--images api --images api", '--images lists "api" 2 times'),
        ("--group back --group back", '--group lists "back" 2 times; name each group once'),
    ],
)
def test_what_cannot_be_chosen_is_said(four: Fleet, flags: str, said: str) -> None:
    assert said in four.inv(f"plan {flags}").failed(2).err


def test_no_groups_at_all_is_said_plainly(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]")
    assert 'no group "x" in build.toml. There are no groups.' in fleet.inv("plan --group x").failed(2).err


def test_nothing_left_to_build_is_an_error(four: Fleet) -> None:
    four.toml("[defaults]\nselected = false\n" + FLEET)
    assert (
        "no image is selected. Available images: base, api, api-docs, worker."
        in four.inv("plan").failed(2).err
    )
