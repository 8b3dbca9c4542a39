"""Reuse for real: what is there is not built again, on this machine or any other, and never when it changed."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import ROOT, Fleet

pytestmark = pytest.mark.engine

BOTH = "linux/amd64,linux/arm64"


def three(real: Fleet) -> Fleet:
    """A base, a child that copies a file, and one that stands alone."""
    real.image("base", "FROM busybox:stable\nRUN date +%N > /built\n")
    real.image("api", f"FROM {real.owner}/base\nCOPY main.txt /main.txt\n")
    real.file("docker/api/main.txt", "one")
    real.image("cron", "FROM busybox:stable\nARG LEVEL=1\nRUN echo $LEVEL > /level\n")
    real.toml("[images.api]\n[images.base]\n[images.cron]\n")
    return real


def actions(real: Fleet, *flags: str) -> dict[str, tuple[str, str]]:
    images = real.inv(" ".join(["plan --format json", *flags])).ok().json["images"]
    return {image["name"]: (image["action"], image["reason"]) for image in images}


def verdicts(real: Fleet, line: str) -> dict[str, str]:
    return {image["name"]: image["verdict"] for image in real.inv(f"{line} --json").ok().json["images"]}


def manifest(engine: PrivateEngine, repository: str, reference: str) -> dict[str, Any]:
    kinds = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
    url = f"http://{engine.registry}/v2/{repository}/manifests/{reference}"
    with urlopen(Request(url, headers={"Accept": kinds})) as answer:
        return dict(json.loads(answer.read()))


def other_machine(real: Fleet, engine: PrivateEngine, tmp_path: Path) -> Fleet:
    """The same project in another folder, with none of the fleet's images in the engine and nothing remembered."""
    shutil.copytree(real.root, tmp_path / "elsewhere")
    env = real.env | {"XDG_STATE_HOME": str(tmp_path / "other-state")}
    names = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    mine = [name for name in names if f"/{real.owner}/" in name]
    if mine:
        engine.docker("image", "rm", "--force", *mine)
    return Fleet(tmp_path / "elsewhere", env, registry=real.registry, owner=real.owner)


def test_nothing_changed_is_nothing_built(real: Fleet, engine: PrivateEngine) -> None:
    three(real)
    assert set(verdicts(real, "build").values()) == {"built"}
    before = engine.docker("image", "inspect", "-f", "{{.Id}}", f"{real.registry}/{real.owner}/api:0.1.0")
    assert set(verdicts(real, "build").values()) == {"reused"}
    assert (
        engine.docker("image", "inspect", "-f", "{{.Id}}", f"{real.registry}/{real.owner}/api:0.1.0")
        == before
    )


def test_a_changed_file_builds_just_what_takes_it_and_says_so(real: Fleet, engine: PrivateEngine) -> None:
    three(real).inv("build").ok()
    real.file("docker/api/main.txt", "two")
    found = actions(real)
    assert found["api"] == ("build", "docker/api/main.txt changed")
    assert found["base"][0] == found["cron"][0] == "reuse"
    assert verdicts(real, "build") == {"base": "reused", "api": "built", "cron": "reused"}
    assert (
        engine.docker("run", "--rm", f"{real.registry}/{real.owner}/api:0.1.0", "cat", "/main.txt") == "two"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda real: real.file("docker/api/main.txt", "one", mode=0o755),
            "mode of docker/api/main.txt 0644 -> 0755",
        ),
        (
            lambda real: real.image("base", "FROM busybox:stable\nRUN date +%N > /built && true\n"),
            "stands on base, which changed",
        ),
    ],
    ids=["mode", "sibling"],
)
def test_the_reason_is_said_in_words(real: Fleet, change: object, reason: str) -> None:
    three(real).inv("build").ok()
    change(real)  # type: ignore[operator]
    assert actions(real)["api"] == ("build", reason)


def test_an_argument_is_named_with_both_values(real: Fleet) -> None:
    three(real).inv("build").ok()
    real.toml('[images.api]\n[images.base]\n[images.cron]\nargs = { LEVEL = "2" }\n')
    assert actions(real)["cron"] == ("build", "argument LEVEL 1 -> 2")


def test_what_does_not_matter_changes_nothing(real: Fleet) -> None:
    three(real)
    real.file("docker/api/.dockerignore", "*.md\n")
    real.inv("build").ok()
    (real.root / "docker/api/main.txt").touch()
    real.file("docker/api/notes.md", "ignored")
    real.image("cron", "# a comment\nFROM busybox:stable\nARG LEVEL=1\nRUN    echo $LEVEL > /level\n")
    assert {action for action, _ in actions(real).values()} == {"reuse"}


def test_a_removed_image_is_built_again(real: Fleet, engine: PrivateEngine) -> None:
    three(real).inv("build").ok()
    real.inv("clean --images cron --yes").ok()
    assert actions(real)["cron"] == ("build", "not there in the engine")
    real.inv("build").ok()
    assert engine.docker("run", "--rm", f"{real.registry}/{real.owner}/cron:0.1.0", "cat", "/level") == "1"


def test_a_reused_image_gets_the_names_a_built_one_gets(real: Fleet, engine: PrivateEngine) -> None:
    three(real).inv("build").ok()
    ran = real.inv("build --tags 9.9,next").ok()
    assert "3 reused" in ran.out
    ids = {
        engine.docker("image", "inspect", "-f", "{{.Id}}", f"{real.registry}/{real.owner}/cron:{tag}")
        for tag in ("0.1.0", "9.9", "next")
    }
    assert len(ids) == 1


def test_a_child_built_on_a_reused_base_stands_on_that_very_base(real: Fleet, engine: PrivateEngine) -> None:
    three(real).inv("build").ok()
    built = engine.docker("run", "--rm", f"{real.registry}/{real.owner}/base:0.1.0", "cat", "/built")
    real.file("docker/api/main.txt", "two")
    real.inv("build --images api").ok()
    assert engine.docker("run", "--rm", f"{real.registry}/{real.owner}/api:0.1.0", "cat", "/built") == built


def test_push_after_a_build_that_reused_everything_really_publishes(
    real: Fleet, engine: PrivateEngine
) -> None:
    three(real).inv("build").ok()
    real.inv("build").ok()
    real.inv("push").ok()
    local = engine.docker("image", "inspect", "-f", "{{.Id}}", f"{real.registry}/{real.owner}/cron:0.1.0")
    assert manifest(engine, f"{real.owner}/cron", "0.1.0") == manifest(engine, f"{real.owner}/cron", local)


def test_another_machine_names_what_the_first_one_pushed(
    real: Fleet, engine: PrivateEngine, tmp_path: Path
) -> None:
    three(real).inv("push").ok()
    second = other_machine(real, engine, tmp_path)
    assert set(verdicts(second, "push --tags 0.2.0").values()) == {"reused"}
    assert manifest(engine, f"{real.owner}/api", "0.2.0") == manifest(engine, f"{real.owner}/api", "0.1.0")


def test_a_platform_that_is_missing_is_built_alone_and_joined(real: Fleet, engine: PrivateEngine) -> None:
    three(real).inv("push").ok()
    first = manifest(engine, f"{real.owner}/base", "0.1.0")
    ran = real.inv(f"push --platforms {BOTH}").ok()
    index = manifest(engine, f"{real.owner}/base", "0.1.0")
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["amd64", "arm64"]
    amd = manifest(engine, f"{real.owner}/base", index["manifests"][0]["digest"])
    assert amd == first
    assert "linux/arm64" in ran.err
    assert "linux/amd64" not in ran.err
    name = f"{real.registry}/{real.owner}/api:0.1.0"
    engine.docker("pull", "-q", "--platform", "linux/arm64", name)
    assert engine.docker("run", "--rm", "--platform", "linux/arm64", name, "uname", "-m") == "aarch64"


def test_a_child_of_a_reused_base_has_the_right_one_on_each_platform(
    real: Fleet, engine: PrivateEngine
) -> None:
    three(real).inv(f"push --platforms {BOTH}").ok()
    real.file("docker/api/main.txt", "two")
    assert verdicts(real, f"push --platforms {BOTH}") == {"base": "reused", "api": "built", "cron": "reused"}
    name = f"{real.registry}/{real.owner}/api:0.1.0"
    for platform, machine in (("linux/amd64", "x86_64"), ("linux/arm64", "aarch64")):
        engine.docker("pull", "-q", "--platform", platform, name)
        assert engine.docker("run", "--rm", "--platform", platform, name, "uname", "-m") == machine


def test_what_the_registry_has_is_pulled_and_not_built(
    real: Fleet, engine: PrivateEngine, tmp_path: Path
) -> None:
    three(real).inv("push --images cron").ok()
    second = other_machine(real, engine, tmp_path)
    assert actions(second, "--images cron")["cron"] == ("reuse", "unchanged in the registry")
    assert verdicts(second, "build --images cron") == {"cron": "reused"}
    assert engine.docker("run", "--rm", f"{real.registry}/{real.owner}/cron:0.1.0", "cat", "/level") == "1"


def test_a_base_that_the_registry_has_is_not_built_for_what_stands_on_it(
    real: Fleet, engine: PrivateEngine, tmp_path: Path
) -> None:
    three(real).inv(f"push --platforms {BOTH} --images base").ok()
    second = other_machine(real, engine, tmp_path)
    for flags in ("", f" --platforms {BOTH}"):
        found = actions(second, f"--images api{flags}")
        assert {name: action for name, (action, _) in found.items()} == {"base": "reuse", "api": "build"}
        assert found["base"][1] == "unchanged in the registry"
        second.inv(f"build --images api{flags}").ok()


def test_addresses_that_no_name_stands_on_are_listed_and_removed(real: Fleet, engine: PrivateEngine) -> None:
    three(real).inv("build").ok()
    real.inv("push").ok()
    real.file("docker/api/main.txt", "two")
    real.inv("build").ok()
    real.inv("push").ok()
    ran = real.inv("clean --addresses --yes").ok()
    assert ran.out.count(f"{real.owner}/api:argosy-") == 2
    assert f"{real.owner}/cron" not in ran.out
    assert "nothing to remove" in real.inv("clean --addresses --yes").ok().out
    assert set(verdicts(real, "build").values()) == {"reused"}
    engine.docker("pull", "-q", f"{real.registry}/{real.owner}/api:0.1.0")


def test_what_was_pushed_last_and_has_no_name_is_removed_too(real: Fleet) -> None:
    real.image("api", f"FROM busybox:stable\nCOPY main.txt /\nENV OWNER={real.owner}\n")
    real.toml("[images.api]\n")
    for text in ("one", "two"):
        real.file("docker/api/main.txt", text)
        real.inv("push").ok()
    real.file("docker/api/main.txt", "one")
    assert verdicts(real, "push") == {"api": "reused"}
    ran = real.inv("clean --addresses --yes").ok()
    assert ran.out.count(f"{real.owner}/api:argosy-") > 0
    assert "nothing to remove" in real.inv("clean --addresses --yes").ok().out
    assert verdicts(real, "push") == {"api": "reused"}


def test_a_fleet_on_docker_hub_is_built_reused_and_swept_though_the_engine_spells_it_otherwise(
    real: Fleet,
) -> None:
    """Docker calls `docker.io/acme/api` by its familiar name, also where it says that there is none."""
    real.registry = "docker.io"
    real.image("cron", f"FROM busybox:stable\nRUN echo {real.owner} > /first\n")
    real.toml("[images.cron]\n")
    assert verdicts(real, "build") == {"cron": "built"}
    assert verdicts(real, "build") == {"cron": "reused"}
    real.image("cron", f"FROM busybox:stable\nRUN echo {real.owner} > /second\n")
    real.inv("build").ok()
    ran = real.inv("clean --addresses --yes").ok()
    assert ran.out.count(f"{real.owner}/cron:argosy-") == 1
    assert "removed 1 addresses from the engine" in ran.out
    assert verdicts(real, "build") == {"cron": "reused"}


def test_an_image_that_changes_while_it_is_built_loses_its_address(real: Fleet) -> None:
    # An owner of this test's own: BuildKit would have the step in its cache.
    real.image("slow", f"FROM busybox:stable\nCOPY main.txt /\nRUN echo {real.owner}; sleep 4\n")
    real.file("docker/slow/main.txt", "one")
    real.toml("[images.slow]\n")
    running = real.start("build")
    time.sleep(2.5)
    real.file("docker/slow/main.txt", "two")
    running.communicate(timeout=120)
    assert running.returncode == 0
    real.file("docker/slow/main.txt", "one")
    assert actions(real)["slow"][0] == "build"


@pytest.mark.parametrize("end", ["killed", "another Dockerfile is gone"])
def test_an_address_that_nobody_was_sure_of_is_forgotten(
    real: Fleet, engine: PrivateEngine, end: str
) -> None:
    """The file changes before BuildKit reads it; then nothing is looked at again."""
    real.image("slow", f"FROM busybox:stable\nRUN echo {real.owner}; sleep 3\nCOPY main.txt /\n")
    real.image("other", f"FROM busybox:stable\nRUN echo {real.owner}; sleep 5\n")
    real.toml("[images.slow]\n[images.other]\n")
    real.file("docker/slow/main.txt", "one")
    running = real.start("build")
    wait_for = time.monotonic() + 60
    while not list(Path(real.env["XDG_STATE_HOME"]).rglob("unsure/*.json")):
        assert time.monotonic() < wait_for
        time.sleep(0.01)
    real.file("docker/slow/main.txt", "two")
    name = f"{real.registry}/{real.owner}/slow"
    while not engine.docker("image", "ls", "--quiet", name):
        assert time.monotonic() < wait_for
        time.sleep(0.05)
    if end == "killed":
        running.kill()
        running.communicate(timeout=60)
    else:
        (real.root / "docker/other/Dockerfile").rename(real.root / "Dockerfile.other")
        assert "docker/other/Dockerfile" in running.communicate(timeout=60)[1]
        (real.root / "Dockerfile.other").rename(real.root / "docker/other/Dockerfile")
    real.file("docker/slow/main.txt", "one")
    assert verdicts(real, "build")["slow"] == "built"
    assert engine.docker("run", "--rm", f"{name}:0.1.0", "cat", "/main.txt") == "one"
    assert verdicts(real, "build") == {"slow": "reused", "other": "reused"}


def test_a_change_that_buildkit_would_not_see_is_refused_and_touch_helps(
    real: Fleet, engine: PrivateEngine
) -> None:
    real.image("api", "FROM busybox:stable\nCOPY main.txt /\nRUN echo one > /said\n")
    real.toml("[images.api]\n")
    name = f"{real.registry}/{real.owner}/api:0.1.0"

    def write(path: str, text: str) -> None:
        real.file(path, text)
        os.utime(real.root / path, (1_000_000_000, 1_000_000_000))

    dockerfile = (real.root / "docker/api/Dockerfile").read_text()
    write("docker/api/main.txt", "one")
    write("docker/api/Dockerfile", dockerfile)
    real.inv("build").ok()
    for path, text in (
        ("docker/api/main.txt", "two"),
        ("docker/api/Dockerfile", dockerfile.replace("one", "two")),
    ):
        write(path, text)
        failed = real.inv("build")
        assert failed.code == 2
        assert f"api: {path} changed and kept size and time" in failed.err
        assert f"Run: touch {path}\n" in failed.err
        assert actions(real)["api"][0] == "build"
        (real.root / path).touch()
        real.inv("build").ok()
    assert engine.docker("run", "--rm", name, "cat", "/main.txt", "/said").split() == ["twotwo"]


@pytest.mark.parametrize("change", ["mode", "secret"])
def test_a_change_that_buildkit_s_cache_does_not_see_is_built_without_it(
    real: Fleet, engine: PrivateEngine, change: str
) -> None:
    real.image(
        "api",
        "FROM busybox:stable\nCOPY sub /sub\n"
        "RUN --mount=type=secret,id=tok stat -c %a /sub/deep > /said; ls /run/secrets >> /said || true\n",
    )
    real.file("docker/api/sub/deep/x", "x")
    real.toml("[images.api]\n")
    real.inv("build").ok()
    if change == "mode":
        (real.root / "docker/api/sub/deep").chmod(0o700)
    else:
        real.file("token", "t")
        real.toml('[images.api]\nsecrets = {tok = {file = "token"}}\n')
    real.inv("build").ok()
    name = f"{real.registry}/{real.owner}/api:0.1.0"
    said = engine.docker("run", "--rm", name, "cat", "/said").split()
    assert said == (["700"] if change == "mode" else ["755", "tok"])
    assert verdicts(real, "build") == {"api": "reused"}


def test_two_builds_at_once_lock_the_bases_of_both(real: Fleet, engine: PrivateEngine) -> None:
    bases = {name: f"{engine.registry}/{real.owner}-upstream/{name}:1" for name in ("one", "two")}
    real.file("upstream/Dockerfile", "FROM busybox:stable\n")
    for name, base in bases.items():
        engine.docker("buildx", "build", "-q", "--push", "-t", base, str(real.root / "upstream"))
        real.image(name, f"FROM {base}\n")
    real.toml("[images.one]\n[images.two]\n")
    for running in [real.start(f"build --images {name}") for name in ("one", "two")]:
        running.communicate(timeout=120)
        assert running.returncode == 0
    locked = (real.root / "build.lock").read_text()
    assert [base for base in bases.values() if base not in locked] == []


def test_an_index_of_which_one_platform_was_pulled_is_no_reason_to_reuse(
    real: Fleet, engine: PrivateEngine, tmp_path: Path
) -> None:
    # Content of this test's own: another test's arm64 image with the same bytes would be there in fact.
    three(real).image("cron", f"FROM busybox:stable\nRUN echo {real.owner} > /level\n")
    real.inv(f"build --platforms {BOTH} --images cron").ok()
    real.inv(f"push --platforms {BOTH} --images cron").ok()
    address = next(
        image["address"]
        for image in real.inv(f"plan --platforms {BOTH} --images cron --format json").ok().json["images"]
    )
    second = other_machine(real, engine, tmp_path)
    name = f"{real.registry}/{real.owner}/cron"
    engine.docker("pull", "-q", "--platform", "linux/amd64", f"{name}:0.1.0")
    engine.docker("tag", f"{name}:0.1.0", f"{name}:{address}")
    found = actions(second, "--images cron", f"--platforms {BOTH}")
    assert found["cron"] == ("build", "not there yet for linux/arm64")


def test_rebuild_ignores_what_is_there(real: Fleet) -> None:
    three(real).inv("build").ok()
    assert set(verdicts(real, "build --rebuild").values()) == {"built"}


def test_a_remote_file_without_checksum_is_never_reused(real: Fleet, engine: PrivateEngine) -> None:
    url = f"http://{engine.registry}/v2/"
    real.image("far", f"FROM busybox:stable\nADD {url} /far.json\n")
    real.toml("[images.far]\n")
    action, reason = actions(real)["far"]
    assert action == "build"
    assert "has no --checksum" in reason


def test_the_first_build_locks_the_bases_and_a_locked_one_refuses_new_ones(real: Fleet) -> None:
    three(real).inv("build").ok()
    lock = (real.root / "build.lock").read_text()
    assert '"busybox:stable" = "sha256:' in lock
    real.inv("build --locked").ok()
    (real.root / "build.lock").unlink()
    ran = real.inv("build --locked").failed(2)
    assert "busybox:stable" in ran.err
    assert not (real.root / "build.lock").exists()


def test_a_build_for_fewer_platforms_leaves_the_bases_of_the_others_locked(
    real: Fleet, engine: PrivateEngine
) -> None:
    """What a laptop builds of the fleet is not all that the fleet stands on."""
    arm = f"{engine.registry}/{real.owner}-upstream/arm:1"
    upstream = real.file("upstream/Dockerfile", "FROM busybox:stable\nLABEL for=arm\n").parent
    engine.docker("buildx", "build", "-q", "--push", "--platform", BOTH, "-t", arm, str(upstream))
    each = f"FROM busybox:stable AS base-amd64\nFROM {arm} AS base-arm64\nFROM base-${{TARGETARCH}}\n"
    real.image("app", each)
    real.toml(f"[images.app]\nplatforms = {BOTH.split(',')}\n[flavours.debug]\n")
    real.inv("build").ok()
    lock = real.root / "build.lock"
    both = lock.read_text()
    assert arm in both
    for fewer in ("--platforms linux/amd64", "--platforms linux/amd64 --pull", "--flavour debug --pull"):
        real.inv(f"build {fewer}").ok()
        assert lock.read_text() == both
    real.inv("build --locked").ok()


def test_a_base_that_nothing_stands_on_any_more_goes_from_the_lock_with_pull(real: Fleet) -> None:
    real.image("app", "FROM busybox:stable\n")
    real.toml("[images.app]\n")
    old = real.file("build.lock", f'[bases]\n"old:1" = "sha256:{"0" * 64}"\n')
    real.inv("build").ok()
    assert "old:1" in old.read_text()
    real.inv("build --pull").ok()
    assert "old:1" not in old.read_text()


def test_a_base_that_moves_upstream_changes_nothing_until_pull(real: Fleet, engine: PrivateEngine) -> None:
    base = f"{engine.registry}/{real.owner}-upstream/os:1"
    for text in ("one", "two"):
        real.file("upstream/Dockerfile", f"FROM busybox:stable\nRUN echo {text} > /os\n")
        engine.docker("buildx", "build", "-q", "--push", "-t", base, str(real.root / "upstream"))
        if text == "one":
            real.image("app", f"FROM {base}\nRUN cat /os\n")
            real.toml("[images.app]\n")
            real.inv("build").ok()
    assert actions(real)["app"] == ("reuse", "unchanged")
    action, reason = actions(real, "--pull")["app"]
    assert action == "build"
    assert reason.startswith(f"base {base} moved")
    # A machine that never built it has no reason to tell; what moved it tells all the same.
    elsewhere = {"XDG_STATE_HOME": str(real.root / "elsewhere")}
    (app,) = real.inv("plan --pull --format json", env=elsewhere).ok().json["images"]
    assert app["reason"] != reason
    assert [note for note in app["notes"] if note in reason]
    assert real.inv("plan --format json", env=elsewhere).ok().json["images"][0]["notes"] == []
    real.inv("build --pull").ok()
    assert engine.docker("run", "--rm", f"{real.registry}/{real.owner}/app:0.1.0", "cat", "/os") == "two"


@pytest.mark.parametrize("verb", ["build", "push"])
def test_a_run_that_reuses_everything_imports_no_engine_library(real: Fleet, verb: str) -> None:
    three(real).inv(verb).ok()
    code = (
        "import sys\nfrom tasks.cli import program\n"
        f"try:\n    program.run(['argosy', '{verb}'], exit=True)\n"
        "except SystemExit as stop:\n    assert not stop.code\n"
        "heavy = ('python_on_whales', 'oras', 'requests', 'rich', 'pydantic')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    ran = real.run(sys.executable, "-c", code, env={"PYTHONPATH": str(ROOT)})
    assert ran.ok().out.strip().endswith("[]")


def test_since_selects_what_changed_and_what_stands_on_it(real: Fleet) -> None:
    three(real)
    real.commit()
    real.git("checkout", "-q", "-b", "work")
    real.file("docker/api/main.txt", "two")
    real.commit()
    images = real.inv("plan --since main --format json").ok().json["images"]
    assert [image["name"] for image in images if image["selected"]] == ["api"]
    assert "since main: docker/api/main.txt changed" in next(i for i in images if i["name"] == "api")["notes"]
    real.image("base", "FROM busybox:stable\nRUN true\n")
    images = real.inv("plan --since main --format json").ok().json["images"]
    assert {image["name"] for image in images if image["selected"]} == {"api", "base"}


def test_since_counts_build_toml_by_the_images_it_resolves_to(real: Fleet) -> None:
    three(real)
    real.commit()
    real.toml("# only a comment\n[images.api]\n[images.base]\n[images.cron]\n")
    real.file("README.md", "a change elsewhere")
    real.commit()
    assert real.inv("plan --since HEAD^ --format json").ok().json["images"] == []
    real.toml('[images.api]\n[images.base]\n[images.cron]\nargs = { LEVEL = "7" }\n')
    images = real.inv("plan --since HEAD^ --format json").ok().json["images"]
    assert [image["name"] for image in images] == ["cron"]


def test_since_an_unknown_commit_says_what_to_name(real: Fleet) -> None:
    three(real)
    real.commit()
    assert "is no commit here" in real.inv("plan --since nowhere").failed(2).err


def test_a_file_of_paths_is_a_reason_to_build_and_a_path_without_files_is_said(real: Fleet) -> None:
    real.image("api", "FROM busybox:stable\nRUN true\n")
    real.toml('[images.api]\npaths = ["schema", "nothing"]\n')
    real.file("schema/user.json", "{}")
    real.inv("build").ok()
    (image,) = real.inv("plan --format json").ok().json["images"]
    assert (image["action"], image["notes"]) == ("reuse", ["paths: there is nothing at nothing"])
    real.file("schema/user.json", "[]")
    (image,) = real.inv("plan --format json").ok().json["images"]
    assert (image["action"], image["reason"]) == ("build", "schema/user.json changed")


def test_the_triggers_of_a_base_that_is_unchanged_run_in_what_stands_on_it(
    real: Fleet, engine: PrivateEngine
) -> None:
    real.image(
        "base",
        "FROM busybox:stable\nONBUILD COPY data /on/\nONBUILD ARG WORD\nONBUILD RUN echo $WORD > /word\n",
    )
    real.image("api", f"FROM {real.owner}/base\nRUN ls /on > /seen\n")
    real.file("docker/api/data/one", "one\n")
    real.toml('[images.base]\n[images.api]\nargs = { WORD = "first" }\n')
    reference = f"{real.registry}/{real.owner}/api:0.1.0"

    def made() -> list[str]:
        return engine.docker("run", "--rm", reference, "cat", "/seen", "/on/one", "/word").split()

    real.inv("build").ok()
    assert made() == ["one", "one", "first"]
    real.file("docker/api/data/one", "two\n")
    # Given by its address the base would run its triggers in a stage of its own.
    assert actions(real)["base"] == ("build", "api is built and runs its triggers")
    real.inv("build").ok()
    assert made() == ["one", "two", "first"]
    assert {action for action, _ in actions(real).values()} == {"reuse"}
    real.toml('[images.base]\n[images.api]\nargs = { WORD = "second" }\n')
    assert actions(real)["api"] == ("build", "trigger argument WORD changed")
    real.inv("build").ok()
    assert made() == ["one", "two", "second"]


def test_who_looks_at_images_is_told_where_they_are_of_an_older_state(real: Fleet) -> None:
    three(real).inv("build").ok()
    assert "warning" not in real.inv("test").ok().err
    real.file("docker/api/main.txt", "two")
    for line in ("test", "lint"):
        said = real.inv(line).err
        assert (
            "warning: api: since it was built here, docker/api/main.txt changed. Build it: inv build\n"
            in said
        )
        assert said.count("since it was built") == 1
    real.inv("build").ok()
    assert "since it was built" not in real.inv("test").ok().err
