"""Results as tables, failures, one line, JSON and Markdown: all from the same rows."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.engine.results import Result, Results, Verdict
from tasks.model import Moved
from tasks.report import units
from tasks.report.results import (
    LOG_LINES,
    as_json,
    conclusion,
    failure_lines,
    grouped,
    images_table,
    moved_table,
    show,
)
from tasks.report.summary import append_summary
from tasks.report.table import Cell, Column, Table, has_colours, write

BOTH = ("linux/amd64", "linux/arm64")
NEW, OLD = "sha256:" + "ab12" * 16, "sha256:" + "cd34" * 16
API = Result(
    "api",
    Verdict.BUILT,
    platforms=BOTH,
    references=("localhost:5000/argosy/api:0.1.0", "localhost:5000/argosy/api:latest"),
    output="loaded",
    size=8_200_000,
    seconds=75.2,
    steps=8,
    cached=6,
)
WORKER = Result(
    "worker",
    Verdict.FAILED,
    reason="[2/5] RUN make\nexit code: 2",
    platforms=BOTH,
    log=tuple(f"line {number}" for number in range(1, LOG_LINES + 6)),
    where="docker/worker/Dockerfile:7",
)
WEB = Result("web", Verdict.SKIPPED, reason="stands on worker, which failed")
MOVED = (
    Moved("localhost:5000/argosy/api:0.1.0", "", NEW),
    Moved("localhost:5000/argosy/api:latest", OLD, NEW),
    Moved("localhost:5000/argosy/api:0", NEW, NEW),
)
MIXED = Results((API, WORKER, WEB), MOVED, 81.4, Path(".argosy/logs/build.log"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(results: Results) -> str:
    out = io.StringIO()
    show(results, out)
    return out.getvalue()


def test_one_row_an_image_with_its_references_grouped():
    heading, row = images_table(Results((API,))).text().splitlines()
    assert heading.split() == ["IMAGE", "PLATFORMS", "REFERENCES", "SIZE", "TIME", "CACHED", "RESULT"]
    assert re.split(" {2,}", row) == [
        "api",
        "linux/amd64, linux/arm64",
        "localhost:5000/argosy/api:0.1.0, latest",
        "8.2 MB",
        "1 m 15 s",
        "75 %",
        "loaded",
    ]


def test_references_are_grouped_by_repository_and_ports_are_no_tags():
    several = ["localhost:5000/a/b:1", "ghcr.io/a/b:1", "localhost:5000/a/b:2", "localhost:5000/a/c", "plain"]
    assert grouped(several) == ["localhost:5000/a/b:1, 2", "ghcr.io/a/b:1", "localhost:5000/a/c", "plain"]


def test_a_failure_is_told_with_where_and_the_end_of_its_log():
    text = shown(MIXED)
    assert "FAILED worker  docker/worker/Dockerfile:7\n  [2/5] RUN make\n  exit code: 2\n" in text
    assert "  | (5 earlier lines are in the log file)\n  | line 6\n" in text
    assert "line 5\n" not in text
    assert f"  | line {LOG_LINES + 5}\n" in text
    worker = next(one for one in MIXED.images if one.image == "worker")
    assert "(1005 earlier lines are in the log file)" in failure_lines(replace(worker, dropped=1000))[3]


def test_a_skip_is_told_with_its_reason():
    assert "skipped: stands on worker, which failed" in shown(MIXED)


def test_the_last_line_sums_up():
    last = shown(MIXED).splitlines()[-1]
    assert last == "1 built, 1 failed, 1 skipped, 2 names moved in 1 m 21 s; log: .argosy/logs/build.log"
    assert conclusion(Results()) == "nothing built in 0.0 s"


def test_a_log_below_the_working_folder_is_named_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert conclusion(Results(log_file=tmp_path / "a" / "b.log")).endswith("; log: a/b.log")
    assert conclusion(Results(log_file=Path("/elsewhere/b.log"))).endswith("; log: /elsewhere/b.log")


def test_moved_names_show_what_was_and_what_is():
    rows = [line.split() for line in moved_table(MIXED).text().splitlines()[1:]]
    assert rows == [
        ["localhost:5000/argosy/api:0.1.0", "-", "ab12ab12ab12", "new"],
        ["localhost:5000/argosy/api:latest", "cd34cd34cd34", "ab12ab12ab12", "moved"],
        ["localhost:5000/argosy/api:0", "ab12ab12ab12", "ab12ab12ab12", "unchanged"],
    ]


def test_nothing_is_cut_where_there_is_no_terminal():
    long = Result("api", Verdict.BUILT, references=(f"ghcr.io/{'x' * 400}:1",), output="loaded")
    assert f"ghcr.io/{'x' * 400}:1" in shown(Results((long,)))
    assert "\x1b" not in shown(MIXED)


def test_json_has_a_schema_and_says_everything():
    value = as_json(MIXED)
    assert json.loads(json.dumps(value)) == value
    assert (value["schema"], value["ok"]) == (1, False)
    assert [image["verdict"] for image in value["images"]] == ["built", "failed", "skipped"]
    assert value["images"][0]["references"] == list(API.references)
    assert value["images"][1]["where"] == "docker/worker/Dockerfile:7"
    assert value["moved"][1] == {
        "reference": "localhost:5000/argosy/api:latest",
        "old": OLD,
        "new": NEW,
        "change": "moved",
    }
    assert as_json(Results((API,)))["ok"] is True


def test_the_summary_is_appended_for_ci(tmp_path):
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    append_summary(MIXED, {"GITHUB_STEP_SUMMARY": str(path)})
    text = path.read_text()
    assert text.startswith("before\n### Argosy: 1 built, 1 failed")
    assert "| image | platforms | references |" in text
    assert "**worker** failed at `docker/worker/Dockerfile:7`" in text
    assert "| api | linux/amd64, linux/arm64 | localhost:5000/argosy/api:0.1.0, latest |" in text


def test_a_summary_that_cannot_be_written_is_said_and_loses_nothing(tmp_path, capsys):
    append_summary(MIXED, {"GITHUB_STEP_SUMMARY": str(tmp_path / "none" / "summary.md")})
    assert "no summary was written" in capsys.readouterr().err


def test_the_summary_says_where_nothing_was_pushed(tmp_path):
    path = tmp_path / "summary.md"
    append_summary(Results((API,)), {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text().startswith("### Argosy: Not pushed. 1 built")


def test_without_ci_no_summary_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    append_summary(MIXED, {})
    append_summary(MIXED, {"GITHUB_STEP_SUMMARY": ""})
    assert not list(tmp_path.iterdir())


def test_a_log_full_of_backticks_cannot_end_its_block(tmp_path):
    path = tmp_path / "summary.md"
    bad = Results((Result("api", Verdict.FAILED, log=("````",)),))
    append_summary(bad, {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text().count("`````\n") == 2


# --- tables on terminals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [200, 100, 80, 60])
def test_a_terminal_of_any_usual_width_breaks_lines_between_words_only(width):
    text = images_table(MIXED).text(width)
    assert max(map(len, text.splitlines())) <= width
    for word in ("localhost:5000/argosy/api:0.1.0,", "linux/amd64,", "worker", "loaded", "failed"):
        assert word in text


def test_a_narrow_terminal_gets_the_widest_column_below_each_row():
    lines = images_table(Results((API,))).text(80).splitlines()
    assert lines[0].split() == ["IMAGE", "PLATFORMS", "SIZE", "TIME", "CACHED", "RESULT"]
    assert lines[2] == "       localhost:5000/argosy/api:0.1.0, latest"


def test_a_very_narrow_terminal_gets_a_line_for_each_cell():
    lines = images_table(Results((API,))).text(40).splitlines()
    assert lines[0] == "api"
    assert "  size        8.2 MB" in lines
    assert "localhost:5000/argosy/api:0.1.0," in images_table(Results((API,))).text(20)


def test_colours_do_not_shift_columns(monkeypatch):
    table = Table((Column("a"), Column("b", "right")), (("x", Cell("1", "bold red")), ("yyy", "22")))
    assert table.text() == "A     B\nx     1\nyyy  22\n"
    coloured = table.text(80, colours=True)
    assert "\x1b[1;31m1\x1b[0m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    write(table, out)
    assert out.getvalue() == table.text()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_no_color_is_honoured(environ, expected):
    assert has_colours(Terminal(), environ) is expected
    assert not has_colours(io.StringIO(), environ)


def test_markdown_cells_cannot_break_their_row():
    table = Table((Column("a"), Column("b", "right")), (("x|y", "1\n2"),))
    assert table.markdown() == "| a | b |\n| --- | ---: |\n| x\\|y | 1<br>2 |\n"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (8_234_567, "8.2 MB"),
        (171_000_000, "171 MB"),
        (999_999, "1.0 MB"),
    ],
)
def test_sizes_are_decimal_as_dockers_are(count, text):
    assert units.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1 m 00 s"), (125, "2 m 05 s"), (3720, "1 h 02 m")],
)
def test_durations_are_short(seconds, text):
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "-"), (0, 5, "0 %"), (5, 5, "100 %"), (999, 1000, "99 %"), (1, 1000, "1 %")],
)
def test_all_and_nothing_are_said_only_where_true(part, whole, text):
    assert units.share(part, whole) == text
