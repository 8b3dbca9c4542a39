"""Which promises hold for an image: its own, those of the image it stands on, those of the defaults."""

from __future__ import annotations

import pytest

from tasks.model import Contract
from tasks.planning.naming import Naming
from tasks.planning.planner import drafts
from tasks.planning.promises import promises
from tests.planned import facts, project
from tests.scenario import Fleet


def promised(fleet: Fleet, *names: str) -> dict[str, Contract]:
    loaded = project(fleet)
    naming = Naming(loaded, facts(loaded))
    return promises(naming, names, drafts(naming, names, deps=True))


@pytest.fixture
def family(fleet: Fleet) -> Fleet:
    """A base, what stands on it in its last stage, and what only takes files from it."""
    fleet.image("base")
    fleet.image(
        "api",
        "ARG BASE=acme/base\nFROM busybox AS build\nFROM ${BASE} AS run\nFROM run\nCOPY --from=build / /\n",
    )
    fleet.image("tool", "FROM acme/base AS build\nFROM scratch\nCOPY --from=build /bin /bin\n")
    return fleet


def test_a_child_keeps_its_parent_s_promises_unless_it_says_otherwise(family: Fleet):
    family.toml(
        """
        [images.base]
        size = 10
        waive = { user = "nothing runs in it" }
        [images.base.expect]
        user = "root"
        ports = [22]
        env = { LANG = "C", HOME = "/" }
        healthcheck = { interval = "30s" }
        [[images.base.tests]]
        run = "base --version"
        [[images.base.tests]]
        name = "starts"
        run = "true"

        [images.api.expect]
        user = "app"
        env = { HOME = "/app" }
        healthcheck = true
        [[images.api.tests]]
        name = "starts"
        run = "api --check"

        [images.tool]
        """
    )
    found = promised(family, "api", "tool")
    api = found["api"]
    assert (api.expect.user, api.expect.ports) == ("app", ("22/tcp",))
    assert api.expect.env == {"LANG": "C", "HOME": "/app"}
    assert (api.expect.healthcheck, api.expect.interval) == (True, None)
    assert [(test.title, test.run) for test in api.tests] == [
        ("run base --version", ("base", "--version")),
        ("starts", ("api", "--check")),
    ]
    assert (api.size, dict(api.waive)) == (None, {})
    assert found["tool"] == Contract()


def test_an_image_may_refuse_what_it_would_inherit(family: Fleet):
    family.toml("[images.base]\nexpect = { user = 'root' }\n[images.api]\ninherit = false\n[images.tool]")
    assert promised(family, "api")["api"].expect.user is None


def test_defaults_hold_for_every_image_under_its_own_name(family: Fleet):
    family.toml(
        """
        [defaults]
        size = 100
        expect = { user = "non-root", labels = { title = "{image} {version}" } }
        tests = [{ run = "{image} --version", output = "{version}" }]
        [images.base]
        expect = { user = "root" }
        [images.api]
        version = "7.1"
        size = 50
        [images.tool]
        """
    )
    found = promised(family, "base", "api", "tool")
    assert [found[name].expect.user for name in found] == ["root", "root", "non-root"]
    assert [found[name].size for name in found] == [(0, 100), (0, 50), (0, 100)]
    assert found["api"].expect.labels == {"title": "api 7.1"}
    assert [(test.run, test.output) for test in found["api"].tests] == [(("api", "--version"), "7.1")]
