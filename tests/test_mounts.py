"""Secrets and keys that are given and mounted by nobody."""

from __future__ import annotations

from tests.planned import plan
from tests.scenario import Fleet

TOML = """
[images.api]
target = "{target}"
ssh = ["default"]
secrets = {{ netrc = {{ file = "~/.netrc" }}, token = {{ env = "TOKEN" }}, unused = {{ env = "X" }} }}
"""
DOCKERFILE = """
FROM busybox:stable AS build
RUN --mount=type=secret,target=/root/netrc --mount=type=ssh cat /root/netrc
RUN --mount=type=secret,id=token,env=TOKEN true
FROM busybox:stable AS other
"""


def test_only_what_no_run_that_is_reached_mounts_is_warned_of(fleet: Fleet) -> None:
    fleet.image("api", DOCKERFILE)
    fleet.toml(TOML.format(target="build"))
    assert plan(fleet)["api"].warnings == (
        "secret unused is given and mounted by no RUN: RUN --mount=type=secret,id=unused …",
    )
    fleet.toml(TOML.format(target="other"))
    said = [warning.partition(" is given")[0] for warning in plan(fleet)["api"].warnings]
    assert said == ["secret netrc", "secret token", "secret unused", "ssh default"]


def test_the_plan_says_so_among_its_notes(fleet: Fleet) -> None:
    fleet.image("api", DOCKERFILE)
    fleet.toml(TOML.format(target="build"))
    assert "api: secret unused is given and mounted by no RUN" in fleet.inv("plan").ok().out
    (api,) = fleet.inv("plan --format json").ok().json["images"]
    assert api["notes"][0].startswith("secret unused")
