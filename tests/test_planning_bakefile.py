"""A plan in bake's words: what `docker buildx bake -f -` builds to the same images."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model import REPOSITORY
from tasks.planning.bakefile import bakefile, target
from tests.planned import BOTH, engine, plan
from tests.scenario import Fleet


@pytest.fixture
def family(fleet: Fleet) -> Fleet:
    """Three images: api stands on base, tool on nothing."""
    fleet.image("base")
    fleet.image("api", "FROM ghcr.io/acme/base:9\nCOPY . .\n")
    fleet.image("tool")
    fleet.toml("[images.api]\n[images.base]\n[images.tool]")
    return fleet


def test_every_image_is_a_target_with_paths_that_hold_anywhere(family: Fleet) -> None:
    file = bakefile(plan(family, engine=engine()))
    assert file["group"] == {"default": {"targets": ["base", "api", "tool"]}}
    root = str(family.root)
    api = file["target"]["api"]
    (output,) = api.pop("output")
    assert output.startswith("type=docker")
    assert api == {
        "context": f"{root}/docker/api",
        "dockerfile": f"{root}/docker/api/Dockerfile",
        "contexts": {"ghcr.io/acme/base:9": "target:base"},
        "platforms": ["linux/amd64"],
        "tags": ["ghcr.io/acme/api:0.1.0", "ghcr.io/acme/api:latest"],
        "attest": ["type=provenance,disabled=true"],
    }


def test_what_is_only_stood_on_has_no_tag_and_goes_nowhere(family: Fleet) -> None:
    file = bakefile(plan(family, "api"))
    assert file["group"] == {"default": {"targets": ["api"]}}
    assert "tags" not in file["target"]["base"]
    assert file["target"]["base"]["output"] == ["type=cacheonly"]
    assert file["target"]["api"]["output"] != ["type=cacheonly"]


def test_a_part_of_a_plan_brings_what_it_stands_on_without_its_names(family: Fleet) -> None:
    file = bakefile(plan(family), ["api"])
    assert list(file["target"]) == ["base", "api"]
    assert file["group"] == {"default": {"targets": ["api"]}}
    assert "tags" not in file["target"]["base"]


def test_without_dependencies_a_sibling_is_the_one_the_engine_has(family: Fleet) -> None:
    """As a FROM, which the engine's own builder takes from its store; a `docker-image://` asks the registry."""
    file = bakefile(plan(family, "api", request={"deps": False}))
    assert file["group"] == {"default": {"targets": ["api"]}}
    (link,) = file["target"]["api"]["contexts"].items()
    assert link == ("ghcr.io/acme/base:9", "target:api___1")
    stand_in = file["target"]["api___1"]
    assert stand_in["dockerfile-inline"] == "FROM ghcr.io/acme/base:0.1.0\n"
    assert stand_in["output"] == ["type=cacheonly"]
    assert "tags" not in stand_in


def test_nothing_is_loaded_or_pushed_with_output_none(family: Fleet) -> None:
    file = bakefile(plan(family, request={"output": "none"}))
    assert {tuple(one["output"]) for one in file["target"].values()} == {("type=cacheonly",)}
    assert not any("tags" in one for one in file["target"].values())


def test_a_push_moves_no_name(family: Fleet) -> None:
    file = bakefile(plan(family, request={"output": "push"}))
    for name, one in file["target"].items():
        assert "tags" not in one
        (output,) = one["output"]
        assert output.startswith(f'type=image,"name=ghcr.io/acme/{name}:')
        assert "push=true" in output
        assert "latest" not in output
        assert "0.1.0" not in output


def test_where_the_builder_pushes_by_itself_nothing_is_stored_and_pushed_by_the_engine_once_more(
    family: Fleet,
) -> None:
    file = bakefile(plan(family, request={"output": "push"}), straight=True)
    assert all("push=,store=false" in one["output"][0] for one in file["target"].values())


def test_contexts_are_folders_images_and_urls(fleet: Fleet) -> None:
    fleet.image("api", "FROM one\nCOPY --from=two / /\nCOPY --from=three / /\n")
    fleet.file("shared/x")
    fleet.toml(
        """
        [images.api]
        target = ""
        args = { A = "1" }
        labels = { l = "{version}" }
        contexts = { one = "docker-image://busybox", two = "shared", three = "https://example.com/x.git" }
        """
    )
    api = bakefile(plan(fleet))["target"]["api"]
    assert api["contexts"] == {
        "one": "docker-image://busybox",
        "two": f"{fleet.root}/shared",
        "three": "https://example.com/x.git",
    }
    assert (api["args"], api["labels"]) == ({"A": "1"}, {"l": "0.1.0"})
    assert "target" not in api


def test_what_bake_would_take_for_its_own_templates_stands_for_itself(fleet: Fleet) -> None:
    """Its JSON is read as HCL: `${HOME}` in an argument would be a variable of bake's."""
    fleet.image("api")
    fleet.toml("[images.api]\nargs = { A = '${{HOME}}', B = '%{{if}}', C = '$HOME', D = '$${{x}}' }")
    api = bakefile(plan(fleet))["target"]["api"]
    assert api["args"] == {"A": "$${HOME}", "B": "%%{if}", "C": "$HOME", "D": "$$${x}"}


def test_the_printed_file_is_json_and_nothing_else(family: Fleet) -> None:
    ran = family.inv("plan --format bake").ok()
    assert json.loads(ran.out)["group"]["default"]["targets"] == ["base", "api", "tool"]
    assert not ran.err


def test_several_platforms_are_one_target(family: Fleet) -> None:
    file = bakefile(plan(family, settings={"defaults__platforms": ",".join(BOTH)}))
    assert {tuple(one["platforms"]) for one in file["target"].values()} == {BOTH}


@st.composite
def image_names(draw: Any) -> str:
    parts = draw(st.lists(st.sampled_from(["a", "b", "1"]), min_size=1, max_size=4))
    between = st.sampled_from([".", "_", "__", "-", "--", "/"])
    return "".join(part + (draw(between) if at + 1 < len(parts) else "") for at, part in enumerate(parts))


@given(st.lists(image_names(), min_size=2, max_size=6, unique=True))
def test_no_two_images_have_one_target_and_every_target_is_one_for_bake(names: list[str]) -> None:
    assert all(REPOSITORY.fullmatch(name) for name in names)
    found = [target(name) for name in names]
    assert len(set(found)) == len(names)
    assert all(set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for one in found)


def shape(file: dict[str, Any]) -> dict[str, list[str]]:
    return {name: sorted(one.get("contexts", {}).values()) for name, one in file["target"].items()}


def test_links_go_down_the_whole_way(fleet: Fleet) -> None:
    fleet.image("a")
    fleet.image("b", "FROM acme/a\n")
    fleet.image("c", "FROM acme/b\nCOPY --from=acme/a /x /x\n")
    fleet.toml("[images.c]\n[images.b]\n[images.a]")
    assert shape(bakefile(plan(fleet, "c"))) == {"a": [], "b": ["target:a"], "c": ["target:a", "target:b"]}
