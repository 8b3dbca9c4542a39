"""Dev8: a base image and what stands on it, built from the repository's root, rebuilt only where something changed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import harbour
from tests.bridge import boxed, bridge
from tests.conftest import PrivateEngine
from tests.scanners import Scanner
from tests.scenario import ROOT, Fleet
from tests.systems.recorded import Recording
from tests.systems.system import BOTH, SYSTEMS, checks, edit, names, own, published, stand_in, system

pytestmark = pytest.mark.engine

AZURE = "dev8registry.azurecr.io"
NO_ENGINE = {"DOCKER_HOST": "unix:///nope"}
VARIANTS = {"nodejs", "python", "go", "rust"}


@pytest.fixture(scope="module")
def bases(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    packages = {"packages": tmp_path_factory.mktemp("packages")}
    return {
        "golang:1.22-bullseye": stand_in(engine, "compiler", "golang:1.22-bullseye"),
        "ubuntu:22.04": stand_in(engine, "debian", "ubuntu:22.04", contexts=packages),
    }


@pytest.fixture
def dev8(engine: PrivateEngine, bases: dict[str, str], tmp_path: Path, owners: set[str]) -> Fleet:
    """The system under a name of this test, here the `owner`: its images are `{owner}-base` and so on."""
    word = own("dev8")
    words = {f"dev8-{name}": f"{word}-{name}" for name in ("base", "workspace", "mvp", "{v.id}")}
    made = system(engine, "dev8", tmp_path, words, bases)
    owners.add(word)
    made.owner = word
    return made


def layers(engine: PrivateEngine, reference: str) -> list[str]:
    found: list[str] = json.loads(
        engine.docker("image", "inspect", "-f", "{{json .RootFS.Layers}}", reference)
    )
    return found


def version_in(engine: PrivateEngine, reference: str) -> str:
    """The marker that the base writes of the version it was built as."""
    return engine.docker("run", "--rm", "--entrypoint", "cat", reference, "/etc/workspace-version")


def verdicts(fleet: Fleet, line: str, env: dict[str, str] | None = None) -> dict[str, str]:
    images = fleet.inv(f"{line} --json", env=env).ok().json["images"]
    return {image["name"].removeprefix(f"{fleet.owner}-"): image["verdict"] for image in images}


def registry_log() -> str:
    """What was asked of the private registry, which is the engine's Docker Hub as well."""
    command = [str(ROOT / "scripts" / "engine"), "status"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    engine_log = re.search(r"^log +(\S+)$", told, re.MULTILINE)
    assert engine_log
    return Path(engine_log[1]).with_name("registry.log").read_text(errors="replace")


def test_a_plan_covers_what_build_sh_called(fleet: Fleet):
    """Oracle: each difference with its reason."""
    tree = Fleet(SYSTEMS / "dev8", fleet.env)
    found = Recording.of("dev8").differences(
        tree.inv("plan --format json").ok().json, {"dev8-mvp": "dev8-workspace"}
    )
    differences = {
        "dev8-base: context docker/base -> .": "earlier version: base could not take apps/supervisor yet",
        "dev8-workspace: context docker/mvp -> .": "earlier version: both are built from the root since",
        f"dev8-workspace: reference none -> {AZURE}/dev8-workspace:latest": "later name, beside dev8-mvp",
        "dev8-workspace: reference none -> dev8-workspace:latest": "later name, beside dev8-mvp",
    }
    assert found == set(differences)


def test_the_workspace_stands_on_the_base_wherever_it_is_built_from(dev8: Fleet, engine: PrivateEngine):
    """S3 a. 3 + 6 names; the workspace's layers begin with the base's."""
    dev8.inv("build", env={"VERSION": "1.0"}, cwd="docker").ok()
    again = dev8.inv("build --json", env={"VERSION": "1.0"}).ok().json["images"]
    assert [image["verdict"] for image in again] == ["reused", "reused"]
    base, workspace, mvp = (f"{dev8.owner}-{name}" for name in ("base", "workspace", "mvp"))
    assert names(engine, dev8.owner) == {
        reference
        for name in (base, workspace, mvp)
        for reference in (f"{name}:1.0", f"{AZURE}/{name}:1.0", f"{AZURE}/{name}:latest")
    }
    below = layers(engine, f"{base}:1.0")
    assert layers(engine, f"{workspace}:1.0")[: len(below)] == below
    assert layers(engine, f"{mvp}:1.0") == layers(engine, f"{workspace}:1.0")


def test_without_a_version_no_reference_is_given_twice(fleet: Fleet):
    """As it is: VERSION=latest named a reference twice."""
    images = Fleet(SYSTEMS / "dev8", fleet.env).inv("list --json").ok().json["images"]
    assert images[0]["references"] == [f"{AZURE}/dev8-base:latest", "dev8-base:latest"]
    assert len(images[1]["references"]) == 4


def test_registry_and_version_are_obeyed_and_the_child_stands_on_that_version(
    dev8: Fleet, engine: PrivateEngine
):
    """S3 b."""
    env = {"DOCKER_REGISTRY": dev8.registry, "VERSION": "1.0"}
    dev8.inv("build", env=env).ok()
    dev8.inv("build", env=env | {"VERSION": "1.1"}).ok()
    workspace = f"{dev8.registry}/{dev8.owner}-workspace"
    base = f"{dev8.registry}/{dev8.owner}-base"
    published = {f"{name}:{tag}" for name in (base, workspace) for tag in ("1.0", "1.1", "latest")}
    assert published <= names(engine, dev8.owner)
    assert version_in(engine, f"{base}:1.1") == version_in(engine, f"{base}:latest") == "1.1"
    assert version_in(engine, f"{workspace}:1.0") == "1.0"
    assert version_in(engine, f"{workspace}:1.1") == version_in(engine, f"{workspace}:latest") == "1.1"


def test_no_deps_builds_the_workspace_alone_and_says_where_a_base_is_not_there(dev8: Fleet):
    """S3 c. Nothing is asked of docker.io: of what stands for it here, its registry's log tells each request."""
    line = f"build --images {dev8.owner}-workspace --no-deps"
    hub = f"library/{dev8.owner}-base"
    ran = dev8.inv(line).failed(2)
    assert f"{dev8.owner}-base:latest is not in the engine" in ran.err
    assert f"(inv build --images {dev8.owner}-base) or drop --no-deps" in ran.err
    assert "docker.io" not in ran.err + ran.out
    dev8.run("docker", "pull", f"{dev8.owner}-other:latest").failed(1)
    log = registry_log()
    assert f"library/{dev8.owner}-other" in log, "a pull is seen, and whatever came before it"
    assert hub not in log
    dev8.inv(f"build --images {dev8.owner}-base").ok()
    assert verdicts(dev8, line) == {"workspace": "built"}


def test_a_hard_coded_parent_is_this_run_s_and_an_old_one_stays_what_it_was(
    dev8: Fleet, engine: PrivateEngine
):
    """S3 d. As it is: with VERSION=1.1 each child still inherited :latest."""
    old = f"{dev8.owner}-base:latest"
    dev8.file("old/Dockerfile", "FROM busybox:stable\nRUN echo old > /etc/workspace-version\n")
    dev8.run("docker", "build", "-q", "-t", old, "old").ok()
    edit(dev8, "docker/mvp/Dockerfile", f"ARG BASE_IMAGE={old}\nFROM ${{BASE_IMAGE}}", f"FROM {old}")
    dev8.inv("build", env={"VERSION": "1.1"}).ok()
    assert version_in(engine, f"{dev8.owner}-workspace:1.1") == "1.1"
    assert version_in(engine, old) == "old"
    dev8.inv("build").ok()  # its version is latest: that is the name's own turn
    assert version_in(engine, old) == version_in(engine, f"{dev8.owner}-workspace:latest") == "latest"


def test_both_platforms_of_the_child_stand_on_the_base_s_own(dev8: Fleet, engine: PrivateEngine):
    """S3 j, on the engine's own builder."""
    dev8.inv(f"push --platforms {BOTH}", env={"DOCKER_REGISTRY": dev8.registry}).ok()
    both_stand(dev8, engine)


@pytest.fixture(params=["remote", "docker-container"])
def node(request: pytest.FixtureRequest, engine: PrivateEngine, tmp_path: Path) -> Iterator[str]:
    """The driver and the node of a builder that has no image store, as build.toml has them."""
    if request.param == "remote":
        with bridge(engine.env["DOCKER_HOST"]) as endpoint:
            yield f'driver = "remote"\nnodes = [{{ endpoint = "{endpoint}" }}]\n'
    else:
        with boxed(engine.env, engine.registry, tmp_path) as options:
            yield f'driver = "docker-container"\nnodes = [{{ options = "{options}" }}]\n'


def test_both_platforms_of_the_child_stand_on_the_base_s_own_on_a_builder_of_one_s_own(
    dev8: Fleet, engine: PrivateEngine, node: str
):
    """S3 j, on builders that have no image store."""
    with (dev8.root / "build.toml").open("a") as file:
        file.write(f'[builder]\nname = "{dev8.owner}"\n{node}')
    env = {"DOCKER_REGISTRY": dev8.registry}
    dev8.inv("builder").ok()
    try:
        dev8.inv(f"push --images {dev8.owner}-base --platforms {BOTH}", env=env).ok()
        dev8.inv(f"push --platforms {BOTH}", env=env).ok()
    finally:
        dev8.inv("builder --remove").ok()
    both_stand(dev8, engine)


def both_stand(dev8: Fleet, engine: PrivateEngine) -> None:
    base, workspace = f"{dev8.owner}-base", f"{dev8.owner}-workspace"
    assert published(dev8.registry, workspace) == {"latest"}
    for platform in BOTH.split(","):
        below = [layer["digest"] for layer in of_platform(dev8, base, platform)["layers"]]
        assert [layer["digest"] for layer in of_platform(dev8, workspace, platform)["layers"]][
            : len(below)
        ] == below
    reference = f"{dev8.registry}/{workspace}:latest"
    engine.docker("pull", "-q", "--platform", "linux/arm64", reference)
    ran = engine.docker(
        "run", "--rm", "--platform", "linux/arm64", "--entrypoint", "sh", reference, "-c", "uname -m; node"
    )
    assert ran == "aarch64\nv20.11.0"


def of_platform(dev8: Fleet, repository: str, platform: str) -> dict[str, list[dict[str, str]]]:
    index = harbour.manifest(dev8.registry, repository, "latest").json
    digest = next(
        one["digest"]
        for one in index["manifests"]
        if f"{one['platform']['os']}/{one['platform']['architecture']}" == platform
    )
    return harbour.manifest(dev8.registry, repository, digest).json


def test_the_planned_variants_are_built_when_named_and_stand_on_the_base(dev8: Fleet, engine: PrivateEngine):
    """S3 k."""
    assert verdicts(dev8, "build") == {"base": "built", "workspace": "built"}
    built = verdicts(dev8, "build --group variants")
    assert built == dict.fromkeys(VARIANTS, "built")
    below = layers(engine, f"{dev8.owner}-base:latest")
    for variant in VARIANTS:
        reference = f"{dev8.owner}-{variant}:latest"
        assert layers(engine, reference)[: len(below)] == below
        assert len(layers(engine, reference)) == len(below) + 1
    found = checks(dev8, "test --group variants", 0)
    budgets = {"nodejs": 1800, "python": 2000, "go": 1500, "rust": 2500}
    for variant, most in budgets.items():
        assert f"at most {most} MB" in found[f"{dev8.owner}-{variant}", "size"]["detail"]
        assert found[f"{dev8.owner}-{variant}", "run gh --version"]["outcome"] == "passed"


def test_only_what_changed_is_built_and_most_of_it_comes_from_the_cache(dev8: Fleet):
    """S3 l. The base is made this test's own, so that no other test has filled the cache."""
    edit(dev8, "docker/base/Dockerfile", "sudo git gh", f"sudo git gh {dev8.owner}")
    assert verdicts(dev8, "build") == {"base": "built", "workspace": "built"}
    edit(dev8, "docker/mvp/agents/gpt", "API key", "API key first")
    assert verdicts(dev8, "build") == {"base": "reused", "workspace": "built"}
    edit(dev8, "docker/mvp/Dockerfile", "install -y git-lfs", f"install -y git-lfs {dev8.owner}")
    page = dev8.root.parent / "summary.md"
    ran = dev8.inv("build --json", env={"GITHUB_STEP_SUMMARY": str(page)}).ok()
    found = {image["name"]: image for image in ran.json["images"]}
    assert found[f"{dev8.owner}-base"]["verdict"] == "reused"
    workspace = found[f"{dev8.owner}-workspace"]
    assert workspace["verdict"] == "built"
    assert workspace["cached"] / workspace["steps"] >= 0.8
    assert re.search(rf"{dev8.owner}-workspace .*\b[89]\d %", page.read_text()), page.read_text()
    dev8.commit()
    dev8.git("checkout", "-q", "-b", "change")
    edit(dev8, "docker/mvp/agents/gpt", "API key first", "API key")
    assert verdicts(dev8, "build --since main") == {"workspace": "built"}
    dev8.commit()
    edit(dev8, "apps/supervisor/main.go", '"ok"', '"well"')
    assert verdicts(dev8, "build") == {"base": "built", "workspace": "built"}
    dev8.file("README.md", "# Dev8 again\n")
    assert verdicts(dev8, "build") == {"base": "reused", "workspace": "reused"}


@pytest.mark.parametrize(
    ("variable", "image"), [("BUILD_MVP", "dev8-base"), ("BUILD_BASE", "dev8-workspace")]
)
def test_the_switches_do_what_naming_images_does(fleet: Fleet, variable: str, image: str):
    """S3 m."""
    tree = Fleet(SYSTEMS / "dev8", fleet.env)
    switched = tree.inv("plan --format json", env={variable: "false"}).ok().json
    named = tree.inv(f"plan --images {image} --format json").ok().json
    assert [one["name"] for one in switched["images"]] == [one["name"] for one in named["images"]]
    assert [one["references"] for one in switched["images"]] == [one["references"] for one in named["images"]]


def test_the_tools_are_there_and_one_that_is_broken_fails_alone(dev8: Fleet):
    """S3 f, and m: it answers in time and takes little memory while idle. The child keeps its base's promises."""
    dev8.inv("build").ok()
    found = checks(dev8, "test", 0)
    for image in ("base", "workspace"):
        assert found[f"{dev8.owner}-{image}", "http /health"]["outcome"] == "passed"
    assert "MB" in found[f"{dev8.owner}-base", "idle"]["detail"]
    for image, most in (("base", 1300), ("workspace", 3600)):
        assert f"at most {most} MB" in found[f"{dev8.owner}-{image}", "size"]["detail"]
    assert re.search(r"run node --version +passed", dev8.inv("test").ok().out)
    assert "v20.11.0" in found[f"{dev8.owner}-workspace", "run node --version"]["detail"]
    edit(
        dev8, "docker/mvp/Dockerfile", "install -y bun\n", "install -y bun && echo 'exit 3' > /usr/bin/bun\n"
    )
    dev8.inv("build").ok()
    found = checks(dev8, "test", 5)
    failed = {key for key, one in found.items() if one["outcome"] == "failed"}
    assert failed == {(f"{dev8.owner}-workspace", "run bun --version")}
    assert found[f"{dev8.owner}-workspace", "run az version"]["outcome"] == "passed"
    dev8.inv(f"clean --yes --images {dev8.owner}-workspace").ok()
    ran = dev8.inv("test").ok()
    assert re.search(rf"{dev8.owner}-workspace .*skipped", ran.out)


def test_a_health_check_that_finds_itself_is_found_out(dev8: Fleet):
    """S3 i. As it is: the base's health check greps for itself."""
    edit(
        dev8,
        "docker/base/Dockerfile",
        "CMD curl -f http://localhost:9000/health",
        "CMD ps | grep workspace-supervisor",
    )
    killed = '{ unhealthy = "killall workspace-supervisor"'
    edit(dev8, "build.toml", killed, f'{killed}, within = "20s"')
    dev8.inv(f"build --images {dev8.owner}-base").ok()
    found = checks(dev8, f"test --images {dev8.owner}-base", 5)
    assert found[f"{dev8.owner}-base", "unhealthy"]["outcome"] == "failed"
    assert found[f"{dev8.owner}-base", "http /health"]["outcome"] == "passed"
    ran = dev8.inv(f"lint --images {dev8.owner}-base").ok()
    assert re.search(r"health.*warned.*docker/base/Dockerfile:21", ran.out)


def test_a_key_in_an_argument_is_found_and_a_secret_is_nowhere(dev8: Fleet, tmp_path: Path):
    """S3 g."""
    token, other = "ghp_" + "q7Zx" * 9, "ghp_" + "x7Qz" * 9
    (tmp_path / "token").write_text(token)
    edit(
        dev8,
        "docker/mvp/Dockerfile",
        "RUN apt-get install -y rustc\n",
        "RUN --mount=type=secret,id=github wc -c < /run/secrets/github > /etc/token-size\n",
    )
    edit(
        dev8,
        "build.toml",
        "size = 3600\n",
        f'size = 3600\nsecrets = {{ github = {{ file = "{tmp_path}/token" }} }}\n',
    )
    dev8.inv("build").ok()
    found = checks(dev8, "lint", 0)
    for check in ("leak", "credential"):
        assert found[f"{dev8.owner}-workspace", check]["outcome"] == "passed"
    edit(dev8, "docker/mvp/Dockerfile", "USER root\n", "USER root\nARG GITHUB_TOKEN\n")
    edit(dev8, "docker/mvp/Dockerfile", "install -y bun", "install -y bun && echo $GITHUB_TOKEN | wc -c")
    edit(dev8, "build.toml", "size = 3600\n", "size = 3600\nargs.GITHUB_TOKEN = '" + other + "'\n")
    edit(dev8, "build.toml", 'args = { BASE_IMAGE = "', 'args.BASE_IMAGE = "')
    edit(dev8, "build.toml", '-base:{version}" }', '-base:{version}"')
    dev8.inv("build").ok()
    told = ("history", "--no-trunc", "--format", "{{.CreatedBy}}", f"{dev8.owner}-workspace:latest")
    history = dev8.run("docker", *told).ok().out
    assert other in history, "what is to be found is there"
    assert token not in history
    found = checks(dev8, f"lint --images {dev8.owner}-workspace", 5)
    leaked = found[f"{dev8.owner}-workspace", "credential"]
    assert (leaked["outcome"], leaked["where"]) == ("failed", "ARG GITHUB_TOKEN")
    assert "the form of a GitHub token, and it is written in the history" in leaked["detail"]
    assert other not in str(found)


def test_a_scan_keeps_a_report_of_each_image_and_fails_where_it_is_asked_to(dev8: Fleet, tmp_path: Path):
    """S3 h. As it is: it reports, and never fails."""
    dev8.inv("build").ok()
    ran = dev8.inv("scan").failed(3)
    assert "no scanner is on PATH" in ran.err
    scanner = Scanner(tmp_path / "scanner")
    scanner.finds(("CVE-2026-1", "9.8"))
    env = scanner.path(dev8.env)
    found = checks(dev8, "scan", 5, env)
    assert {image for image, _ in found} == {f"{dev8.owner}-base", f"{dev8.owner}-workspace"}
    assert all("@sha256:" in str(call) for call in scanner.calls if call[0] == "image")
    reports = [path.parent.name for path in dev8.root.rglob("*.sarif")]
    assert sorted(reports) == [f"{dev8.owner}-base", f"{dev8.owner}-workspace"]
    with (dev8.root / "build.toml").open("a") as file:
        file.write('[scan]\nseverity = "critical"\nfail = false\n')
    assert "1 critical" in dev8.inv("scan", env=env).ok().out
