"""Images without a name: they are built and kept, and what needs a name says so."""

from __future__ import annotations

import pytest

from tests.scenario import Fleet

NAMELESS = """
[images.api]
tags = []
publish = false
extract = { "/bin/busybox" = "busybox" }
[images.web]
"""


def two(fleet: Fleet) -> Fleet:
    """One image without a name and one with."""
    fleet.image("api", f"FROM busybox:stable\nENV OWNER={fleet.owner}\n")
    fleet.image("web", f"FROM busybox:stable\nENV OWNER={fleet.owner}\n")
    fleet.toml(NAMELESS)
    return fleet


@pytest.mark.parametrize("task", ["save --dir out", "extract --dir out"])
def test_what_leaves_the_engine_needs_a_name(fleet: Fleet, task: str) -> None:
    ran = two(fleet).inv(task).failed(2)
    assert "api: an image without a name is not found in the engine" in ran.err
    assert "images.api.tags" in ran.err
    assert not (fleet.root / "out").exists()


@pytest.mark.engine
def test_one_without_a_name_is_built_and_then_reused(real: Fleet) -> None:
    two(real)
    for verdict in ("built", "reused"):
        images = {image["name"]: image for image in real.inv("build --json").ok().json["images"]}
        assert (images["api"]["verdict"], images["api"]["references"]) == (verdict, [])
        assert images["web"]["size"]
    assert "api" in real.inv("list").ok().out
    (unseen,) = [one for one in real.inv("test --json").ok().json["checks"] if one["image"] == "api"]
    assert (unseen["outcome"], unseen["detail"][:14]) == ("skipped", "it has no name")
    real.inv("save --images web --dir out").ok()
    assert (real.root / "out" / "web.tar").is_file()
    assert "it has no name" in real.inv("lint").ok().out
