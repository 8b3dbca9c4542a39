"""Recorded builds are folded into the state of each image on each platform; failures are read from them."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tasks.buildkit.builds import Build, State
from tasks.buildkit.progress import Progress
from tasks.buildkit.steps import KEPT_LINES, Step, Target
from tasks.buildkit.vertex import read_step, read_time
from tests.conftest import PrivateEngine

RECORDED = Path(__file__).parent / "data" / "rawjson"
BOTH = ("linux/amd64", "linux/arm64")


class Recorder:
    """A watcher that writes down what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str, str]] = []
        self.said: list[str] = []
        self.updates = 0
        self.states: list[State] = []

    def update(self, builds: Any) -> None:
        self.updates += len(builds)
        self.states += [build.state for build in builds]

    def step(self, step: Step) -> None:
        how = "failed" if step.failed else "cached" if step.cached else "ran"
        if step.asked:
            self.steps.append((step.image, step.label.split()[-1], how))

    def line(self, text: str) -> None:
        self.said.append(text)


def target(name: str, platforms: tuple[str, ...] = ("linux/amd64",), needs: tuple[str, ...] = ()) -> Target:
    return Target(name, name, platforms, f"docker/{name}/Dockerfile", f"docker/{name}", needs)


def replay(name: str, *targets: Target, succeeded: bool = True, **more: Any) -> Progress:
    progress = Progress(targets, **more)
    progress.feed((RECORDED / f"{name}.jsonl").read_text())
    progress.close(succeeded=succeeded)
    return progress


def states(progress: Progress) -> dict[tuple[str, str], str]:
    return {(build.image, build.platform): build.state.value for build in progress.builds}


def vertex(name: str, digest: str = "sha256:1", **more: Any) -> dict[str, Any]:
    return {"digest": digest, "name": name, **more}


def at(second: float) -> str:
    return f"2026-01-01T00:00:{second:012.9f}Z"


def logged(digest: str, text: str) -> dict[str, Any]:
    return {"logs": [{"vertex": digest, "data": base64.b64encode(text.encode()).decode()}]}


# --- whose step it is ---------------------------------------------------------------------------------------

ONE = {"api": target("api")}
TWO = {"api": target("api", BOTH), "stage": target("stage")}


@pytest.mark.parametrize(
    ("name", "targets", "image", "platform", "label", "asked"),
    [
        ("[2/3] RUN make", ONE, "api", "linux/amd64", "[2/3] RUN make", True),
        ("[build  2/12] RUN make", ONE, "api", "linux/amd64", "[build 2/12] RUN make", True),
        ("[internal] load .dockerignore", ONE, "api", "linux/amd64", "load .dockerignore", False),
        ("[api linux/arm64 build 2/5] RUN a\n  b", TWO, "api", "linux/arm64", "[build 2/5] RUN a b", True),
        ("[api linux/amd64->arm64 build 2/5] RUN x", TWO, "api", "linux/arm64", "[build 2/5] RUN x", True),
        (
            "[api linux/arm64 internal] load metadata for x",
            TWO,
            "api",
            "linux/arm64",
            "load metadata for x",
            False,
        ),
        ("[api] exporting to image", TWO, "api", "", "exporting to image", False),
        ("[stage stage 1/2] COPY . .", TWO, "stage", "linux/amd64", "[stage 1/2] COPY . .", True),
        ("[internal] load local bake definitions", TWO, "", "", "load local bake definitions", False),
        ("[api linux/riscv64 2/2] RUN x", TWO, "api", "", "[2/2] RUN x", True),
        (
            f"[api linux/amd64 1/2] FROM busybox@sha256:{'0a' * 32}",
            TWO,
            "api",
            "linux/amd64",
            "[1/2] FROM busybox@sha256:0a0a0a0a0a0a",
            False,
        ),
    ],
)
def test_a_vertex_name_tells_whose_step_it_is(name, targets, image, platform, label, asked):
    step = read_step(name, targets)
    assert (step.image, step.platform, step.label, step.asked) == (image, platform, label, asked)


def test_variants_are_told_from_systems_in_cross_builds():
    arm, windows = ("linux/arm/v7", "linux/amd64"), ("windows/amd64", "linux/amd64")
    assert read_step("[linux/amd64->arm/v7 1/2] RUN x", {"a": target("a", arm)}).platform == "linux/arm/v7"
    assert (
        read_step("[linux/amd64->windows/amd64 1/2] RUN x", {"a": target("a", windows)}).platform
        == "windows/amd64"
    )


def test_times_are_read_to_the_nanosecond_in_any_zone():
    assert read_time("1970-01-01T00:00:01.250000000Z") == 1.25
    assert read_time("1970-01-01T02:00:00+02:00") == 0.0
    assert read_time(None) is None


# --- recorded builds ----------------------------------------------------------------------------------------


def test_a_single_image_is_done_with_all_its_steps():
    progress = replay("one-image", target("api"))
    (build,) = progress.builds
    assert build.state is State.DONE
    assert build.done == build.total
    assert build.total > 2
    assert progress.cached("api") == (0, build.total)
    assert progress.seconds("api") > 0


def test_each_platform_has_a_state_of_its_own():
    progress = replay("two-platforms", target("base", BOTH))
    assert states(progress) == {("base", "linux/amd64"): "done", ("base", "linux/arm64"): "done"}
    assert [build.total for build in progress.builds] == [1, 1]


def test_an_unchanged_image_is_cached_to_the_last_step():
    progress = replay("unchanged", target("base"), target("api", needs=("base",)))
    assert progress.cached("base") == (1, 1)
    cached, steps = progress.cached("api")
    assert cached == steps > 2


def test_steps_of_a_linked_base_count_for_the_base_alone():
    watcher = Recorder()
    children = (target("api", BOTH, ("base",)), target("worker", BOTH, ("base",)))
    progress = replay("linked", target("base", BOTH), *children, watcher=watcher)
    assert set(states(progress).values()) == {"done"}
    assert progress.cached("base")[1] == 2
    assert {image for image, text, _ in watcher.steps if text == "/base"} == {"base"}


def test_a_step_that_several_images_share_is_told_once():
    watcher = Recorder()
    replay("linked", target("base", BOTH), target("api", BOTH), target("worker", BOTH), watcher=watcher)
    assert sum(1 for _, text, _ in watcher.steps if text == "/base") == len(BOTH)


# --- failures -----------------------------------------------------------------------------------------------


def test_a_failure_in_a_linked_base_is_the_bases_even_where_it_was_reported_for_the_child():
    watcher = Recorder()
    progress = replay(
        "base-fails", target("base", BOTH), target("child", BOTH, ("base",)), succeeded=False, watcher=watcher
    )
    failure = progress.failure()
    assert failure is not None
    assert (failure.image, failure.where) == ("base", "docker/base/Dockerfile:2")
    assert failure.log == ("before", "oops")
    assert failure.message == "exit code: 1"
    assert failure.reason.startswith("[2/2] RUN echo before")
    assert sorted(set(states(progress).values())) == ["failed", "stopped"]
    assert {image for (image, _), state in states(progress).items() if state == "failed"} == {"base"}
    assert [how for _, _, how in watcher.steps] == ["failed"]


def test_a_missing_file_names_its_context():
    failure = replay("missing-file", target("missing"), succeeded=False).failure()
    assert failure is not None
    assert failure.where == "docker/missing/Dockerfile:2"
    assert failure.message == 'failed to calculate checksum "/missing.txt": not found'
    assert 'missing.txt is not in the build context "docker/missing"' in failure.remedy


def test_an_error_that_names_no_target_is_found_by_the_line_it_quotes(tmp_path: Path) -> None:
    for name, last in {"ok": "RUN true", "parse": "RUNN true"}.items():
        (tmp_path / "docker" / name).mkdir(parents=True)
        (tmp_path / "docker" / name / "Dockerfile").write_text(f"FROM busybox:stable\n\n{last}\n")
    progress = replay("parse-error", target("ok"), target("parse"), succeeded=False, root=tmp_path)
    failure = progress.failure()
    assert failure is not None
    assert (failure.image, failure.where) == ("parse", "docker/parse/Dockerfile:3")
    assert "unknown instruction: RUNN" in failure.message


def test_a_newer_builder_names_the_target_itself():
    progress = Progress([target("a"), target("b")])
    progress.feed('ERROR: target b: failed to solve: target stage "x" could not be found\n')
    progress.close(succeeded=False)
    failure = progress.failure()
    assert failure is not None
    assert (failure.image, failure.message) == ("b", 'target stage "x" could not be found')


def test_a_build_that_was_stopped_has_not_failed():
    progress = Progress([target("api")])
    progress.apply({"vertexes": [vertex("[2/2] RUN x", started=at(1))]})
    error = 'process "x" did not complete successfully: exit code: 137: context canceled: context canceled'
    progress.apply({"vertexes": [vertex("[2/2] RUN x", started=at(1), completed=at(2), error=error)]})
    progress.feed("ERROR: failed to solve: Canceled: context canceled\n")
    progress.close(succeeded=False)
    assert progress.failure() is None
    assert states(progress) == {("api", "linux/amd64"): "stopped"}


def test_a_build_that_succeeded_has_not_failed():
    assert replay("unchanged", target("base"), target("api")).failure() is None


# --- messages as they come ----------------------------------------------------------------------------------


def test_repeated_old_messages_change_nothing():
    times = iter((100.0, 101.0, 104.0))
    progress = Progress([target("api")], clock=lambda: next(times))
    first = vertex("[2/2] RUN x", started=at(1), completed=at(2))
    again = vertex("[2/2] RUN x", started=at(3))
    for one in (first, again, first):
        progress.apply({"vertexes": [one]})
    (build,) = progress.builds
    assert build.state is State.RUNNING
    assert build.current is not None
    assert build.current.running
    progress.apply({"vertexes": [vertex("[2/2] RUN x", started=at(3), completed=at(5))]})
    assert (build.done, build.current.seconds) == (1, 2.0)
    # How long an image took is told by our own clock: the builder's step may be older than our build.
    assert (build.started, build.ended, progress.seconds("api")) == (100.0, 104.0, 4.0)


def test_what_stands_in_for_a_reused_base_is_not_the_end_of_the_image() -> None:
    """It is reported beside the image, and is exported before the image's first step has ended."""
    recorder = Recorder()
    aside = Target("worker___1", "worker", ("linux/amd64",), aside=True)
    progress = Progress([target("worker", needs=("worker___1",)), aside], recorder)
    began = "2026-01-02T03:04:05Z"
    progress.apply({"vertexes": [vertex("[worker 2/2] RUN sleep 9", "sha256:2", started=began)]})
    export = vertex("[worker___1] exporting to image", "sha256:1", started=began, completed=began)
    progress.apply({"vertexes": [export]})
    assert recorder.states == [State.RUNNING]
    progress.close(succeeded=True)
    assert recorder.states == [State.RUNNING, State.DONE]


def test_an_image_is_done_once_it_is_exported():
    progress = Progress([target("api", BOTH), target("web")])
    progress.apply({"vertexes": [vertex("[api] exporting to image", started=at(1), completed=at(2))]})
    assert states(progress) == {("api", one): "done" for one in BOTH} | {("web", "linux/amd64"): "waiting"}


def test_output_goes_to_the_log_line_by_line_and_leaves_memory_when_the_step_is_done():
    log: list[str] = []
    progress = Progress([target("api")], log=log.append)
    progress.apply({"vertexes": [vertex("[2/2] RUN x", started=at(1))]})
    progress.apply(logged("sha256:1", "10%\r100%\n\x1b[31mred\x1b[0m\nunfin"))
    assert log == ["api linux/amd64 [2/2] RUN x | 100%", "api linux/amd64 [2/2] RUN x | red"]
    progress.apply(logged("sha256:1", "ished"))
    progress.apply({"vertexes": [vertex("[2/2] RUN x", started=at(1), completed=at(2))]})
    assert log[2:] == ["api linux/amd64 [2/2] RUN x | unfinished", "api linux/amd64 [2/2] RUN x 1.0 s"]
    assert not progress.builds[0].steps[0].lines


def test_of_a_long_log_the_end_is_kept_and_the_rest_counted():
    progress = Progress([target("api")])
    progress.apply({"vertexes": [vertex("[2/2] RUN x", started=at(1))]})
    for number in range(KEPT_LINES + 50):
        progress.apply(logged("sha256:1", f"line {number}\n"))
    progress.apply({"vertexes": [vertex("[2/2] RUN x", started=at(1), completed=at(2), error="broken")]})
    failure = progress.failure()
    assert failure is not None
    assert (len(failure.log), failure.dropped) == (KEPT_LINES, 50)
    assert failure.log[-1] == f"line {KEPT_LINES + 49}"


def test_output_in_the_message_that_ends_its_step_is_part_of_the_failure():
    progress = Progress([target("api")])
    ended = {"vertexes": [vertex("[2/2] RUN x", started=at(1), completed=at(2), error="broken")]}
    progress.apply(ended | logged("sha256:1", "the reason\n"))
    failure = progress.failure()
    assert failure is not None
    assert failure.log == ("the reason",)


def test_warnings_are_passed_on_with_their_image():
    watcher = Recorder()
    progress = Progress([target("api")], watcher)
    short = base64.b64encode(b"JSON arguments recommended").decode()
    progress.apply(
        {"vertexes": [vertex("[2/2] RUN x")], "warnings": [{"vertex": "sha256:1", "short": short}]}
    )
    assert watcher.said == ["warning: api: JSON arguments recommended"]


def test_an_image_that_waits_for_its_base_says_so():
    progress = Progress([target("base"), target("api", needs=("base",))])
    for name in ("[base 2/2] RUN x", "[api 2/2] RUN x"):
        progress.apply({"vertexes": [vertex(name, started=at(1))]})
    current = next(build for build in progress.builds if build.image == "api").current
    assert current is not None
    assert current.owner == "base"


@pytest.mark.parametrize("order", [("base", "api"), ("api", "base")])
def test_whoever_is_reported_first_a_bases_step_is_the_bases(order):
    progress = Progress([target("base"), target("api", needs=("base",))])
    progress.apply({"vertexes": [vertex(f"[{name} 2/2] RUN x", started=at(1)) for name in order]})
    assert (progress.cached("base"), progress.cached("api")) == ((0, 1), (0, 0))


def test_a_bases_failure_is_known_by_the_same_step_on_another_platform():
    progress = Progress([target("base", BOTH), target("api", BOTH, ("base",))])
    progress.apply({"vertexes": [vertex("[base linux/amd64 2/2] RUN x", "sha256:amd", started=at(1))]})
    failed = vertex(
        "[api linux/arm64 2/2] RUN x", "sha256:arm", started=at(1), completed=at(2), error="broken"
    )
    progress.apply({"vertexes": [failed]})
    failure = progress.failure()
    assert failure is not None
    assert (failure.image, failure.platform) == ("base", "linux/arm64")
    assert states(progress)["base", "linux/arm64"] == "failed"


def test_steps_nobody_asked_for_because_a_later_one_was_cached_are_cached():
    progress = Progress([target("api")])
    progress.apply({"vertexes": [vertex("[2/3] RUN a", "sha256:a"), vertex("[3/3] RUN b", "sha256:b")]})
    progress.apply(
        {"vertexes": [vertex("[3/3] RUN b", "sha256:b", started=at(1), completed=at(1), cached=True)]}
    )
    progress.close(succeeded=True)
    assert progress.cached("api") == (2, 2)


# --- the real thing -----------------------------------------------------------------------------------------


@pytest.mark.engine
def test_a_real_failing_build_is_read(engine: PrivateEngine, tmp_path: Path) -> None:
    folder = tmp_path / "docker" / "api"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM busybox:stable\n\nRUN echo about to fail; exit 7\n")
    bake = {"target": {"api": {"context": str(folder), "output": ["type=cacheonly"]}}}
    (tmp_path / "bake.json").write_text(json.dumps(bake))
    log: list[str] = []
    progress = Progress([target("api")], log=log.append)
    command = ["docker", "buildx", "bake", "-f", "bake.json", "--progress=rawjson", "api"]
    done = subprocess.run(
        command, cwd=tmp_path, env=engine.env, stderr=subprocess.PIPE, text=True, check=False, timeout=120
    )
    progress.feed(done.stderr)
    progress.close(succeeded=done.returncode == 0)
    failure = progress.failure()
    assert done.returncode != 0
    assert failure is not None
    assert (failure.image, failure.where, failure.message) == (
        "api",
        "docker/api/Dockerfile:3",
        "exit code: 7",
    )
    assert failure.log == ("about to fail",)
    assert any("| about to fail" in line for line in log)


def test_a_build_begins_by_waiting():
    assert Build("api", "").current is None
