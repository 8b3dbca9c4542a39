"""Carbide in its second flavour: three lines of build.toml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import Fleet
from tests.systems import programs
from tests.systems.system import SYSTEMS, own, stand_in, system

pytestmark = pytest.mark.engine


@pytest.fixture
def fast(engine: PrivateEngine, owners: set[str], tmp_path: Path) -> Fleet:
    """A copy of Carbide whose localhost:5000 is a path of this run's own in the private registry."""
    mine = own("fast")
    owners.add(mine)
    starts = programs.starts(tmp_path / "starts")
    mirror = {
        "golang:1.25.1": stand_in(engine, "toolchain", "golang:1.25.1", contexts={"starts": starts}),
        "alpine:latest": stand_in(engine, "alpine", "alpine:latest"),
    }
    words = {"localhost:5000": f"{engine.registry}/{mine}", "nvcr.io": f"{engine.registry}/{mine}"}
    fleet = system(engine, "carbide", tmp_path, words, mirror)
    fleet.owner = mine
    fleet.commit("the fleet")
    return fleet


def test_the_same_images_come_from_other_dockerfiles_and_stand_on_a_base_built_here(
    fast: Fleet, engine: PrivateEngine
) -> None:
    fast.inv("build --flavour fast --images carbide-rest-api").ok()
    place = f"{engine.registry}/{fast.owner}"
    (listed,) = fast.inv("list --flavour fast --images carbide-rest-api --json").ok().json["images"]
    assert (listed["dockerfile"], listed["repository"], [need["image"] for need in listed["needs"]]) == (
        "docker/production/Dockerfile.carbide-rest-api.fast",
        f"{place}/carbide-rest-api",
        ["carbide-base-runtime"],
    )
    told = json.loads(
        engine.docker("image", "inspect", "-f", "{{json .Config}}", f"{place}/carbide-rest-api:latest")
    )
    assert (told["User"], told["Entrypoint"]) == ("appuser", ["/app/api"])
    assert engine.docker("run", "--rm", f"{place}/carbide-rest-api:latest", "--version") == "0.2.71"


def test_all_seven_and_their_base_are_in_it_for_three_lines_more(fast: Fleet) -> None:
    lines = (SYSTEMS / "carbide" / "build.toml").read_text().splitlines()
    assert sum("flavours" in line for line in lines) == 3
    images = {image["name"] for image in fast.inv("list --json").ok().json["images"]}
    assert len(images) == 7
    flavoured = {image["name"] for image in fast.inv("list --flavour fast --json").ok().json["images"]}
    assert flavoured == images | {"carbide-base-runtime"}
