"""The measurement itself: its arithmetic, what it selects, what it writes, and one real race of two images."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from benchmark import page, ways
from benchmark.cell import ARGOSY, BAKE, CPU, LOOP, STATES, Cell, cells, races
from benchmark.figures import Figures, Series, load, save
from benchmark.fleet import Fleet
from benchmark.targets import RUNS, TARGETS, Target, judge

COLD_LOAD = Cell("build", 20, 1, "load", "cold")


def series(*rounds: dict[str, float | None]) -> Series:
    return Series("same", list(rounds))


def test_ratios_are_taken_pair_by_pair_so_that_a_slow_round_slows_both():
    found = series({ARGOSY: 2.0, BAKE: 1.0}, {ARGOSY: 30.0, BAKE: 20.0}, {ARGOSY: 3.0, BAKE: 2.0})
    assert found.ratio(ARGOSY, BAKE) == 1.5
    assert found.difference(ARGOSY, BAKE) == 1.0


def test_a_run_that_failed_counts_as_started_and_has_no_part_in_any_figure():
    found = series({ARGOSY: 2.0, BAKE: None}, {ARGOSY: 4.0, BAKE: 2.0})
    assert (found.started(BAKE), found.times(BAKE)) == (2, [2.0])
    assert found.ratio(ARGOSY, BAKE) == 2.0
    assert found.ratio(ARGOSY, LOOP) is None


@pytest.mark.parametrize(
    ("target", "rounds", "reached"),
    [
        (Target(COLD_LOAD, "more", 0.6, BAKE), [{ARGOSY: 5.5, BAKE: 5.0}], True),
        (Target(COLD_LOAD, "more", 0.6, BAKE), [{ARGOSY: 5.7, BAKE: 5.0}], False),
        (Target(COLD_LOAD, "ratio", 0.6, LOOP), [{ARGOSY: 7.0, LOOP: 10.0}], False),
        (Target(COLD_LOAD, "ratio", 0.6, LOOP), [{ARGOSY: 7.0}], None),
        (Target(COLD_LOAD, "seconds", 3), [{ARGOSY: 2.9}], True),
        (Target(COLD_LOAD, "completed", 2), [{ARGOSY: 1.0}], None),
        (Target(COLD_LOAD, "completed", 2), [{ARGOSY: 1.0}, {ARGOSY: 1.0}], True),
        (Target(COLD_LOAD, "completed", 2), [{ARGOSY: 1.0}, {ARGOSY: None}], False),
        (Target(COLD_LOAD, "completed", 2), [], None),
    ],
)
def test_a_target_is_reached_missed_or_open(target, rounds, reached):
    assert judge(target, Figures({}, {COLD_LOAD.key: series(*rounds)})).reached is reached


def test_every_target_has_a_cell_that_a_full_run_measures_often_enough():
    measured = {cell.key: cell for cell in cells([5, 20, 100], [1, 2])}
    for target in TARGETS:
        assert target.cell.key in measured
        # A hundred images take minutes to push, and the processor's time hardly varies.
        assert measured[target.cell.key].runs(ARGOSY, RUNS) == (3 if target.measure == "cpu" else RUNS)
        if target.other == BAKE:
            assert target.cell.runs(BAKE, RUNS) == RUNS
    assert all(cell.runs(way, RUNS) for cell in measured.values() for way in cell.ways if way != LOOP)


def test_only_selects_cells_that_have_all_words_of_one_of_them():
    chosen = cells([5, 20], [1, 2], ["20x1 cold", "plan"])
    assert [cell.key for cell in chosen] == [
        "plan",
        "20x1 cold load",
        "20x1 cold load services",
        "20x1 cold push",
    ]
    # The list, the plan, the large context, names, a release and a second machine of images and of services, a load
    # and a push with all their states.
    assert len(races(cells([5], [1]))) == 10


def test_figures_come_back_from_their_file_and_are_continued_only_by_the_same_code(tmp_path: Path):
    figures = Figures({"Python": "3"}, {COLD_LOAD.key: series({ARGOSY: 1.23456, BAKE: None})})
    save(figures, tmp_path / "figures.json")
    found = load(tmp_path / "figures.json")
    assert found.machine == {"Python": "3"}
    assert found.series[COLD_LOAD.key].rounds == [{ARGOSY: 1.235, BAKE: None}]
    assert len(found.continued(COLD_LOAD.key, "same").rounds) == 1
    assert found.continued(COLD_LOAD.key, "another").rounds == []
    (tmp_path / "old.json").write_text('{"schema": 0}')
    with pytest.raises(ValueError, match=r"old\.json has schema 0"):
        load(tmp_path / "old.json")


def test_the_page_shows_each_figure_beside_its_target():
    figures = Figures({"Python": "3.11"}, {COLD_LOAD.key: series({ARGOSY: 6.1, BAKE: 5.0, LOOP: 12.2})})
    text = page.page(figures)
    assert "| 20 images, 1 platform, cold load | ≤ bake + 0.6 s | +1.10 s | **missed** |" in text
    assert "| 20 images, 1 platform, cold load | ≤ 0.6 of loop | 0.50 | reached |" in text
    assert (
        "| 20 images, 1 platform, cold load | 6.1 s | 5.0 s | 1.22 | 12.2 s | 0.50 | 1 of 1 | 1 of 1 |"
        in text
    )
    assert "| `plan` of 1,000 images | ≤ 3 s | not measured | open |" in text
    assert "Python 3.11" in text


def test_all_ways_build_the_same_names(tmp_path: Path):
    fleet = Fleet(tmp_path / "fleet", 3, ("linux/amd64", "linux/arm64"), "localhost:1")
    fleet.write()
    assert fleet.names == ("base", "app-0001", "app-0002")
    assert [name for name in fleet.names if fleet.on_base(name)] == ["app-0001"]
    planned = {"target": {name: {"tags": ["x:argosy-1"], "output": ["type=docker"]} for name in fleet.names}}
    loaded = ways.named(planned, fleet, "me", "load")["target"]["base"]
    assert loaded == {
        "tags": ["localhost:1/me/base:0.1.0", "localhost:1/me/base:latest"],
        "output": ["type=docker"],
    }
    (output,) = ways.named(planned, fleet, "me", "push")["target"]["app-0001"]["output"]
    assert '"name=localhost:1/me/app-0001:0.1.0,localhost:1/me/app-0001:latest"' in output
    base, child, _ = ways.commands(LOOP, fleet, "me", "push", tmp_path / "unused")
    assert base[-2:] == ["--push", str(fleet.root / "docker" / "base")]
    assert {"OWNER=me", "REGISTRY=localhost:1", "localhost:1/me/app-0001:latest"} <= set(child)


@pytest.mark.engine
def test_a_real_race_is_timed_and_written_down(engine: PrivateEngine, tmp_path: Path):
    results = tmp_path / "benchmarks.json"
    command = [str(ROOT / "scripts" / "bench"), "--images", "2", "--platforms", "1", "--runs", "1"]
    command += ["--only", "2x1 load", "--results", str(results)]
    done = subprocess.run(
        [sys.executable, *command], env=engine.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(results.read_text())["cells"]
    for key in (f"2x1 {state} load" for state in STATES):
        (one,) = figures[key]["rounds"]
        assert list(one)[:2] == [ARGOSY, BAKE]
        assert all(one.values()), done.stderr
    (loaded,), (again,), (one,) = (figures[f"2x1 {state} load"]["rounds"] for state in STATES)
    assert LOOP in loaded
    assert LOOP not in again
    assert again[CPU] > 0
    assert one.keys() == {ARGOSY, BAKE}
    assert "2 images, 1 platform, cold load" in results.with_suffix(".md").read_text()
