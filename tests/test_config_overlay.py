"""What is said from outside the file: which settings can be, what they override, what is no setting at all."""

from __future__ import annotations

import pytest

from tasks.config.overlay import keys
from tasks.model import Registry
from tests.planned import findings, project
from tests.scenario import Fleet

EVERYTHING = """
[project]
owner = "acme"
repository = "{image}"
registries = [
    { host = "ghcr.io", owner = "acme-gh", tags = ["gh"] },
    { host = "docker.io", repository = "hub-{image}" },
]
[version]
sources = { value = "1.0" }
[tags]
branch = ["{branch}"]
[defaults]
platforms = ["linux/amd64"]
args = { LEVEL = "1", MODE = "fast" }
tags = ["default"]
[images.api]
platforms = ["linux/arm64"]
args = { LEVEL = "2", MODE = "slow" }
tags = ["own"]
version = "2.0"
repository = "own-api"
[images.worker]
"""


@pytest.fixture
def full(fleet: Fleet) -> Fleet:
    """A project in which everything that can be said twice is said twice."""
    fleet.image("api")
    fleet.image("worker")
    fleet.file("build.toml", EVERYTHING)
    return fleet


def test_platforms_for_all_hold_for_images_with_their_own(full: Fleet) -> None:
    images = project(full, defaults__platforms="linux/386, linux/arm/v7").images
    assert {image.platforms for image in images.values()} == {("linux/386", "linux/arm/v7")}


def test_tags_for_all_hold_whatever_said_them(full: Fleet) -> None:
    loaded = project(full, tags__build="v1 v1-rc")
    assert loaded.tags.build == ("v1", "v1-rc")
    assert loaded.tags.branch == ()
    assert {image.tags for image in loaded.images.values()} == {None}
    assert {registry.tags for registry in loaded.registries} == {None}


def test_a_version_for_all_takes_the_place_of_every_source(full: Fleet) -> None:
    loaded = project(full, project__version="3.0")
    assert [source.value for source in loaded.version] == ["3.0"]
    assert loaded.images["api"].version == ()


def test_an_owner_for_all_holds_at_every_registry(full: Fleet) -> None:
    assert {registry.owner for registry in project(full, project__owner="me").registries} == {"me"}


def test_a_repository_for_all_holds_for_every_image_and_registry(full: Fleet) -> None:
    loaded = project(full, project__repository="x-{image}")
    assert {registry.repository for registry in loaded.registries} == {"x-{image}"}
    assert loaded.images["api"].repository == ""


def test_another_registry_takes_the_place_of_all_that_are_declared(full: Fleet) -> None:
    loaded = project(full, project__registry="localhost:5000")
    assert loaded.registries == (Registry("localhost:5000", "acme-gh", "{image}", ("gh",)),)
    assert [registry.host for registry in loaded.declared] == ["ghcr.io", "docker.io"]


def test_one_argument_for_all_leaves_the_others_as_they_are(full: Fleet) -> None:
    images = project(full, defaults__args__LEVEL="9").images
    assert images["api"].args == {"LEVEL": "9", "MODE": "slow"}
    assert images["worker"].args == {"LEVEL": "9", "MODE": "fast"}


def test_one_image_s_setting_is_its_own(full: Fleet) -> None:
    images = project(full, images__api__selected="no", images__worker__target="x").images
    assert (images["api"].selected, images["worker"].selected) == (False, True)
    assert (images["api"].target, images["worker"].target) == ("", "x")


@pytest.mark.parametrize("order", [("ALL", "API"), ("API", "ALL")])
def test_what_is_said_for_one_image_comes_after_what_is_said_for_all(
    full: Fleet, order: tuple[str, str]
) -> None:
    paths = {"ALL": "defaults.platforms", "API": "images.api.platforms"}
    lines = "".join(f'{name} = "{paths[name]}"\n' for name in order)
    full.file("build.toml", f"{EVERYTHING}[env]\n{lines}")
    images = project(full, {"ALL": "linux/386", "API": "linux/arm/v7"}).images
    assert images["api"].platforms == ("linux/arm/v7",)
    assert images["worker"].platforms == ("linux/386",)


@pytest.mark.parametrize(
    ("text", "selected"),
    [("1", True), ("true", True), ("YES", True), (" on ", True), ("0", False), ("False", False)],
)
def test_switches_are_said_in_several_words(full: Fleet, text: str, selected: bool) -> None:
    assert project(full, images__api__selected=text).images["api"].selected is selected


def test_an_empty_variable_says_nothing(full: Fleet) -> None:
    full.file("build.toml", f'{EVERYTHING}[env]\nTAGS = "tags.build"\n')
    assert project(full, {"TAGS": ""}) == project(full, {})


def test_where_a_value_came_from_is_known(full: Fleet) -> None:
    full.file("build.toml", f'{EVERYTHING}[env]\nTAGS = "tags.build"\nPLATFORMS = "defaults.platforms"\n')
    ran = full.inv("plan --platforms linux/386", env={"TAGS": "x", "PLATFORMS": "linux/amd64"}).ok()
    assert "tags.build comes from environment variable TAGS" in ran.out
    assert "defaults.platforms comes from --platforms" in ran.out
    assert "variable PLATFORMS" not in ran.out


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("defaults.platform", 'no setting "platform" in defaults (did you mean "platforms"?)'),
        ("registry", 'no setting "registry" in build.toml'),
        ("images.aip.selected", 'no image "aip" (did you mean "api"?)'),
        ("images.api.selcted", 'no setting "selcted" in images.api (did you mean "selected"?)'),
        ("images.api", "images.api is a table; name one of its keys"),
        ("images", "images is a table; name one of its keys"),
        ("project.owner.x", "project.owner is one value; nothing is below it"),
        ("project.registries", "project.registries cannot be said in one line of text"),
        ("builder.nodes", "builder.nodes cannot be said in one line of text"),
        ("", 'no setting "" in build.toml'),
    ],
)
def test_a_variable_for_no_setting_is_a_finding_even_when_it_is_not_set(
    full: Fleet, path: str, said: str
) -> None:
    full.file("build.toml", f'{EVERYTHING}[env]\nX = "{path}"\n')
    (finding,) = findings(full)
    assert finding.startswith(f"env.X: {said}")


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("images.api.selected", "maybe", '"maybe" is not a switch (true, 1, yes, on, false, 0, no, off)'),
        ("engine.parallel", "many", '"many" is not a whole number'),
        ("engine.parallel", "0", "input should be greater than or equal to 1, not 0"),
        ("builder.driver", "podman", "must be 'docker', 'docker-container', 'remote' or 'kubernetes'"),
        ("project.owner", "Acme", '"Acme" cannot stand in a reference'),
        ("project.registry", "https://x.io", '"https://x.io" must be a host or host/path'),
        ("defaults.platforms", "arm64", '"arm64" is no platform'),
        ("tags.build", "{vers}", "unknown field {vers}"),
        ("defaults.dockerfile", "nowhere", "no Dockerfile nowhere"),
    ],
)
def test_a_wrong_value_is_laid_at_the_variable_s_door(full: Fleet, path: str, text: str, said: str) -> None:
    full.file("build.toml", f'{EVERYTHING}[env]\nX = "{path}"\n')
    err = full.inv("list", env={"X": text}).failed(2).err
    assert "environment variable X" in err
    assert said in err
    assert path in err


def test_a_wrong_flag_is_said_by_its_name(full: Fleet) -> None:
    err = full.inv("list --platforms arm64").failed(2).err
    assert err.strip() == (
        '--platforms: "arm64" is no platform, which is os/arch: linux/arm64 (did you mean "linux/arm64"?) '
        "(defaults.platforms)"
    )


def test_a_key_path_is_written_as_in_toml() -> None:
    assert keys('images."python3.11".selected') == ["images", "python3.11", "selected"]
    assert keys("tags.build") == ["tags", "build"]


def test_an_image_with_a_dot_in_its_name_can_be_reached(fleet: Fleet) -> None:
    fleet.image("python3.11")
    fleet.toml("""[images."python3.11"]\n[env]\nX = 'images."python3.11".selected'\n""")
    assert not project(fleet, {"X": "0"}).images["python3.11"].selected
