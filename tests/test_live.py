"""Progress while it happens: plain lines where there is no terminal, a screen that fits where there is one."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.buildkit.builds import Build, State
from tasks.buildkit.progress import Progress
from tasks.buildkit.steps import Step, Target
from tasks.report.live import Lines, live
from tasks.report.screen import Screen

RECORDED = Path(__file__).parent / "data" / "rawjson"
BOTH = ("linux/amd64", "linux/arm64")


class Terminal(io.StringIO):
    """A stream that says it is a terminal and writes down what it is sent."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def target(name: str, *needs: str) -> Target:
    return Target(name, name, BOTH, f"docker/{name}/Dockerfile", needs=needs)


def replay(name: str, watcher: Any, *targets: Target, succeeded: bool = True) -> Progress:
    progress = Progress(targets, watcher)
    progress.feed((RECORDED / f"{name}.jsonl").read_text())
    progress.close(succeeded=succeeded)
    return progress


def running(image: str, *, asked: bool = True, label: str = "[2/2] RUN make") -> Build:
    step = Step(None, "", label, asked, first=time.time(), started=time.time())
    return Build(image, "linux/amd64", [step], State.RUNNING)


def drawn(screen: Screen, width: int = 80, height: int = 24) -> list[str]:
    """Returns the lines the screen would draw on a terminal of this size."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=width, height=height, force_terminal=True, color_system=None)
    console.print(screen, end="")
    return out.getvalue().splitlines()


# --- plain lines --------------------------------------------------------------------------------------------


def test_a_stream_that_is_no_terminal_gets_plain_lines_and_no_control_codes():
    out = io.StringIO()
    with live([], out) as watcher:
        replay("linked", watcher, target("base"), target("api", "base"), target("worker", "base"))
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert sum(" done " in line for line in lines) == 6
    assert any(line.startswith("base linux/amd64  [2/2] RUN echo base > /base  ") for line in lines)
    assert len(lines) == len(set(lines)), "nothing is told twice"


def test_plain_lines_do_not_import_rich():
    code = (
        "import io, sys; from tasks.report.live import live; from tasks.report import results; live([], io.StringIO());"
        "sys.exit('rich' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[1]).returncode
        == 0
    )


def test_cached_steps_are_counted_not_told():
    out = io.StringIO()
    one = Target("base", "base", ("linux/amd64",)), Target("api", "api", ("linux/amd64",), needs=("base",))
    replay("unchanged", Lines(out), *one)
    assert [line.split("  ")[1] for line in out.getvalue().splitlines()] == ["done", "done"]
    assert "1/1 cached" in out.getvalue()


def test_a_failed_step_is_told_with_everything_it_printed():
    out = io.StringIO()
    replay("base-fails", Lines(out), target("base"), target("child", "base"), succeeded=False)
    assert out.getvalue().count("FAILED") == 1
    assert "FAILED base linux/" in out.getvalue()
    assert "  | before\n  | oops\n  exit code: 1\n" in out.getvalue()


def test_silence_is_broken_by_what_still_runs():
    out = io.StringIO()
    with Lines(out, pulse=0.05) as lines:
        lines.update([running("api")])
        deadline = time.monotonic() + 5
        while not out.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert out.getvalue().startswith("api linux/amd64  [2/2] RUN make  ... ")


# --- the screen ---------------------------------------------------------------------------------------------


def test_a_terminal_gets_a_screen():
    assert isinstance(live([], Terminal()), Screen)


def test_every_image_and_platform_has_a_line_from_the_start():
    lines = drawn(Screen([("api", "linux/amd64"), ("worker", "linux/arm64")], Terminal()))
    assert lines[0].split() == ["·", "api", "linux/amd64", "waiting"]
    assert lines[1].split() == ["·", "worker", "linux/arm64", "waiting"]
    assert lines[2].startswith("  2 waiting")


def test_a_running_step_a_done_image_and_a_wait_are_told_apart():
    screen = Screen([], Terminal())
    waits = running("web")
    waits.steps[0].owner = "base"
    screen.update([running("api"), Build("done", "linux/amd64", state=State.DONE), waits])
    api, done, web, count = drawn(screen)
    assert "[2/2] RUN make" in api
    assert "0/1" in api
    assert done.startswith("✓ done")
    assert "waits for base" in web
    assert count.startswith("  2 running, 1 done")


@pytest.mark.parametrize("width", [30, 60, 200])
def test_no_line_is_wider_than_the_terminal_and_figures_are_never_cut(width):
    screen = Screen([], Terminal())
    screen.update([running("api", label="[2/2] RUN " + "x" * 300)])
    lines = drawn(screen, width)
    assert [len(line) for line in lines] == [width - 3, width - 3]  # room for the terminal's own ^C
    assert lines[0].endswith(" s")


def test_a_hundred_images_fit_the_terminal_and_those_that_run_are_shown():
    screen = Screen([(f"image-{number}", "linux/amd64") for number in range(100)], Terminal())
    busy = [running(f"image-{number}") for number in (3, 50, 99)]
    screen.update(busy)
    lines = drawn(screen, height=10)
    assert len(lines) <= 9
    assert [line.split()[1] for line in lines if "RUN make" in line] == ["image-3", "image-50", "image-99"]
    assert lines[-1].startswith("  97 waiting, 3 running")


def test_a_failing_steps_output_stays_above_the_lines():
    out = Terminal()
    with Screen([("base", one) for one in BOTH], out) as screen:
        replay("base-fails", screen, target("base"), target("child", "base"), succeeded=False)
    assert "  | before" in out.getvalue()
    assert "exit code: 1" in out.getvalue()


def test_what_is_fetched_is_shown_with_its_size():
    screen = Screen([], Terminal())
    build = running("api", asked=False, label="[1/2] FROM debian")
    build.steps[0].transfers["sha256:1"] = (1_500_000, 28_000_000)
    screen.update([build])
    assert "FROM debian  1.5 MB of 28.0 MB" in drawn(screen)[0]


def test_colours_are_left_out_where_no_color_is_set(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    with Screen([], out) as screen:
        screen.line("warning: look")
        screen.update([running("api")])
    assert "warning: look" in out.getvalue()
    assert not any(f"\x1b[{code}m" in out.getvalue() for code in (31, 32, 33, 36))


def test_drawing_two_hundred_lines_is_cheap():
    screen = Screen([], Terminal())
    screen.update([running(f"image-{number}") for number in range(200)])
    drawn(screen, height=60)
    spent = []
    for _ in range(3):
        started = time.process_time()
        for _ in range(8):
            drawn(screen, height=60)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.5, "a second of drawing must leave the processor to the builds"
