"""What stands on what: found in the Dockerfiles however it is written there, never guessed."""

from __future__ import annotations

import pytest

from tasks.errors import ConfigError
from tests.planned import AMD, BOTH, links, plan
from tests.scenario import Fleet


def pair(fleet: Fleet, dockerfile: str, text: str = "", **images: str) -> None:
    """`api` with this Dockerfile, and `base`; `images` are further settings of theirs."""
    fleet.image("base")
    fleet.image("api", dockerfile)
    fleet.toml(f"[images.api]\n{images.get('api', '')}\n[images.base]\n{images.get('base', '')}\n{text}")


STANDS = {
    "the whole name": "FROM ghcr.io/acme/base:0.1.0",
    "another tag": "FROM ghcr.io/acme/base:9.9",
    "no tag": "FROM ghcr.io/acme/base",
    "no registry": "FROM acme/base:1",
    "docker hub's own": "FROM docker.io/acme/base",
    "an argument's default": "ARG BASE=ghcr.io/acme/base:1\nFROM ${BASE}",
    "arguments in arguments": "ARG OWNER=acme\nARG BASE=ghcr.io/$OWNER/base\nFROM ${BASE:-busybox}:${TAG:-1}",
    "a later stage": "FROM busybox AS one\nFROM acme/base AS two\nFROM one\nCOPY --from=two /x /x",
    "copied from": "FROM busybox\nCOPY --from=ghcr.io/acme/base:1 /x /x",
    "mounted from": "FROM busybox\nRUN --mount=type=bind,from=acme/base,target=/x ls",
    "behind another's onbuild": "FROM busybox AS one\nONBUILD COPY --from=acme/base /x /x\nFROM one",
}

STANDS_NOT = {
    "a digest pins": f"FROM ghcr.io/acme/base@sha256:{'0' * 64}",
    "a tag and a digest": f"FROM ghcr.io/acme/base:0.1.0@sha256:{'0' * 64}",
    "the bare name is the hub's": "FROM base",
    "another owner": "FROM ghcr.io/other/base",
    "another registry": "FROM quay.io/acme/base",
    "a longer name": "FROM ghcr.io/acme/base/tool",
    "a stage of that name": "FROM busybox AS base\nFROM base",
    "a stage not reached": "FROM acme/base AS unused\nFROM busybox",
    "nothing": "FROM scratch",
    "a comment": "FROM busybox\n# FROM acme/base",
    "a heredoc": "FROM busybox\nRUN <<E\nFROM acme/base\nE",
}


@pytest.mark.parametrize("dockerfile", STANDS.values(), ids=STANDS)
def test_a_sibling_is_found_however_it_is_written(fleet: Fleet, dockerfile: str) -> None:
    pair(fleet, dockerfile + "\n")
    assert links(plan(fleet, "api")) == {"base": [], "api": ["base"]}


@pytest.mark.parametrize("dockerfile", STANDS_NOT.values(), ids=STANDS_NOT)
def test_what_is_no_sibling_is_left_alone(fleet: Fleet, dockerfile: str) -> None:
    pair(fleet, dockerfile + "\n")
    assert links(plan(fleet, "api")) == {"api": []}


def test_an_argument_of_build_toml_decides_what_is_stood_on(fleet: Fleet) -> None:
    dockerfile = "ARG BASE_IMAGE=busybox\nFROM ${BASE_IMAGE}\n"
    pair(fleet, dockerfile, api="args = { BASE_IMAGE = '{image.base}' }")
    made = plan(fleet, "api")
    assert links(made) == {"base": [], "api": ["base"]}
    (need,) = made["api"].needs
    assert need.because == "FROM ghcr.io/acme/base:0.1.0 (docker/api/Dockerfile:2)"
    pair(fleet, dockerfile)
    assert links(plan(fleet, "api")) == {"api": []}


def test_only_what_the_target_reaches_counts(fleet: Fleet) -> None:
    dockerfile = "FROM busybox AS small\nFROM acme/base AS large\n"
    pair(fleet, dockerfile, api='target = "small"')
    assert links(plan(fleet, "api")) == {"api": []}
    pair(fleet, dockerfile, api='target = "large"')
    assert links(plan(fleet, "api")) == {"base": [], "api": ["base"]}


def test_a_target_that_is_not_there_is_said_with_those_there_are(fleet: Fleet) -> None:
    pair(fleet, "FROM busybox AS runtime\nFROM runtime AS debug\n", api='target = "runtme"')
    err = fleet.inv("plan").failed(2).err
    assert 'docker/api/Dockerfile: no target "runtme" (did you mean "runtime"?)' in err
    assert "Available targets: runtime, debug" in err


def test_a_local_name_and_an_alias_mean_the_image_too(fleet: Fleet) -> None:
    pair(
        fleet,
        "FROM dev8-base:latest\nCOPY --from=acme/foundation /x /x\n",
        base="local=['dev8-base']\naliases=['foundation']",
    )
    made = plan(fleet, "api")
    assert [need.key for need in made["api"].needs] == ["dev8-base", "acme/foundation"]
    assert {need.image for need in made["api"].needs} == {"base"}


def test_the_declared_registry_means_the_sibling_also_when_another_is_used(fleet: Fleet) -> None:
    pair(fleet, "FROM ghcr.io/acme/base:1\n")
    for settings in ({"project__registry": "localhost:5000"}, {"project__owner": "me"}):
        assert links(plan(fleet, "api", settings=settings)) == {"base": [], "api": ["base"]}


def test_the_key_is_the_form_buildkit_looks_it_up_by(fleet: Fleet) -> None:
    fleet.image("base")
    fleet.image(
        "api", "FROM docker.io/library/base:latest\nCOPY --from=index.docker.io/library/base:2 /x /x\n"
    )
    fleet.file(
        "build.toml", '[project]\nregistry = "docker.io"\nversion = "1"\n[images.api]\n[images.base]\n'
    )
    assert [need.key for need in plan(fleet)["api"].needs] == ["base", "base:2"]


@pytest.mark.parametrize("name", ["nginx:1.25", "nginx", "docker.io/library/nginx:1", "library/nginx"])
def test_an_image_named_like_its_outside_base_does_not_stand_on_itself(fleet: Fleet, name: str) -> None:
    fleet.image("nginx", f"FROM {name}\n")
    for head, more in (
        ('registry = "ghcr.io"\nowner = "acme"', ""),
        ('registry = "docker.io"', 'local = ["nginx:dev"]'),
    ):
        fleet.file("build.toml", f'[project]\n{head}\nversion = "1"\n[images.nginx]\n{more}')
        assert links(plan(fleet)) == {"nginx": []}


@pytest.mark.parametrize("name", ["acme/api:0.9", "ghcr.io/acme/api"])
def test_an_image_from_itself_is_refused_with_the_line(fleet: Fleet, name: str) -> None:
    pair(fleet, f"FROM busybox AS one\nFROM {name}\n")
    assert (
        f"image api stands on itself: FROM {name} (docker/api/Dockerfile:2)"
        in fleet.inv("plan").failed(2).err
    )


def test_a_circle_is_refused_with_its_path_and_where_each_step_is_said(fleet: Fleet) -> None:
    fleet.image("a", "FROM acme/b\n")
    fleet.image("b", "FROM busybox\nCOPY --from=acme/c /x /x\n")
    fleet.image("c")
    fleet.toml("[images.a]\n[images.b]\n[images.c]\nneeds = ['a']")
    assert fleet.inv("plan").failed(2).err.splitlines() == [
        "images stand on each other in a circle: a -> b -> c -> a",
        "  a stands on b: FROM acme/b (docker/a/Dockerfile:1)",
        "  b stands on c: COPY --from acme/c (docker/b/Dockerfile:2)",
        "  c stands on a: images.c.needs",
    ]


def test_needs_are_for_what_no_dockerfile_shows(fleet: Fleet) -> None:
    pair(fleet, "FROM busybox\n", api="needs = ['base']")
    (need,) = plan(fleet, "api")["api"].needs
    assert (need.image, need.because, need.key) == ("base", "images.api.needs", "")


def test_a_context_may_name_a_sibling(fleet: Fleet) -> None:
    pair(fleet, "FROM base\n", api="contexts = { base = 'target:base' }")
    (need,) = plan(fleet, "api")["api"].needs
    assert (need.image, need.because, need.key) == ("base", "images.api.contexts.base", "base")


def test_a_context_of_a_matrix_image_may_name_the_sibling_by_its_value(fleet: Fleet) -> None:
    fleet.file("docker/x/Dockerfile", "FROM base\n")
    fleet.image("base-a")
    fleet.toml(
        """
        [images."x-{v}"]
        dockerfile = "docker/x/Dockerfile"
        matrix = { v = ["a"] }
        contexts = { base = "target:base-{v}" }
        [images.base-a]
        """
    )
    assert links(plan(fleet, "x-a")) == {"base-a": [], "x-a": ["base-a"]}


def test_a_context_that_names_no_sibling_is_refused(fleet: Fleet) -> None:
    pair(fleet, "FROM base\n", api="contexts = { base = 'target:bsae' }")
    err = fleet.inv("plan").failed(2).err
    assert err.strip() == 'images.api.contexts.base: no image "bsae" (did you mean "base"?)'


def test_a_context_that_takes_a_sibling_s_place_is_no_link(fleet: Fleet) -> None:
    pair(fleet, "FROM acme/base:1\n", api="contexts = { 'docker.io/acme/base:1' = 'docker-image://busybox' }")
    made = plan(fleet, "api")
    assert links(made) == {"api": []}
    assert made["api"].contexts == {"acme/base:1": "docker-image://busybox"}


def test_everything_stands_after_what_it_stands_on_otherwise_in_the_file_s_order(fleet: Fleet) -> None:
    fleet.image("z")
    fleet.image("api", "FROM acme/mid\n")
    fleet.image("a")
    fleet.image("mid", "FROM acme/base\n")
    fleet.image("base")
    fleet.toml("[images.z]\n[images.api]\n[images.a]\n[images.mid]\n[images.base]")
    assert [image.name for image in plan(fleet).images] == ["z", "base", "mid", "api", "a"]


def test_without_dependencies_only_what_is_named_is_planned(fleet: Fleet) -> None:
    fleet.image("api", "FROM acme/mid\n")
    fleet.image("mid", "FROM acme/base\n")
    fleet.image("base")
    fleet.toml("[images.api]\n[images.mid]\n[images.base]")
    made = plan(fleet, "api", "base", request={"deps": False})
    assert [image.name for image in made.images] == ["api", "base"]
    (need,) = made["api"].needs
    assert (need.image, need.reference) == ("mid", "ghcr.io/acme/mid:0.1.0")


def test_a_sibling_is_wanted_for_the_platforms_it_is_used_on(fleet: Fleet) -> None:
    pair(
        fleet,
        "FROM --platform=$BUILDPLATFORM acme/base AS tools\nFROM busybox\nCOPY --from=tools /x /x\n",
        text=f"[defaults]\nplatforms = {list(BOTH)}",
    )
    (need,) = plan(fleet)["api"].needs
    assert need.platforms == (AMD,)


def test_a_dockerfile_that_cannot_be_read_is_said_with_its_line(fleet: Fleet) -> None:
    pair(fleet, "FROM busybox\nRUNN ls\n")
    with pytest.raises(ConfigError, match=r'docker/api/Dockerfile:2: unknown instruction "RUNN"'):
        plan(fleet)
