"""`override = "must-match"`: what may be said from outside for the parts of names."""

from __future__ import annotations

import pytest

from tests.planned import findings, project
from tests.scenario import Fleet

HEAD = """
[project]
registry = "ghcr.io"
owner = "lapce"
version = "0.2.0"
override = "must-match"
[env]
OWNER = "project.owner"
TAGS = "tags.build"
VERSION = "project.version"
[tags]
build = ["{{version}}"]
"""


@pytest.fixture
def strict(fleet: Fleet) -> Fleet:
    """A project whose names are said in its code as well."""
    fleet.image("api")
    fleet.toml("[images.api]", head=HEAD)
    return fleet


@pytest.mark.parametrize(
    ("line", "said", "declared", "path"),
    [
        ("--registry quay.io", "quay.io", "ghcr.io", "project.registry"),
        ("--owner someone", "someone", "lapce", "project.owner"),
        ("--tags edge,latest", "edge, latest", "{version}", "tags.build"),
    ],
)
@pytest.mark.parametrize("task", ["build", "push", "plan"])
def test_something_else_is_refused_with_both_values(
    strict: Fleet, task: str, line: str, said: str, declared: str, path: str
) -> None:
    (finding,) = findings(strict, f"{task} {line}")
    assert finding.startswith(f'{line.split(maxsplit=1)[0]}: "{said}" does not match "{declared}"')
    assert 'project.override = "must-match"' in finding
    assert finding.endswith(f"change {path} in build.toml. ({path})")


def test_the_environment_is_held_to_it_too_and_all_is_said_at_once(strict: Fleet) -> None:
    said = strict.inv("build", env={"OWNER": "fork", "VERSION": "9"}).failed(2).err
    assert 'environment variable OWNER: "fork" does not match "lapce"' in said
    assert 'environment variable VERSION: "9" does not match "0.2.0"' in said


def test_what_stands_in_build_toml_may_be_said_again(strict: Fleet) -> None:
    strict.inv("list --registry ghcr.io --owner lapce", env={"OWNER": "lapce", "TAGS": "{version}"}).ok()


def test_without_it_an_override_goes_elsewhere(strict: Fleet) -> None:
    strict.toml("[images.api]", head=HEAD.replace("must-match", "redirect"))
    assert "quay.io/lapce/api:0.2.0" in strict.inv("list --registry quay.io").ok().out


def test_it_cannot_be_talked_out_of_it(strict: Fleet) -> None:
    """The rule is the file's own: nothing from outside lifts it."""
    strict.toml("[images.api]", head=HEAD.replace("[env]\n", '[env]\nRULE = "project.override"\n'))
    assert "does not match" in strict.inv("list --owner x", env={"RULE": "redirect"}).failed(2).err


def test_the_owner_is_never_guessed(strict: Fleet) -> None:
    """Neither CI's variables nor a fork's remote say whose images these are."""
    strict.commit()
    strict.git("remote", "add", "origin", "git@github.com:fork/lapdev.git")
    guesses = {
        "GITHUB_REPOSITORY": "fork/lapdev",
        "GITHUB_REPOSITORY_OWNER": "fork",
        "GITHUB_ACTIONS": "true",
    }
    guesses |= {"CI_PROJECT_NAMESPACE": "fork", "CI_REGISTRY_IMAGE": "registry.gitlab.com/fork/lapdev"}
    assert strict.inv("plan --format json", env=guesses).ok().out == strict.inv("plan --format json").ok().out
    assert {registry.owner for registry in project(strict, guesses).registries} == {"lapce"}
