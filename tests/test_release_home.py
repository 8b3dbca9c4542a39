"""Where a fleet keeps its journal and its records: in one place, whatever stands on what."""

from __future__ import annotations

import pytest

from tasks.errors import ConfigError
from tasks.model import HUB
from tasks.release import order
from tests import planned
from tests.scenario import Fleet


def home(fleet: Fleet, *permanent: str) -> str:
    request = {"output": "none", "release": "v0.0.0"}
    return str(order.home(planned.plan(fleet, request=request), planned.project(fleet).images, permanent))


def test_what_an_image_stands_on_does_not_move_the_records(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.image("base")
    fleet.toml("[images.api]\n[images.base]\n")
    assert home(fleet) == "ghcr.io/acme/api"
    fleet.image("api", "FROM acme/base\n")
    assert home(fleet) == "ghcr.io/acme/api"


def test_a_journal_is_kept_where_it_can_be_taken_away(fleet: Fleet) -> None:
    fleet.image("api")
    hosts = '[{ host = "ghcr.io", owner = "acme" }, { host = "docker.io", owner = "acme" }]'
    fleet.file("build.toml", f'[project]\nversion = "1.0.0"\nregistries = {hosts}\n[images.api]\n')
    assert home(fleet, "ghcr.io") == f"{HUB}/acme/api"
    with pytest.raises(ConfigError, match=r"release\.permanent has every registry of this fleet \(docker"):
        home(fleet, "ghcr.io", HUB)
