"""One rule for every setting: command line, then environment, then build.toml, then the default.

The environment may be make's: `make X=…` and `X=… make` come to the same plan as the flag.
"""

from __future__ import annotations

import sys

import pytest

from tests.scenario import ROOT, Fleet, Ran

SETTINGS = {
    "registry": ("project.registry", "localhost:5000/mirror"),
    "owner": ("project.owner", "someone/else"),
    "tags": ("tags.build", "v9,{version}-{image}"),
    "platforms": ("defaults.platforms", "linux/arm64,linux/386"),
}


@pytest.fixture
def project(fleet: Fleet) -> Fleet:
    """Three images, one with keys of its own for all that can be overridden, one standing on another."""
    fleet.image("base")
    fleet.image("api", "ARG BASE\nFROM ${BASE}\n")
    fleet.image("tool")
    variables = "\n".join(f'{name.upper()} = "{path}"' for name, (path, _) in SETTINGS.items())
    fleet.toml(
        f"""
        [env]
        {variables.replace(chr(10), chr(10) + " " * 8)}
        [images.base]
        platforms = ["linux/amd64", "linux/arm64", "linux/386"]
        [images.api]
        args = {{ BASE = "{{image.base}}" }}
        tags = ["own"]
        platforms = ["linux/amd64"]
        [images.tool]
        local = ["tool:dev"]
        """
    )
    fleet.file("Makefile", f"include {ROOT}/tasks/argosy.mk\n")
    return fleet


def make(fleet: Fleet, *words: str, **env: str) -> Ran:
    argosy = {"ARGOSY": f"{sys.executable} -m tasks.cli", "PYTHONPATH": str(ROOT), "FLAGS": "--format json"}
    return fleet.run("make", "-s", *words, "container-plan", env=argosy | env).ok()


def without_origins(ran: Ran) -> object:
    plan = ran.ok().json
    del plan["origins"]
    return plan


@pytest.mark.parametrize("name", SETTINGS)
def test_an_empty_one_says_nothing_from_any_side(project: Fleet, name: str) -> None:
    plain = without_origins(project.inv("plan --format json"))
    assert without_origins(project.inv(f"plan --format json --{name} ''")) == plain
    assert without_origins(project.inv("plan --format json", env={name.upper(): ""})) == plain
    assert without_origins(make(project, f"{name.upper()}=")) == plain


@pytest.mark.parametrize("name", SETTINGS)
def test_one_setting_said_from_three_sides_makes_one_plan(project: Fleet, name: str) -> None:
    _, text = SETTINGS[name]
    flag = project.inv(f"plan --format json --{name} '{text}'")
    assert without_origins(flag) == without_origins(make(project, f"{name.upper()}={text}"))
    assert without_origins(flag) == without_origins(make(project, **{name.upper(): text}))
    assert without_origins(flag) != without_origins(project.inv("plan --format json"))


@pytest.mark.parametrize("name", SETTINGS)
def test_the_flag_beats_the_environment_beats_the_file(project: Fleet, name: str) -> None:
    path, text = SETTINGS[name]
    other = {"registry": "quay.io", "owner": "other", "tags": "other", "platforms": "linux/amd64"}[name]
    flag = project.inv(f"plan --format json --{name} '{text}'", env={name.upper(): other})
    assert flag.ok().json["origins"] == {path: f"--{name}"}
    assert without_origins(flag) == without_origins(
        project.inv("plan --format json", env={name.upper(): text})
    )


def test_the_file_beats_the_default(project: Fleet) -> None:
    images = {image["name"]: image for image in project.inv("plan --format json").ok().json["images"]}
    assert images["tool"]["references"] == [
        "ghcr.io/acme/tool:0.1.0",
        "ghcr.io/acme/tool:latest",
        "tool:dev",
    ]
    assert images["api"]["references"] == ["ghcr.io/acme/api:own"]
    assert images["api"]["platforms"] == ["linux/amd64"]


def test_make_s_own_variable_beats_the_environment(project: Fleet) -> None:
    assert without_origins(make(project, "TAGS=a", TAGS="b")) == without_origins(
        project.inv("plan --format json --tags a")
    )


def test_all_settings_at_once(project: Fleet) -> None:
    flags = " ".join(f"--{name} '{text}'" for name, (_, text) in SETTINGS.items())
    env = {name.upper(): text for name, (_, text) in SETTINGS.items()}
    flag = project.inv(f"plan --format json {flags}")
    assert without_origins(flag) == without_origins(project.inv("plan --format json", env=env))
    base, api, _ = flag.json["images"]
    assert api["references"] == [
        "localhost:5000/mirror/someone/else/api:v9",
        "localhost:5000/mirror/someone/else/api:0.1.0-api",
    ]
    assert api["args"] == {"BASE": base["references"][0]}
    assert api["platforms"] == ["linux/arm64", "linux/386"]


def test_a_pattern_target_reaches_any_image(project: Fleet) -> None:
    ran = project.run(
        "make",
        "-s",
        "container-plan-tool",
        env={"ARGOSY": f"{sys.executable} -m tasks.cli", "PYTHONPATH": str(ROOT)},
    ).ok()
    assert "ghcr.io/acme/tool:0.1.0" in ran.out
    assert "1 image," in ran.out


def test_images_versions_and_constants_are_said_from_make_and_the_environment_alike(fleet: Fleet) -> None:
    """What scripts around a fleet have always taken: BUILD_BASE=false, VERSION=1.1, GO=1.26."""
    fleet.image("base")
    fleet.image("workspace", "ARG GO\nFROM golang:${GO}\n")
    fleet.toml(
        """
        [version]
        sources = [{ env = "VERSION" }, { value = "latest" }]
        [env]
        BUILD_BASE = "images.base.selected"
        GO = "constants.go"
        [constants]
        go = "1.25"
        [images.base]
        [images.workspace]
        args = { GO = "{go}" }
        """,
        head='[project]\nregistry = "ghcr.io"\n',
    )
    fleet.file("Makefile", f"include {ROOT}/tasks/argosy.mk\n")
    said = {"BUILD_BASE": "false", "VERSION": "1.1", "GO": "1.26"}
    plan = without_origins(fleet.inv("plan --format json", env=said))
    assert plan == without_origins(make(fleet, *(f"{name}={text}" for name, text in said.items())))
    assert plan == without_origins(make(fleet, **said))
    (workspace,) = fleet.inv("plan --format json", env=said).ok().json["images"]
    assert (workspace["name"], workspace["version"], workspace["args"]) == (
        "workspace",
        "1.1",
        {"GO": "1.26"},
    )
    chosen = fleet.inv("plan --format json --images workspace", env={"VERSION": "1.1", "GO": "1.26"})
    assert plan == without_origins(chosen)


def test_a_tag_given_twice_is_one_reference(fleet: Fleet) -> None:
    """VERSION=latest beside a fixed latest."""
    fleet.image("api")
    fleet.toml('[images.api]\nlocal = ["api:{version}", "api"]\n[tags]\nbuild = ["{version}", "latest"]\n')
    fleet.file("build.toml", (fleet.root / "build.toml").read_text().replace('"0.1.0"', '"latest"'))
    (api,) = fleet.inv("plan --format json").ok().json["images"]
    assert api["references"] == ["ghcr.io/acme/api:latest", "api:latest"]
