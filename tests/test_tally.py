"""What has become of a plan's images, also where the build came to no end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.engine import building
from tasks.engine.results import Results, Verdict
from tasks.engine.tally import Tally, Unfinished
from tasks.errors import StoppedError, SurroundingsError
from tasks.planning.facts import Facts
from tasks.planning.plan import Plan
from tasks.podman import building as podman
from tests import planned
from tests.scenario import Fleet

Build = Callable[[Plan, Path], Results]


@pytest.fixture
def three(fleet: Fleet) -> Plan:
    """`api` stands on `base`, `web` on neither."""
    for name, base in (("base", "busybox"), ("api", "acme/base"), ("web", "busybox")):
        fleet.image(name, f"FROM {base}\n")
    fleet.toml("[images.base]\n[images.api]\n[images.web]\n")
    return planned.plan(fleet)


def verdicts(results: Results) -> dict[str, tuple[Verdict, str]]:
    return {one.image: (one.verdict, one.reason) for one in results.images}


def test_what_was_not_come_to_says_why(three: Plan, tmp_path: Path) -> None:
    tally = Tally(three, tmp_path / "log")
    with tally.under_way(), tally.log() as log:
        log.write("begun\n")
        tally.finish(three["base"], Verdict.FAILED, reason="a typo")
    assert verdicts(tally.results()) == {
        "base": (Verdict.FAILED, "a typo"),
        "api": (Verdict.SKIPPED, "stands on base, which failed"),
        "web": (Verdict.SKIPPED, "stopped when base failed"),
    }
    assert (tmp_path / "log").read_text() == "begun\n"


def test_ctrl_c_keeps_what_was_built(three: Plan, tmp_path: Path) -> None:
    tally = Tally(three, tmp_path / "log")
    with tally.under_way():
        tally.finish(three["base"], Verdict.BUILT)
        raise KeyboardInterrupt
    with pytest.raises(Unfinished) as stopped:
        tally.results()
    assert isinstance(stopped.value.error, StoppedError)
    found = {image: verdict for image, (verdict, _) in verdicts(stopped.value.results).items()}
    assert found == {"base": Verdict.BUILT, "api": Verdict.STOPPED, "web": Verdict.STOPPED}


@pytest.mark.parametrize(
    "build",
    [
        lambda plan, log: building.build(plan, most=1, log_file=log),
        lambda plan, log: podman.build(plan, Facts("linux/amd64"), log_file=log),
    ],
    ids=["buildkit", "podman"],
)
def test_a_log_that_cannot_be_written_ends_the_build_with_its_place(
    three: Plan, tmp_path: Path, build: Build
) -> None:
    log = tmp_path / "nowhere" / "build.log"
    reused = replace(three["web"], action="reuse")
    plan = replace(three, images=(three["base"], three["api"], reused))
    with pytest.raises(Unfinished) as ended:
        build(plan, log)
    assert isinstance(ended.value.error, SurroundingsError)
    assert str(ended.value.error).startswith(f"cannot write {log}: No such file or directory. ")
    assert verdicts(ended.value.results)["base"] == (Verdict.STOPPED, "")
