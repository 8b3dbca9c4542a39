"""The comparison of recorded calls with a plan sees what differs, and nothing else."""

from __future__ import annotations

from typing import Any

from tests.systems.recorded import Recording


def planned(**changes: Any) -> dict[str, Any]:
    """The plan of Lapdev's API as it was recorded, but for `changes`."""
    image = {
        "name": "lapdev-api",
        "references": ["ghcr.io/lapce/lapdev-api:0.2.0"],
        "dockerfile": "pkg/kube-container/Dockerfile",
        "context": ".",
        "target": "lapdev-api",
        "args": {},
        "platforms": ["linux/amd64"],
        "publish": True,
    }
    return {"images": [image | changes]}


def of_the_api(found: set[str]) -> set[str]:
    return {line for line in found if "lapdev-api" in line}


def test_what_is_planned_as_recorded_differs_in_nothing():
    found = Recording.of("lapdev").differences(planned())
    assert not of_the_api(found)
    assert "lapdev-kube-manager: not planned" in found
    assert "push of ghcr.io/lapce/lapdev-kube-manager:0.2.0: not planned" in found


def test_every_difference_is_one_line():
    other = planned(
        target="api",
        context="pkg",
        dockerfile="Dockerfile",
        references=["ghcr.io/lapce/lapdev-api:latest"],
        args={"GO": "1"},
        platforms=["linux/amd64", "linux/arm64"],
    )
    assert of_the_api(Recording.of("lapdev").differences(other)) == {
        "lapdev-api: target lapdev-api -> api",
        "lapdev-api: context . -> pkg",
        "lapdev-api: dockerfile pkg/kube-container/Dockerfile -> Dockerfile",
        "lapdev-api: reference ghcr.io/lapce/lapdev-api:0.2.0 -> none",
        "lapdev-api: reference none -> ghcr.io/lapce/lapdev-api:latest",
        "lapdev-api: argument none -> GO=1",
        "lapdev-api: platforms the machine's own -> linux/amd64, linux/arm64",
        "push of ghcr.io/lapce/lapdev-api:0.2.0: not planned",
    }


def test_a_recorded_name_may_be_planned_under_another():
    found = Recording.of("lapdev").differences(planned(name="api"), {"lapdev-api": "api"})
    assert not of_the_api(found)


def test_an_image_that_no_call_built_is_said():
    assert "extra: not recorded" in Recording.of("lapdev").differences(planned(name="extra"))
