"""ONBUILD of what an image stands on: what it takes from elsewhere no address can stand for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tasks import config
from tasks.config import lock
from tasks.engine import facts
from tasks.engine.considering import Wish, consider
from tasks.planning import planner
from tasks.planning.dockerfile import read
from tasks.planning.request import Request
from tasks.planning.triggers import fetching
from tests.scenario import Fleet

DIGEST = "sha256:" + "a" * 64


def barriers(fleet: Fleet, **bases: lock.Base) -> Mapping[str, str]:
    """Why images of the fleet can't be reused; it stands on `bases`, of any tag."""
    lock.write(fleet.root, lock.Lock({f"{name}:1": base for name, base in bases.items()}))
    project = config.load(fleet.root, {}, [])
    known = facts.gather(project, {})
    plan = planner.make(project, known, Request(output="none"))
    return consider(project, known, plan, Wish(locked=True))[1].barriers


@pytest.mark.parametrize(
    ("trigger", "why"),
    [
        ("ADD http://host/f /f", "docker/base/Dockerfile:2: ADD http://host/f has no --checksum"),
        ("ADD $URL /f", "ADD $URL may be a URL"),
        (f"ADD --checksum={DIGEST} http://host/f /f", ""),
        ("ADD --checksum=$SUM http://host/f /f", "has no --checksum"),
        ("COPY --from=alpine:3 /f /f", "docker/base/Dockerfile:2: ONBUILD COPY takes from alpine:3"),
        ("RUN --mount=from=alpine:3,target=/m cp /m/f /", "ONBUILD RUN takes from alpine:3"),
        ("RUN --mount=target=/m cp /m/f /", ""),
        ("COPY data /data", ""),
    ],
)
def test_what_a_siblings_trigger_fetches_cannot_be_known(fleet: Fleet, trigger: str, why: str) -> None:
    fleet.image("base", f"FROM scratch\nONBUILD {trigger}\n")
    fleet.image("api", "FROM acme/base\n")
    fleet.toml("[images.base]\n[images.api]\nneeds = ['base']\n")
    found = barriers(fleet)
    assert "base" not in found
    assert why in found["api"] if why else not found


def test_what_an_outside_bases_trigger_fetches_cannot_be_known(fleet: Fleet) -> None:
    fleet.image("api", "FROM builder:1\n")
    fleet.toml("[images.api]\n")
    base = lock.Base(DIGEST, onbuild=True)
    assert not barriers(fleet, builder=base)
    fetches = lock.Base(DIGEST, onbuild=True, fetching=True)
    assert barriers(fleet, builder=fetches) == {
        "api": "ONBUILD of builder:1 takes from elsewhere what cannot be known"
    }


def test_a_dockerfile_without_triggers_leaves_nothing() -> None:
    assert not list(fetching(read("FROM a:1\nADD http://host/f /f\n", "Dockerfile")))
