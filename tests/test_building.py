"""Builds against the real engine: what is built is there, runs, and stands on its siblings."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import Fleet, Ran

pytestmark = pytest.mark.engine

BOTH = "linux/amd64,linux/arm64"


def mine(engine: PrivateEngine, fleet: Fleet) -> set[str]:
    """The names below the fleet's owner that the engine has, addresses left aside."""
    names = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    prefix = f"{fleet.registry}/{fleet.owner}/"
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix) and ":argosy-" not in name}


def log_of(ran: Ran) -> str:
    match = re.search(r"log: (\S+)", ran.out)
    assert match, ran.out
    return Path(match[1]).read_text()


# -- links between siblings


def test_every_way_of_standing_on_a_sibling_is_linked_whatever_its_tag_says(
    real: Fleet, engine: PrivateEngine
):
    """An old image under the very tag a Dockerfile names is there too, and is not what the children stand on."""
    base = f"{real.registry}/{real.owner}/base"
    real.file("old/Dockerfile", "FROM busybox:stable\nRUN echo old > /mark\n")
    real.run("docker", "build", "-q", "-t", f"{base}:9.9", "old").ok()
    real.image("base", "FROM busybox:stable\nENV COLOUR=blue\nRUN echo fresh > /mark\n")
    real.image("plain", f"FROM {base}:9.9\n")
    real.image("argument", f"ARG TAG=9.9\nARG BASE={real.owner}/base:${{TAG}}\nFROM $BASE\n")
    real.image("copied", f"FROM busybox:stable\nCOPY --from={real.owner}/base:9.9 /mark /mark\n")
    real.image(
        "mounted",
        f"FROM busybox:stable\nRUN --mount=from={real.owner}/base,target=/b cat /b/mark > /mark\n",
    )
    # Two spellings of one sibling in one Dockerfile, which buildx itself mixes up before 0.15.
    real.image(
        "twice",
        f"FROM {base}:9.9\nCOPY --from={real.owner}/base:latest /mark /second\n"
        f"RUN --mount=from={base},target=/b cat /b/mark > /third\n",
    )
    real.toml(
        "".join(f"[images.{name}]\n" for name in ("plain", "argument", "copied", "mounted", "twice", "base"))
    )
    ran = real.inv("build").ok()
    assert "6 built" in ran.out
    for name in ("plain", "argument", "copied", "mounted", "twice"):
        reference = f"{real.registry}/{real.owner}/{name}:0.1.0"
        assert engine.docker("run", "--rm", reference, "cat", "/mark") == "fresh", name
    twice = f"{real.registry}/{real.owner}/twice:0.1.0"
    assert (
        engine.docker("run", "--rm", twice, "sh", "-c", "cat /second /third; echo $COLOUR")
        == "fresh\nfresh\nblue"
    )
    assert engine.docker("run", "--rm", f"{base}:9.9", "cat", "/mark") == "old"
    asked = json.loads(engine.docker("image", "inspect", f"{base}:0.1.0", f"{base}:latest"))
    assert asked[0]["Id"] == asked[1]["Id"]


def test_an_image_that_is_only_stood_on_is_built_and_gets_no_name(real: Fleet, engine: PrivateEngine):
    real.image("base", "FROM busybox:stable\nRUN echo below > /mark\n")
    real.image("api", f"FROM {real.owner}/base\n")
    real.toml("[images.base]\n[images.api]\nlocal = ['{owner}-api:dev']\n")
    real.inv("build --images api").ok()
    assert mine(engine, real) == {"api:0.1.0", "api:latest"}
    assert engine.docker("run", "--rm", f"{real.owner}-api:dev", "cat", "/mark") == "below"
    engine.docker("image", "rm", f"{real.owner}-api:dev")


def test_no_deps_takes_the_sibling_from_the_engine_or_says_at_once_that_it_is_not_there(
    real: Fleet, engine: PrivateEngine
):
    real.image("base", "FROM busybox:stable\nRUN echo pushed > /mark\n")
    real.image("api", f"FROM {real.owner}/base:whatever\nRUN cp /mark /seen\n")
    real.toml("[images.base]\n[images.api]\n")
    ran = real.inv("build --images api --no-deps").failed(2)
    assert not list((real.root.parent / "state").rglob("*.log")), "no build began"
    assert f"{real.registry}/{real.owner}/base:0.1.0 is not in the engine" in ran.err
    assert "docker/api/Dockerfile:1" in ran.err
    assert "inv build --images base" in ran.err
    # The registry's base differs from the engine's: the child stands on the engine's.
    real.inv("push --images base").ok()
    real.image("base", "FROM busybox:stable\nRUN echo local > /mark\n")
    real.inv("build --images base").ok()
    before = engine.docker("image", "inspect", "-f", "{{.Id}}", f"{real.registry}/{real.owner}/base:0.1.0")
    real.image("base", "FROM busybox:stable\nRUN echo not-built > /mark\n")
    real.inv("build --images api --no-deps").ok()
    assert engine.docker("run", "--rm", f"{real.registry}/{real.owner}/api:0.1.0", "cat", "/seen") == "local"
    after = engine.docker("image", "inspect", "-f", "{{.Id}}", f"{real.registry}/{real.owner}/base:0.1.0")
    assert before == after
    # What is named together is built together, also without what else they stand on.
    real.inv("build --images base,api --no-deps").ok()
    assert (
        engine.docker("run", "--rm", f"{real.registry}/{real.owner}/api:0.1.0", "cat", "/seen") == "not-built"
    )


# -- where builds go


def test_several_platforms_are_loaded_and_each_runs(real: Fleet, engine: PrivateEngine):
    real.image("base", "FROM busybox:stable\nRUN uname -m > /machine\n")
    real.image("api", f"FROM {real.owner}/base:1.0\nARG TARGETARCH\nRUN echo $TARGETARCH >> /machine\n")
    real.toml("[images.base]\n[images.api]\n")
    ran = real.inv(f"build --platforms {BOTH}").ok()
    assert "loaded" in ran.out
    reference = f"{real.registry}/{real.owner}/api:0.1.0"
    for platform, said in (("linux/amd64", "x86_64\namd64"), ("linux/arm64", "aarch64\narm64")):
        assert engine.docker("run", "--rm", "--platform", platform, reference, "cat", "/machine") == said


def test_output_none_keeps_only_the_cache(real: Fleet, engine: PrivateEngine):
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner} > /mark\n")
    real.toml("[images.api]\n")
    ran = real.inv("build --output none").ok()
    assert "not loaded, not pushed" in ran.out
    assert mine(engine, real) == set()
    again = real.inv("build --output none --json").ok().json["images"][0]
    assert (again["cached"], again["steps"]) == (1, 1)


def test_a_platform_the_builder_lacks_is_refused_before_building(real: Fleet, tmp_path: Path):
    real.image("api")
    real.toml("[images.api]\n")
    ran = real.inv("build --platforms linux/amd64,linux/s390y").failed(3)
    assert "linux/s390y" in ran.err
    assert "linux/arm64" in ran.err
    assert not list((tmp_path / "state").rglob("*.log"))


# -- what bake must not misread


def test_dollar_signs_and_odd_names_reach_buildkit_as_they_are(real: Fleet, engine: PrivateEngine):
    text = "${HOME} $${X} %{if} $x"
    written = text.replace("{", "{{").replace("}", "}}")  # braces of build.toml's own templates
    real.image("odd.name_x", 'FROM busybox:stable\nARG TEXT\nRUN printf %s "$TEXT" > /text\n')
    real.toml(f"[images.'odd.name_x']\nargs = {{ TEXT = '{written}' }}\nlabels = {{ note = '{written}' }}\n")
    real.inv("build").ok()
    reference = f"{real.registry}/{real.owner}/odd.name_x:0.1.0"
    assert engine.docker("run", "--rm", reference, "cat", "/text") == text
    assert engine.docker("image", "inspect", "-f", "{{.Config.Labels.note}}", reference) == text


def test_the_bake_file_of_a_plan_builds_the_same_images(real: Fleet, engine: PrivateEngine):
    real.image("base", "FROM busybox:stable\nRUN echo $RANDOM$RANDOM > /mark\n")
    real.image(
        "api", f"ARG B={real.owner}/base\nFROM $B\nLABEL a=b\nCOPY --from={real.owner}/base:2 /mark /again\n"
    )
    real.toml("[images.base]\n[images.api]\nargs = { NOTE = 'a ${{B}} c' }\n")
    names = [f"{real.registry}/{real.owner}/{name}:0.1.0" for name in ("base", "api")]

    def ids() -> list[str]:
        return engine.docker("image", "inspect", "-f", "{{.Id}}", *names).split()

    real.inv("build").ok()
    built = ids()
    engine.docker("image", "rm", *names, *(name.replace("0.1.0", "latest") for name in names))
    bake = real.inv("plan --format bake").ok().out
    real.run("docker", "buildx", "bake", "-f", "-", input=bake).ok()
    assert ids() == built


# -- failures


def test_the_first_failure_stops_with_image_dockerfile_line_and_log(real: Fleet):
    real.image("slow", "FROM busybox:stable\nRUN sleep 100000\n")  # nobody waits for it
    real.image("api", "FROM busybox:stable\n\nRUN echo about to fail && exit 7\n")
    real.image("child", f"FROM {real.owner}/api\n")
    real.toml("[images.slow]\n[images.api]\n[images.child]\n")
    ran = real.inv("build").failed(4)
    assert "docker/api/Dockerfile:3" in ran.out
    assert "about to fail" in ran.out
    assert "exit code: 7" in ran.out
    assert "skipped: stopped when api failed" in ran.out
    assert "skipped: stands on api, which failed" in ran.out
    assert ran.err.splitlines()[-1] == "1 of 3 images failed: api"
    assert "about to fail" in log_of(ran)


def test_keep_going_builds_the_rest_and_shows_each_verdict(
    real: Fleet, engine: PrivateEngine, tmp_path: Path
):
    for name in ("a", "b", "c"):
        real.image(name, f"FROM busybox:stable\nRUN echo {name}-step\n")
    real.image("broken", "FROM busybox:stable\nRUN echo first-cause && false\n")
    real.image("worse", "FROM busybox:stable\nCOPY absent.txt /\n")
    real.image("child", f"FROM {real.owner}/broken\n")
    real.image("grandchild", f"FROM {real.owner}/child\n")
    order = ("a", "broken", "child", "grandchild", "b", "worse", "c")
    real.toml("".join(f"[images.{name}]\n" for name in order))
    summary = tmp_path / "summary.md"
    ran = real.inv("build --keep-going --json", env={"GITHUB_STEP_SUMMARY": str(summary)}).failed(4)
    images = {image["name"]: image for image in ran.json["images"]}
    assert {name: image["verdict"] for name, image in images.items()} == {
        "a": "built", "b": "built", "c": "built", "broken": "failed", "worse": "failed",
        "child": "skipped", "grandchild": "skipped",
    }  # fmt: skip
    assert images["child"]["reason"] == images["grandchild"]["reason"] == "stands on broken, which failed"
    assert images["broken"]["where"] == "docker/broken/Dockerfile:2"
    assert images["broken"]["log"] == ["first-cause"]
    assert "absent.txt" in images["worse"]["reason"]
    assert "docker/worse" in images["worse"]["reason"]
    assert mine(engine, real) == {f"{name}:{tag}" for name in "abc" for tag in ("0.1.0", "latest")}
    for name in "abc":
        shown = engine.docker(
            "image", "inspect", "-f", "{{.Size}} {{.Id}}", f"{real.registry}/{real.owner}/{name}:latest"
        )
        assert f"{images[name]['size']} {images[name]['digest']}" == shown
    assert not ran.json["ok"]
    assert ran.err.splitlines()[-1] == "2 of 7 images failed: broken, worse"
    assert "| broken |" in summary.read_text()
    assert "first-cause" in summary.read_text()


def test_what_was_loaded_before_another_failed_is_told_as_built(real: Fleet, engine: PrivateEngine):
    real.image("quick", "FROM busybox:stable\nRUN echo quick > /mark\n")
    real.image("broken", "FROM busybox:stable\nRUN sleep 20 && false\n")
    real.toml("[images.quick]\n[images.broken]\n")
    ran = real.inv("build --json").failed(4)
    quick = next(image for image in ran.json["images"] if image["name"] == "quick")
    shown = engine.docker(
        "image", "inspect", "-f", "{{.Size}} {{.Id}}", f"{real.registry}/{real.owner}/quick:0.1.0"
    )
    assert (quick["verdict"], f"{quick['size']} {quick['digest']}") == ("built", shown)


def test_what_was_loaded_before_the_engine_died_is_told_with_the_log_and_the_reason(real: Fleet):
    docker, gone = shutil.which("docker", path=real.env["PATH"]), real.root / "gone"
    real.file(
        "bin/docker",
        f"""\
        #!/bin/sh
        if [ "$2" = bake ] && grep -q '"worker"' "$4"; then touch {gone}; fi
        if [ -e {gone} ]; then
            echo "Cannot connect to the Docker daemon" >&2
            exit 1
        fi
        exec {docker} "$@"
        """,
        0o755,
    )
    for name in ("api", "worker"):
        real.image(name, f"FROM busybox:stable\nRUN echo {real.owner} > /mark\n")
    real.toml("[engine]\nparallel = 1\n[images.api]\n[images.worker]\n")
    ran = real.inv("build --json", env={"PATH": f"{real.root / 'bin'}:{real.env['PATH']}"}).failed(3)
    verdicts = {image["name"]: image["verdict"] for image in ran.json["images"]}
    assert verdicts == {"api": "built", "worker": "stopped"}
    assert "no Docker Engine answers" in ran.err


@pytest.mark.parametrize(
    ("dockerfile", "said"),
    [
        (
            "FROM busybox:stable\nCOPY nothing.txt /\n",
            ["nothing.txt", "docker/api", "docker/api/Dockerfile:2"],
        ),
        (
            "FROM busybox:stable\nRUN --mount=type=secret,id=key,required=true cat /run/secrets/key\n",
            ["key", ":2"],
        ),
        ("FROM busybox:stable\nRUN nosuchprogram\n", ["nosuchprogram", "docker/api/Dockerfile:2"]),
    ],
    ids=["file", "secret", "program"],
)
def test_common_mistakes_are_named_with_image_and_place(real: Fleet, dockerfile: str, said: list[str]):
    real.image("api", dockerfile)
    real.toml("[images.api]\n")
    ran = real.inv("build").failed(4)
    for word in ("FAILED api", *said):
        assert word in ran.out, ran.out


def test_a_base_that_is_not_there_is_named_with_its_image_before_building(real: Fleet):
    real.image("base", "FROM busybox:stable\nRUN echo not yet\n")
    real.image("api", f"FROM {real.registry}/nobody/nothere:1.0\n")
    real.toml("[images.base]\n[images.api]\n")
    ran = real.inv("build").failed(3)
    assert ran.err.startswith(
        f"api (docker/api/Dockerfile): the base image {real.registry}/nobody/nothere:1.0"
    )
    assert "check its name and tag" in ran.err
    assert "RUN" not in ran.err + ran.out


# -- many


def test_a_hundred_images_build_in_one_run(real: Fleet, engine: PrivateEngine):
    real.file("docker/many/Dockerfile", "FROM busybox:stable\nARG N\nRUN echo $N > /n\n")
    real.toml(
        "[images.'many-{n}']\ndockerfile = 'docker/many/Dockerfile'\nargs = { N = '{n}' }\n"
        f"matrix = {{ n = [{', '.join(str(n) for n in range(100))}] }}\n[tags]\nbuild = ['{{version}}']\n"
    )
    ran = real.inv("build").ok()
    assert "100 built" in ran.out
    assert mine(engine, real) == {f"many-{n}:0.1.0" for n in range(100)}
    assert engine.docker("run", "--rm", f"{real.registry}/{real.owner}/many-73:0.1.0", "cat", "/n") == "73"


def test_no_more_run_at_once_than_is_set(real: Fleet):
    """Each image writes down when it ran; at no moment were there more than three."""
    clock = 'read up idle < /proc/uptime && echo "$up"'
    real.file(
        "docker/many/Dockerfile",
        f"FROM busybox:stable\nARG N\nRUN {clock} > /time && sleep 2 && {clock} >> /time\n",
    )
    real.toml(
        "[engine]\nparallel = 3\n[images.'many-{n}']\ndockerfile = 'docker/many/Dockerfile'\nargs = { N = '{n}' }\n"
        f"matrix = {{ n = {list(range(7))} }}\n"
    )
    real.inv("build").ok()
    moments: list[tuple[float, int]] = []
    for n in range(7):
        times = real.run(
            "docker", "run", "--rm", f"{real.registry}/{real.owner}/many-{n}:0.1.0", "cat", "/time"
        )
        start, end = map(float, times.ok().out.split())
        moments += [(start, 1), (end, -1)]
    running = [sum(change for _, change in sorted(moments)[: count + 1]) for count in range(len(moments))]
    assert 1 < max(running) <= 3


# -- what is shown and kept


def test_the_log_holds_the_output_of_every_step_and_results_have_their_fields(real: Fleet, tmp_path: Path):
    real.image("base", f"FROM busybox:stable\nRUN echo base-output {real.owner}\n")
    real.image("api", f"FROM {real.owner}/base\nRUN echo api-output {real.owner}; echo api-error >&2\n")
    real.toml("[images.base]\n[images.api]\n")
    summary = tmp_path / "summary.md"
    ran = real.inv("build", env={"GITHUB_STEP_SUMMARY": str(summary)}).ok()
    log = log_of(ran)
    for line in (f"base-output {real.owner}", f"api-output {real.owner}", "api-error"):
        assert line in log
    assert "| api |" in summary.read_text()
    found = real.inv("build --json --rebuild").ok().json
    assert found["schema"] == 1
    assert found["ok"] is True
    assert Path(found["log"]).is_relative_to(tmp_path / "state")
    api = found["images"][1]
    assert api["references"] == [f"{real.registry}/{real.owner}/api:{tag}" for tag in ("0.1.0", "latest")]
    assert (api["name"], api["verdict"], api["output"]) == ("api", "built", "loaded")
    assert api["platforms"] == ["linux/amd64"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", api["digest"])
    assert api["size"] > 100_000
    assert api["cached"] == api["steps"] == 1


# -- what the engine gets wrong by itself


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (2, "DeadlineExceeded: context deadline exceeded"),
        (1, 'image \\"moby-dangling@sha256:0123abcd\\": already exists'),
    ],
)
def test_a_slip_of_the_engine_s_own_is_made_good_by_one_more_call(real: Fleet, times: int, words: str):
    docker = shutil.which("docker", path=real.env["PATH"])
    slips = real.root / "slips"
    real.file(
        "bin/docker",
        f"""\
        #!/bin/sh
        if [ "$2" = bake ] && grep -q '"api"' "$4" && [ "$(cat {slips} 2>/dev/null | wc -l)" -lt {times} ]; then
            echo slipped >> {slips}
            echo "ERROR: failed to solve: {words}" >&2
            exit 1
        fi
        exec {docker} "$@"
        """,
        0o755,
    )
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner} > /mark\n")
    real.toml("[images.api]\n")
    ran = real.inv("build", env={"PATH": f"{real.root / 'bin'}:{real.env['PATH']}"}).ok()
    assert "1 built" in ran.out
    assert slips.read_text().count("slipped") == times
