"""Groups: sets of images by name, glob, other groups, or the images' own word."""

from __future__ import annotations

from tests.planned import findings, project
from tests.scenario import Fleet


def three(fleet: Fleet, text: str) -> None:
    for name in ("api", "api-docs", "worker"):
        fleet.image(name)
    fleet.toml(f"[images.api]\n[images.api-docs]\n[images.worker]\n{text}")


def test_a_group_holds_images_globs_and_other_groups(fleet: Fleet) -> None:
    three(fleet, '[groups]\nall = ["apis", "worker"]\napis = ["api*"]\none = ["worker"]')
    assert project(fleet).groups == {
        "all": ("api", "api-docs", "worker"),
        "apis": ("api", "api-docs"),
        "one": ("worker",),
    }


def test_a_word_means_an_image_before_it_means_a_group(fleet: Fleet) -> None:
    three(fleet, '[groups]\napi = ["api", "worker"]')
    assert project(fleet).groups == {"api": ("api", "worker")}


def test_an_image_may_say_its_groups_itself(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.image("worker")
    fleet.toml(
        '[defaults]\ngroups = ["all"]\n[images.api]\n[images.worker]\ngroups = ["all", "back"]\n'
        '[groups]\nback = ["api"]'
    )
    assert project(fleet).groups == {"back": ("api", "worker"), "all": ("api", "worker")}


def test_what_a_group_names_must_be_there(fleet: Fleet) -> None:
    three(fleet, '[groups]\nback = ["wroker", "db*"]')
    assert findings(fleet) == [
        'groups.back: no image and no group "wroker" (did you mean "worker"?)',
        'groups.back: no image and no group "db*"',
    ]


def test_an_image_named_twice_in_a_group_is_refused(fleet: Fleet) -> None:
    three(fleet, '[groups]\ndefault = ["api", "worker", "api"]')
    assert findings(fleet) == ['groups.default: lists "api" 2 times; name each once']


def test_groups_in_a_circle_are_refused_with_the_path(fleet: Fleet) -> None:
    three(fleet, '[groups]\nx = ["y"]\ny = ["z"]\nz = ["x"]')
    (said,) = findings(fleet)
    assert said.startswith("groups: hold each other in a circle: ")
    path = said.rpartition(": ")[2].split(" -> ")
    assert path[0] == path[-1]
    assert "".join(path) in {"xyzx", "yzxy", "zxyz"}


def test_an_empty_group_holds_nothing(fleet: Fleet) -> None:
    three(fleet, "[groups]\nnone = []")
    assert project(fleet).groups == {"none": ()}
    assert "no image is selected" in fleet.inv("plan --group none").failed(2).err
