"""Lapdev: one Dockerfile, three of its targets, and a source file that repeats what is published."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests import harbour, registries
from tests.conftest import PrivateEngine
from tests.scenario import Fleet
from tests.systems import programs
from tests.systems.recorded import Recording
from tests.systems.system import SYSTEMS, checks, edit, own, stand_in, system

IMAGES = {
    "lapdev-api": ("lapdev-api", {"8080/tcp", "2222/tcp", "8443/tcp"}),
    "lapdev-kube-manager": ("kube-manager", {"5001/tcp", "7771/tcp"}),
    "lapdev-kube-sidecar-proxy": ("kube-sidecar-proxy", {"8080/tcp"}),
}
CONSTANTS = "crates/api/src/kube_controller/container_images.rs"


def lapdev(engine: PrivateEngine, owners: set[str], folder: Path, registry: str = "") -> Fleet:
    """A copy of the tree below a path of this run's own in a registry, the private one if none is named."""
    mine = own("lapdev")
    owners.add(mine)
    starts = programs.starts(folder / "starts")
    (folder / "packages").mkdir()
    # The cache in which the compiler counts is this run's own, too.
    words = {
        "ghcr.io": f"{registry or engine.registry}/{mine}",
        "target=/app/target": f"id={mine},target=/app/target",
    }
    mirror = {
        "rust:1.90-bullseye": stand_in(
            engine, "toolchain", "rust:1.90-bullseye", contexts={"starts": starts}
        ),
        "debian:12-slim": stand_in(
            engine, "debian", "debian:12-slim", contexts={"packages": folder / "packages"}
        ),
    }
    fleet = system(engine, "lapdev", folder, words, mirror)
    fleet.registry, fleet.owner = registry or engine.registry, f"{mine}/lapce"
    return fleet


@pytest.fixture(scope="module")
def built(engine: PrivateEngine, owners: set[str], tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Lapdev, built once for all tests that only look at it."""
    fleet = lapdev(engine, owners, tmp_path_factory.mktemp("lapdev"))
    fleet.inv("build").ok()
    return fleet


@pytest.fixture
def fresh(engine: PrivateEngine, owners: set[str], tmp_path: Path) -> Fleet:
    """Lapdev, nothing built or pushed yet, for tests that change it."""
    return lapdev(engine, owners, tmp_path)


def names(fleet: Fleet, image: str) -> set[str]:
    """An image's tags in the registry, without its addresses."""
    found = harbour.tags(fleet.registry, f"{fleet.owner}/{image}")
    return {tag for tag in found if not tag.startswith("argosy-")}


def reference(fleet: Fleet, image: str, tag: str = "0.2.0") -> str:
    return f"{fleet.registry}/{fleet.owner}/{image}:{tag}"


def test_the_plan_covers_the_recorded_calls():
    plan = Fleet(SYSTEMS / "lapdev", {"DOCKER_HOST": "unix:///nowhere.sock"}).inv("plan --format json")
    assert Recording.of("lapdev").differences(plan.ok().json) == set()


@pytest.mark.engine
def test_one_build_makes_three_images_and_compiles_once(built: Fleet, engine: PrivateEngine):
    """S0 a."""
    listed = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    mine = {name for name in listed if f"/{built.owner}/" in name and ":argosy-" not in name}
    assert mine == {reference(built, image) for image in IMAGES}
    for image, (_, ports) in IMAGES.items():
        named = reference(built, image)
        assert engine.docker("run", "--rm", named, "--version") == f"{image} 0.1.0"
        assert engine.docker("run", "--rm", named, "--compiled") == "1"
        config = json.loads(engine.docker("image", "inspect", "-f", "{{json .Config}}", named))
        assert config["ExposedPorts"].keys() == ports


@pytest.mark.engine
def test_none_runs_as_root_but_the_one_that_says_why(built: Fleet):
    """The document's 19th promise: the proxy asks for SO_ORIGINAL_DST."""
    found = checks(built, "test", 0)
    assert {image: (found[image, "user"]["outcome"], found[image, "user"]["detail"]) for image in IMAGES} == {
        "lapdev-api": ("passed", "1000"),
        "lapdev-kube-manager": ("passed", "1000"),
        "lapdev-kube-sidecar-proxy": ("waived", "runs as root (0:0); waived: SO_ORIGINAL_DST wants root"),
    }
    table = built.inv("test").ok().out
    assert re.search(r"lapdev-kube-sidecar-proxy .*\buser +waived .*SO_ORIGINAL_DST wants root", table)
    # Without the reason the same image fails.
    text = (built.root / "build.toml").read_text()
    edit(built, "build.toml", 'waive = { user = "SO_ORIGINAL_DST wants root" }\n', "")
    found = checks(built, "test", 5)
    (built.root / "build.toml").write_text(text)
    assert {image for image in IMAGES if found[image, "user"]["outcome"] == "failed"} == {
        "lapdev-kube-sidecar-proxy"
    }


@pytest.mark.engine
def test_a_push_publishes_the_very_images_that_were_built(built: Fleet, engine: PrivateEngine):
    """S0 b: what `inv push` does of it; a release is tested with releases."""
    built.inv("push").ok()
    for image in IMAGES:
        assert names(built, image) == {"0.2.0"}
        published = harbour.manifest(built.registry, f"{built.owner}/{image}", "0.2.0")
        assert published.digest == engine.docker("image", "inspect", "-f", "{{.Id}}", reference(built, image))
        assert engine.docker("run", "--rm", reference(built, image), "--compiled") == "1"


@pytest.mark.parametrize(
    ("flag", "value", "declared"), [("registry", "quay.io", "ghcr.io"), ("owner", "someone", "lapce")]
)
def test_an_override_that_differs_is_refused_with_both_values(flag: str, value: str, declared: str):
    """S0 d: refused while build.toml is read, so before anything can be built."""
    tree = Fleet(SYSTEMS / "lapdev", {"DOCKER_HOST": "unix:///nowhere.sock"})
    for task in ("build", "push", "list"):
        ran = tree.inv(f"{task} --{flag} {value}").failed(2)
        assert f'"{value}" does not match "{declared}"' in ran.err
    tree.inv(f"list --{flag} {declared}").ok()


@pytest.fixture
def tree(tmp_path: Path) -> Fleet:
    """A copy of the tree that meets no engine."""
    shutil.copytree(SYSTEMS / "lapdev", tmp_path / "lapdev")
    return Fleet(tmp_path / "lapdev", {"DOCKER_HOST": "unix:///nowhere.sock"})


@pytest.mark.engine
def test_a_constant_that_disagrees_stops_everything_and_names_its_image(fresh: Fleet):
    """S0 e: the drift that the original's own document has."""
    source = fresh.root / CONSTANTS
    text = source.read_text()
    source.write_text(text.replace("/lapce/lapdev-kube-manager", "/lapdev/lapdev-kube-manager"))
    here = reference(fresh, "lapdev-kube-manager", "").rstrip(":")
    for task in ("build", "push"):
        said = fresh.inv(task).failed(2).err
        assert f"{CONSTANTS}:5" in said
        assert "KUBE_MANAGER_IMAGE_REPO" in said
        assert f'"{here}"' in said
        assert f'"{here.replace("/lapce/", "/lapdev/")}"' in said
    assert not any(names(fresh, image) for image in IMAGES)
    source.write_text(text.replace("pub const SIDECAR_PROXY_IMAGE_REPO", "// pub const SIDECAR"))
    said = fresh.inv("build").failed(2).err
    assert "lapdev-kube-sidecar-proxy" in said
    assert CONSTANTS in said


@pytest.mark.engine
def test_a_constant_that_is_gone_is_missed_where_it_was(fresh: Fleet):
    """S0 e: its file and what was looked for in it."""
    source = fresh.root / CONSTANTS
    text = source.read_text()
    kept = [line for line in text.splitlines(keepends=True) if "CONTAINER_IMAGE_TAG" not in line]
    assert len(kept) == len(text.splitlines()) - 1
    source.write_text("".join(kept))
    for task in ("build", "push", "list"):
        said = fresh.inv(task).failed(2).err
        assert f"""cannot find 'IMAGE_TAG: &str = "(.+)"' in {CONSTANTS}""" in said


def test_one_command_sets_the_tag_where_it_is_kept(tree: Fleet):
    """S0 h: the release procedure's first step, which the original asks to do by hand."""
    tree.inv("version --set 0.3.0").ok()
    assert 'CONTAINER_IMAGE_TAG: &str = "0.3.0";' in (tree.root / CONSTANTS).read_text()
    listed = tree.inv("list --json").ok().json["images"]
    assert [image["references"] for image in listed] == [[f"ghcr.io/lapce/{image}:0.3.0"] for image in IMAGES]


@pytest.mark.engine
def test_a_release_of_another_version_than_the_source_s_is_refused(fresh: Fleet):
    """S0 c: the original's owner had to remember to change the constant first."""
    fresh.commit("the fleet")
    ran = fresh.inv("release --tag v0.3.0 --yes").failed(6)
    assert f"{CONSTANTS}:3" in ran.err
    assert "CONTAINER_IMAGE_TAG" in ran.err
    assert '"0.2.0"' in ran.err
    assert "0.3.0" in ran.err
    assert not any(names(fresh, image) for image in IMAGES)


@pytest.mark.engine
def test_a_failing_third_target_keeps_all_three_unpublished(fresh: Fleet):
    """S0 f."""
    dockerfile = fresh.root / "pkg/kube-container/Dockerfile"
    text = dockerfile.read_text()
    stage = "FROM runtime-base AS kube-sidecar-proxy\n"
    dockerfile.write_text(text.replace(stage, stage + "RUN echo no compiler here && false\n"))
    ran = fresh.inv("push").failed(4)
    assert "lapdev-kube-sidecar-proxy" in ran.out + ran.err
    assert not any(names(fresh, image) for image in IMAGES)


@pytest.mark.engine
def test_neither_a_fork_nor_ci_changes_who_owns_the_images(built: Fleet):
    """S0 g."""
    before = built.inv("list --json").ok().json
    built.git("init", "-q")
    built.git("remote", "add", "origin", "https://github.com/fork/lapdev.git")
    env = {"GITHUB_REPOSITORY": "fork/lapdev", "GITHUB_REPOSITORY_OWNER": "fork", "GITHUB_ACTOR": "fork"}
    ran = built.inv("build --json", env=env).ok().json
    assert [image["references"] for image in ran["images"]] == [i["references"] for i in before["images"]]
    assert {image["verdict"] for image in ran["images"]} == {"reused"}


@pytest.mark.engine
def test_a_registry_that_is_not_there_is_named_with_its_remedy(
    engine: PrivateEngine, owners: set[str], tmp_path: Path
):
    """S0 i."""
    with registries.registry(engine.env, tmp_path / "registry") as gone:
        pass
    ran = lapdev(engine, owners, tmp_path, gone.host).inv("push").failed(3)
    assert gone.host in ran.err
    assert "does not answer" in ran.err
    assert "Check that the registry runs" in ran.err


@pytest.mark.engine
def test_a_push_without_a_login_names_the_registry_s_own_login_line(
    engine: PrivateEngine, owners: set[str], tmp_path: Path
):
    """S0 k: the words for ghcr.io itself are tested where they are made."""
    with registries.registry(engine.env, tmp_path / "registry", htpasswd=True) as locked:
        fleet = lapdev(engine, owners, tmp_path, locked.host)
        ran = fleet.inv("push").failed(3)
    assert f"{locked.host} wants a login" in ran.err
    assert f"docker login {locked.host}" in ran.err
