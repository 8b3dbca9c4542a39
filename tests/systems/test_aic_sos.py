"""AIC-SOS: five services behind make, where every variable that is promised really works."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests import harbour
from tests.conftest import PrivateEngine
from tests.scenario import Fleet
from tests.systems.recorded import Recording
from tests.systems.system import BOTH, checks, edit, names, own, published, stand_in, system

pytestmark = pytest.mark.engine

SERVICES = {
    "control-plane": 8000,
    "connector-gateway": 8001,
    "execution-plane": 9000,
    "agent": 9001,
    "indexer": 9002,
}
NO_ENGINE = {"DOCKER_HOST": "unix:///nope"}


@pytest.fixture(scope="module")
def bases(engine: PrivateEngine) -> dict[str, str]:
    return {
        "golang:1.21-alpine": stand_in(engine, "compiler", "golang:1.21-alpine"),
        "rust:1.75-alpine": stand_in(engine, "compiler", "rust:1.75-alpine"),
        "alpine:3.19": stand_in(engine, "alpine", "alpine:3.19"),
    }


@pytest.fixture
def aic_sos(engine: PrivateEngine, bases: dict[str, str], tmp_path: Path, owners: set[str]) -> Fleet:
    """The system, its owner a name of this test: what it builds anew comes out of BuildKit's cache."""
    owner = own("aic-sos")
    made = system(engine, "aic_sos", tmp_path, {"aic-sos": owner}, bases)
    owners.add(owner)
    made.owner = owner
    return made


def here(fleet: Fleet) -> dict[str, str]:
    """The variable that sends what is built to the private registry."""
    return {"DOCKER_REGISTRY": f"{fleet.registry}/{fleet.owner}"}


def test_a_plan_covers_what_the_makefile_called(aic_sos: Fleet):
    """Oracle: references, Dockerfiles, contexts, platforms."""
    plan = aic_sos.inv("plan --format json --registry ghcr.io/aic-sos", NO_ENGINE).ok().json
    assert Recording.of("aic_sos").differences(plan) == set()


def test_a_plan_covers_the_recorded_overrides_but_their_having_no_effect(aic_sos: Fleet):
    """Oracle: DOCKER_REGISTRY was obeyed; BUILD_PLATFORMS and DOCKER_TAGS were not, and are here."""
    plan = (
        aic_sos.inv(
            "plan --format json",
            env=NO_ENGINE
            | {"DOCKER_REGISTRY": "r.example", "BUILD_PLATFORMS": BOTH, "DOCKER_TAGS": "v1.0.0"},
        )
        .ok()
        .json
    )
    found = Recording.of("aic_sos", "multi.jsonl").differences(plan)
    differences: dict[str, str] = {}
    for name in SERVICES:
        differences |= {
            f"{name}: platform none -> linux/arm64": "defect: sub-makes overrode BUILD_PLATFORMS, silently",
            f"{name}: reference r.example/{name}:latest -> none": "defect: DOCKER_TAGS was never read",
            f"{name}: reference r.example/{name}:v0.1.0 -> none": "defect: DOCKER_TAGS was never read",
            f"{name}: reference none -> r.example/{name}:v1.0.0": "defect: DOCKER_TAGS was never read",
        }
    assert found == set(differences)


def test_make_builds_all_five_or_one_and_names_them_where_one_is_unknown(
    aic_sos: Fleet, engine: PrivateEngine
):
    """S4 a."""
    aic_sos.run("make", "container-build-agent").ok()
    agent = {f"ghcr.io/{aic_sos.owner}/agent:{tag}" for tag in ("latest", "v0.1.0")}
    assert names(engine, aic_sos.owner) == agent
    ran = aic_sos.run("make", "container-build").ok()
    assert "4 built, 1 reused" in ran.out
    assert names(engine, aic_sos.owner) == {
        f"ghcr.io/{aic_sos.owner}/{name}:{tag}" for name in SERVICES for tag in ("latest", "v0.1.0")
    }
    ran = aic_sos.run("make", "container-build-agnt").failed(2)
    assert 'no image "agnt" in build.toml (did you mean "agent"?)' in ran.err
    assert all(name in ran.err for name in SERVICES)


def test_platforms_are_obeyed_however_they_are_said(aic_sos: Fleet, engine: PrivateEngine):
    """S4 b. On make's command line, in its environment, as a flag: the same, and both platforms run."""
    both = f"BUILD_PLATFORMS={BOTH}"
    aic_sos.run("make", both, "DOCKER_TAGS=one", "container-build").ok()
    aic_sos.run("make", "container-build", env={"BUILD_PLATFORMS": BOTH, "DOCKER_TAGS": "two"}).ok()
    aic_sos.inv(f"build --platforms {BOTH} --tags three").ok()
    for name in SERVICES:
        references = [f"ghcr.io/{aic_sos.owner}/{name}:{tag}" for tag in ("one", "two", "three")]
        assert len(set(engine.docker("image", "inspect", "-f", "{{.Id}}", *references).splitlines())) == 1
        for platform, machine in (("linux/amd64", "x86_64"), ("linux/arm64", "aarch64")):
            ran = engine.docker("run", "--rm", "--platform", platform, references[0], "uname", "-m")
            assert ran == machine, name
        assert loaded(aic_sos, references[0]) == sorted(BOTH.split(","))


def loaded(fleet: Fleet, reference: str) -> list[str]:
    """The platform of every manifest that the engine has of an image, as its own archive tells."""
    archive = fleet.root / "saved.tar"
    fleet.run("docker", "image", "save", "--output", str(archive), reference).ok()

    def blob(digest: str) -> dict[str, Any]:
        text = fleet.run("tar", "-xOf", str(archive), f"blobs/{digest.replace(':', '/')}").ok().out
        return dict(json.loads(text))

    index = fleet.run("docker", "image", "inspect", "-f", "{{.Id}}", reference).ok().out.strip()
    configs = [blob(blob(one["digest"])["config"]["digest"]) for one in blob(index)["manifests"]]
    archive.unlink()
    return sorted(f"{one['os']}/{one['architecture']}" for one in configs)


def test_registry_and_tags_are_obeyed_to_the_letter(aic_sos: Fleet, engine: PrivateEngine):
    """S4 c."""
    prefix = f"{aic_sos.registry}/{aic_sos.owner}-x"
    aic_sos.run("make", f"DOCKER_REGISTRY={prefix}", "DOCKER_TAGS=v1.0.0", "container-build").ok()
    assert names(engine, aic_sos.owner) == {f"{prefix}/{name}:v1.0.0" for name in SERVICES}


def test_a_push_publishes_two_tags_of_each_for_every_platform_asked_for(
    aic_sos: Fleet, engine: PrivateEngine
):
    """S4 d."""
    aic_sos.run("make", "container-push", env=here(aic_sos)).ok()
    for name in SERVICES:
        assert published(aic_sos.registry, f"{aic_sos.owner}/{name}") == {"latest", "v0.1.0"}
    aic_sos.run("make", f"BUILD_PLATFORMS={BOTH}", "container-push", env=here(aic_sos)).ok()
    for name in SERVICES:
        for tag in ("v0.1.0", "latest"):
            found = harbour.manifest(aic_sos.registry, f"{aic_sos.owner}/{name}", tag)
            assert found.platforms == set(BOTH.split(","))
    of_platform = harbour.manifest(aic_sos.registry, f"{aic_sos.owner}/indexer", "v0.1.0").of_platform
    for platform, machine in (("linux/amd64", "x86_64"), ("linux/arm64", "aarch64")):
        reference = f"{aic_sos.registry}/{aic_sos.owner}/indexer:v0.1.0"
        engine.docker("pull", "-q", "--platform", platform, reference)
        exact = f"{aic_sos.registry}/{aic_sos.owner}/indexer@{of_platform[platform]}"
        engine.docker("pull", "-q", exact)
        assert engine.docker("image", "inspect", "-f", "{{.Os}}/{{.Architecture}}", exact) == platform
        assert engine.docker("run", "--rm", "--platform", platform, reference, "uname", "-m") == machine


def test_several_platforms_are_loaded_by_the_containerd_store_alone(
    aic_sos: Fleet, engine: PrivateEngine, classic: PrivateEngine
):
    """S4 e. The classic store is refused before anything is built, with the ways on."""
    ran = aic_sos.inv(f"build --images agent --platforms {BOTH}", env=classic.env).failed(2)
    assert "one platform    --platforms linux/amd64" in ran.err
    assert "push            inv push" in ran.err
    assert not names(classic, aic_sos.owner)
    aic_sos.inv(f"build --images agent --platforms {BOTH}").ok()
    loaded = names(engine, aic_sos.owner)
    assert {name.rpartition(":")[2] for name in loaded} == {"latest", "v0.1.0"}
    for platform, machine in (("linux/amd64", "x86_64"), ("linux/arm64", "aarch64")):
        for name in loaded:
            assert engine.docker("run", "--rm", "--platform", platform, name, "uname", "-m") == machine


def test_a_missing_dockerfile_is_named_with_its_image(aic_sos: Fleet):
    """S4 f, troubleshooting 19: "Cannot find Dockerfile"."""
    (aic_sos.root / "services/indexer/Dockerfile").unlink()
    ran = aic_sos.run("make", "container-build").failed(2)
    assert "images.indexer: no Dockerfile at" in ran.err
    assert "services/indexer/Dockerfile" in ran.err


def test_without_buildx_the_remedy_is_told(aic_sos: Fleet, tmp_path: Path):
    """S4 f, troubleshooting 19: "buildx: command not found"."""
    ran = aic_sos.inv("build", env={"DOCKER_CONFIG": str(tmp_path / "without-plugins")}).failed(3)
    assert "docker has no buildx plugin. Install docker-buildx-plugin" in ran.err


def test_without_an_engine_one_line_says_so(aic_sos: Fleet):
    """S4 f."""
    ran = aic_sos.inv("build", env={"DOCKER_HOST": "unix:///nope"}).failed(3)
    assert ran.err.splitlines() == [
        "no Docker Engine answers at unix:///nope. Start it, or set DOCKER_HOST; `inv doctor` checks the rest."
    ]


def test_a_broken_service_stops_all_or_with_keep_going_itself_alone(aic_sos: Fleet, engine: PrivateEngine):
    """S4 i."""
    dockerfile = aic_sos.root / "services/agent/Dockerfile"
    broken = dockerfile.read_text().replace("cargo build", "echo no such crate >&2 && false && cargo build")
    dockerfile.write_text(broken)
    ran = aic_sos.run("make", "container-build").failed(2)
    assert "FAILED agent  services/agent/Dockerfile:4" in ran.out
    assert "no such crate" in ran.out
    assert not [name for name in names(engine, aic_sos.owner) if "agent" in name]
    table = aic_sos.inv("build --keep-going").failed(4).out
    shown = dict(re.findall(r"^([a-z-]+) +linux/amd64 .*  (.*loaded|failed)$", table, re.MULTILINE))
    assert shown.keys() == SERVICES.keys()
    assert [name for name, verdict in shown.items() if verdict == "failed"] == ["agent"]
    assert "1 failed in" in table
    ran = aic_sos.inv("build --keep-going --json").failed(4)
    verdicts = {image["name"]: image["verdict"] for image in ran.json["images"]}
    assert verdicts.pop("agent") == "failed"
    assert set(verdicts.values()) <= {"built", "reused"}
    assert names(engine, aic_sos.owner) == {
        f"ghcr.io/{aic_sos.owner}/{name}:{tag}" for name in verdicts for tag in ("latest", "v0.1.0")
    }


def test_a_release_has_its_own_tags(aic_sos: Fleet):
    """S4 j, as a plan: the release itself is shown with releases."""
    plan = aic_sos.inv("plan --tag v0.2.0 --format json", env=NO_ENGINE | here(aic_sos)).ok().json
    for image in plan["images"]:
        prefix = f"{aic_sos.registry}/{aic_sos.owner}/{image['name']}"
        assert image["references"] == [f"{prefix}:v0.2.0", f"{prefix}:latest"]


def test_clean_removes_this_project_s_names_alone(aic_sos: Fleet, engine: PrivateEngine):
    """S4 k."""
    aic_sos.run("make", "container-build").ok()
    other = f"ghcr.io/{aic_sos.owner}/another:latest"
    engine.docker("tag", f"ghcr.io/{aic_sos.owner}/agent:latest", other)
    aic_sos.run("make", "container-clean").ok()
    assert names(engine, aic_sos.owner) == {other}
    everything = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    assert not [name for name in everything.splitlines() if f"{aic_sos.owner}/agent" in name]


def test_every_service_answers_is_healthy_and_runs_as_its_user(aic_sos: Fleet):
    """S4 g and h. The ports on the host are free ones, so one that is taken does not matter."""
    aic_sos.inv("build").ok()
    edit(aic_sos, "build.toml", "size = 200", "size = 1")
    somewhere = ("0.0.0.0", SERVICES["agent"])  # noqa: S104 - as a service of somebody's would be
    with socket.socket() as taken, socket.socket() as another:
        with contextlib.suppress(OSError):  # taken by somebody else is taken as well
            taken.bind(somewhere)
            taken.listen()
        with pytest.raises(OSError, match="in use"):
            another.bind(somewhere)
        found = checks(aic_sos, "test", 5)
    for name, port in SERVICES.items():
        assert found[name, "http /health"]["outcome"] == "passed"
        assert f"{port}/tcp" in found[name, "http /health"]["detail"]
        assert found[name, "run id"]["detail"] == "uid=1000(app) gid=1000(app) groups=1000(app)"
        assert found[name, "healthy"]["outcome"] == "passed"
        assert "MB, " in found[name, "size"]["detail"]
    assert found["agent", "size"]["outcome"] == "passed"
    assert found["indexer", "size"]["outcome"] == "failed"
    assert re.match(r"[\d.]+ MB, not at most 1 MB", found["indexer", "size"]["detail"])
    assert [one for one in found.values() if one["outcome"] != "passed"] == [found["indexer", "size"]]
    # The table says the same, one line for each: what it is, what it may be, and the verdict.
    toml = aic_sos.root / "build.toml"
    toml.write_text(re.sub(r"(?ms)^tests = \[\n.*?^\]\n", "", toml.read_text()))
    table = aic_sos.inv("test").failed(5).out
    assert re.findall(r"size +(\w+) .*\d MB, (not )?at most (\d+) MB", table) == [
        ("passed", "", "100"),
        ("passed", "", "100"),
        ("passed", "", "150"),
        ("passed", "", "150"),
        ("failed", "not ", "1"),
    ]
    assert all(name in table for name in SERVICES)


def test_a_wrong_user_fails_and_a_failing_health_check_shows_what_it_said(aic_sos: Fleet):
    """S4 g; troubleshooting 19: the health check fails; the image is too large: the layers that make it so."""
    edit(aic_sos, "services/agent/Dockerfile", "-u 1000", "-u 1001")
    edit(aic_sos, "services/agent/Dockerfile", "9001/health", "9001/nowhere")
    edit(aic_sos, "services/agent/Dockerfile", '"agent"]', '"sh", "-c", "echo serving at last; exec agent"]')
    edit(aic_sos, "build.toml", "size = 150", "size = 1")
    edit(aic_sos, "build.toml", "{ healthy = true }", '{ healthy = true, within = "20s" }')
    aic_sos.inv("build --images agent").ok()
    found = checks(aic_sos, "test --images agent", 5)
    assert found["agent", "run id"]["outcome"] == "failed"
    assert "uid=1001(app)" in str(found["agent", "run id"])
    assert found["agent", "healthy"]["outcome"] == "failed"
    assert "404" in str(found["agent", "healthy"])
    assert found["agent", "healthy"]["log"] == ["serving at last"], "what the container itself said"
    assert found["agent", "http /health"]["outcome"] == "passed"
    assert "services/agent/Dockerfile:" in str(found["agent", "size"])
    assert "a stage of its own" in str(found["agent", "size"])
    edit(aic_sos, "services/agent/Dockerfile", "USER app\n", "COPY . /whole\nUSER app\n")
    aic_sos.inv("build --images agent").ok()
    assert ".dockerignore" in str(checks(aic_sos, "test --images agent", 5)["agent", "size"])
