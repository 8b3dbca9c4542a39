"""`list`, `plan` and `version`: what they say to people and to programs; none of them needs an engine."""

from __future__ import annotations

import json

import pytest

from tests.scenario import Fleet

LISTED = {
    "name": str,
    "version": str,
    "references": list,
    "repository": str,
    "dockerfile": str,
    "context": str,
    "target": str,
    "args": dict,
    "platforms": list,
    "needs": list,
    "groups": list,
    "publish": bool,
}
PLANNED = LISTED | {
    "contexts": dict,
    "labels": dict,
    "selected": bool,
    "output": str,
    "action": str,
    "reason": str,
}


@pytest.fixture
def pair(fleet: Fleet) -> Fleet:
    """Two images: api stands on base."""
    fleet.image("base")
    fleet.image("api", "FROM acme/base AS slim\n")
    fleet.toml(
        "[images.base]\n[images.api]\ntarget = 'slim'\ngroups = ['services']\nargs = { V = '{version}' }"
    )
    return fleet


def test_list_is_a_table_of_the_fleet(pair: Fleet) -> None:
    head, base, api, _, summary = pair.inv("list").ok().out.splitlines()
    assert head.split() == ["IMAGE", "TARGET", "PLATFORMS", "REFERENCES", "STANDS", "ON", "GROUPS"]
    assert base.split()[:2] == ["base", "-"]
    assert api.split()[:2] == ["api", "slim"]
    assert api.split()[-2:] == ["base", "services"]
    assert "ghcr.io/acme/api:0.1.0, latest" in api
    assert summary == "2 images, version 0.1.0 (project.version)"


def test_list_for_programs_has_a_schema(pair: Fleet) -> None:
    listed = pair.inv("list --json").ok().json
    assert {key: value for key, value in listed.items() if key != "images"} == {
        "schema": 1,
        "project": "project",
        "version": "0.1.0",
    }
    _, api = listed["images"]
    assert {key: type(value) for key, value in api.items()} == LISTED
    assert api["needs"] == [{"image": "base", "because": "FROM acme/base (docker/api/Dockerfile:1)"}]
    assert api["args"] == {"V": "0.1.0"}


def test_plan_is_a_table_of_what_would_be_done(pair: Fleet) -> None:
    lines = pair.inv("plan --images api").ok().out.splitlines()
    assert lines[0].split() == ["IMAGE", "ACTION", "PLATFORMS", "FROM", "REFERENCES"]
    assert lines[1].endswith("no name: not selected")
    assert "docker/api/Dockerfile (slim)" in lines[2]
    assert lines[4] == "1 image, loaded into the engine; version 0.1.0 (project.version)"
    assert "api stands on base: FROM acme/base (docker/api/Dockerfile:1)" in lines


@pytest.mark.parametrize(
    ("output", "said"),
    [("load", "loaded into the engine"), ("push", "pushed"), ("none", "not loaded, not pushed")],
)
def test_plan_says_where_images_would_go(pair: Fleet, output: str, said: str) -> None:
    assert f"2 images, {said};" in pair.inv(f"plan --output {output}").ok().out
    images = pair.inv(f"plan --output {output} --format json").ok().json["images"]
    assert {image["output"] for image in images} == {output}


def test_plan_for_programs_has_a_schema(pair: Fleet) -> None:
    planned = pair.inv("plan --format json").ok().json
    assert {key: value for key, value in planned.items() if key != "images"} == {
        "schema": 1,
        "project": "project",
        "version": {"value": "0.1.0", "source": "project.version"},
        "output": "load",
        "origins": {},
    }
    for image in planned["images"]:
        assert {key: type(image[key]) for key in PLANNED} == PLANNED


def test_without_an_engine_every_action_is_unknown_with_the_reason(pair: Fleet) -> None:
    ran = pair.inv("plan --format json").ok()
    assert not ran.err
    for image in ran.json["images"]:
        assert image["action"] == "unknown"
        assert "unix:///nowhere.sock" in image["reason"]
    table = pair.inv("plan").ok().out
    assert table.count("unix:///nowhere.sock") == 1
    assert "what would be built or reused is unknown: no Docker Engine answers" in table


def test_without_docker_at_all_a_plan_is_still_a_plan(pair: Fleet) -> None:
    env = {"PATH": "/nowhere"}
    for line in ("list --json", "plan --format json", "plan --format bake", "version --json"):
        json.loads(pair.inv(line, env=env).ok().out)
    assert "no `docker` on PATH" in pair.inv("plan", env=env).ok().out


def test_a_bake_file_is_one_json_text(pair: Fleet) -> None:
    file = json.loads(pair.inv("plan --format bake").ok().out)
    assert set(file) == {"group", "target"}
    assert file["target"]["api"]["contexts"] == {"acme/base": "target:base"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("plan --format jsno", '--format "jsno" (did you mean "json"?); it is one of table, json, bake'),
        ("plan --output laod", '--output "laod" (did you mean "load"?); it is one of load, push, none'),
        (
            "plan --images aip",
            'no image "aip" in build.toml (did you mean "api"?). Available images: base, api.',
        ),
        (
            "list --group servces",
            'no group "servces" in build.toml (did you mean "services"?). Available groups: services.',
        ),
        (
            "list --registry http://x",
            '--registry: "http://x" must be a host or host/path, no URL: "x" (project.registry)',
        ),
        ("list --owner Acme", '--owner: "Acme" cannot stand in a reference'),
        ("list --tags a/b", 'tags.build: tag "a/b" of image base is none'),
    ],
)
def test_a_mistyped_flag_is_answered_with_what_there_is(pair: Fleet, line: str, said: str) -> None:
    ran = pair.inv(line).failed(2)
    assert ran.err.startswith(said)
    assert not ran.out


def test_plan_shows_the_names_a_release_would_get(pair: Fleet) -> None:
    images = pair.inv("plan --tag v1.2.3 --format json").ok().json["images"]
    assert images[1]["references"] == [
        "ghcr.io/acme/api:v1.2.3",
        "ghcr.io/acme/api:1.2",
        "ghcr.io/acme/api:latest",
    ]


def test_plan_without_dependencies(pair: Fleet) -> None:
    planned = pair.inv("plan --images api --no-deps --format json").ok().json
    assert [image["name"] for image in planned["images"]] == ["api"]


def test_version_needs_no_image_to_be_in_order(pair: Fleet) -> None:
    pair.image("api", "FROM acme/api\n")
    assert pair.inv("version").ok().out == "0.1.0  (project.version)\n"
