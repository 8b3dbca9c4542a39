"""The demo fleet for real: every service of build.toml is built, started, asked, watched and stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import ROOT, Fleet

SERVICES = ("gateway", "worker", "catalog", "docs", "probe-http", "probe-tcp")
COMPILED = ("gateway", "worker")

Start = Callable[..., str]

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Demo:
    """The built fleet and the engine it runs in."""

    engine: PrivateEngine

    def reference(self, image: str) -> str:
        return f"{self.engine.registry}/argosy/{image}:latest"

    def docker(self, *arguments: str) -> str:
        return self.engine.docker(*arguments)

    def inspect(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.docker(kind, "inspect", name))[0]
        return found


@pytest.fixture(scope="module")
def demo(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The repository's own fleet, for both platforms, built as its README says."""
    env = engine.env | {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}
    for command in (
        [str(ROOT / "scripts" / "bases")],
        [sys.executable, "-m", "invoke", "build", "--platforms", "linux/amd64,linux/arm64"],
    ):
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return Demo(engine)


@pytest.fixture
def start(demo: Demo) -> Iterator[Start]:
    """Starts a service and gives its container; what is left at the end is removed."""
    started: list[str] = []

    def begin(service: str, *options: str) -> str:
        container = demo.docker("run", "-d", "-p", "127.0.0.1::8080", *options, demo.reference(service))
        started.append(container)
        return container

    yield begin
    if started:
        demo.docker("rm", "-f", "-v", *started)


@pytest.fixture
def network(demo: Demo) -> Iterator[str]:
    name = f"demo-fleet-{uuid.uuid4().hex[:8]}"
    demo.docker("network", "create", name)
    yield name
    demo.docker("network", "rm", name)


def eventually(look: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 30) -> Any:
    """What `look` sees once it is what is wanted, or at the latest when the time is up."""
    end = time.monotonic() + seconds
    while not wanted(seen := look()) and time.monotonic() < end:
        time.sleep(0.1)
    assert wanted(seen), f"after {seconds:g} s there is still {seen!r}"
    return seen


def get(demo: Demo, container: str, path: str) -> str:
    """The body at a path of a service, or "" while it does not answer with success."""
    address = demo.docker("port", container, "8080/tcp").splitlines()[0]
    try:
        with urlopen(f"http://{address}{path}", timeout=5) as reply:
            body: bytes = reply.read()
            return body.decode()
    except (URLError, ConnectionError, TimeoutError):
        return ""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_lives_from_health_to_a_clean_end(demo: Demo, start: Start, service: str) -> None:
    container = start(service)

    assert eventually(lambda: get(demo, container, "/health"), bool).strip() == "ok"
    eventually(
        lambda: demo.inspect("container", container)["State"]["Health"]["Status"],
        lambda status: status == "healthy",
    )
    demo.docker("stop", "--time", "60", container)  # SIGKILL would follow, and exit code 137
    assert demo.inspect("container", container)["State"]["ExitCode"] == 0


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_tells_its_version(demo: Demo, service: str) -> None:
    said = demo.docker("run", "--rm", demo.reference(service), "--version")

    name, version = said.split()
    assert name == service.partition("-")[0]
    assert version.count(".") == 2


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_needs_no_rights(demo: Demo, start: Start, service: str) -> None:
    # Not root, no capabilities and nothing to write to: the strictest a cluster can ask for.
    container = start(service, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")

    eventually(lambda: get(demo, container, "/health"), bool)
    assert demo.docker("exec", container, "id", "-u") == "1000"
    assert demo.docker("exec", container, "id", "-g") == "1000"


@pytest.mark.parametrize("service", SERVICES)
def test_health_fails_where_nothing_serves(demo: Demo, service: str) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", demo.reference(service), "health"],
        env=demo.engine.env,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_says_how_it_is_to_be_run(demo: Demo, service: str) -> None:
    config = demo.inspect("image", demo.reference(service))["Config"]

    assert config["User"] == "1000:1000"
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert config["Healthcheck"]["Test"][0] == "CMD"  # the exec form: no shell between
    assert config["Healthcheck"]["Test"][-1] == "health"
    assert config["Entrypoint"][0] != "/bin/sh"
    assert config["Labels"]["org.opencontainers.image.title"] == service.partition("-")[0]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_on_arm64(demo: Demo, service: str) -> None:
    platform = ("--rm", "--platform", "linux/arm64")

    machine = demo.docker("run", *platform, "--entrypoint", "uname", demo.reference(service), "-m")
    said = demo.docker("run", *platform, demo.reference(service), "--version")

    assert machine == "aarch64"
    assert said.startswith(service.partition("-")[0])


@pytest.mark.parametrize("service", COMPILED)
@pytest.mark.parametrize(("platform", "machine"), [("linux/amd64", 62), ("linux/arm64", 183)])
def test_a_compiled_program_is_of_its_image_s_platform(
    demo: Demo, tmp_path: Path, service: str, platform: str, machine: int
) -> None:
    # An emulator runs either; only the program's own header tells (ELF, e_machine at byte 18).
    container = demo.docker("create", "--platform", platform, demo.reference(service))
    try:
        demo.docker("cp", f"{container}:/usr/local/bin/{service}", str(tmp_path / service))
    finally:
        demo.docker("rm", container)

    program = (tmp_path / service).read_bytes()
    assert program[:4] == b"\x7fELF"
    assert int.from_bytes(program[18:20], "little") == machine


def test_the_services_work_together(demo: Demo, network: str, start: Start) -> None:
    for service in ("catalog", "docs", "worker"):
        start(service, "--network", network, "--network-alias", service)
    gateway = start("gateway", "--network", network, "--network-alias", "gateway")
    http, tcp = (start(f"probe-{kind}", "--network", network) for kind in ("http", "tcp"))

    goods = json.loads(eventually(lambda: get(demo, gateway, "/goods"), bool))
    silk = json.loads(get(demo, gateway, "/goods/silk"))
    assert silk in goods

    # The worker counts at its start and every ten seconds after.
    stock = eventually(
        lambda: json.loads(get(demo, gateway, "/stock") or "{}"), lambda stock: stock.get("tons")
    )
    assert stock["tons"] == sum(item["tons"] for item in goods)

    assert "<title>Documents</title>" in get(demo, gateway, "/")
    # Files of the sibling that is never run reach the visitor through two other images.
    assert get(demo, gateway, "/assets/style.css") == (ROOT / "docker/assets/files/style.css").read_text()

    for probe in (http, tcp):
        assert json.loads(eventually(partial(get, demo, probe, "/"), bool))["up"]


def test_each_probe_makes_the_check_it_was_built_for(demo: Demo, start: Start) -> None:
    nowhere = ("--env", "TARGET=127.0.0.1:1")
    probe = start("probe-tcp", *nowhere)
    seen = json.loads(eventually(lambda: get(demo, probe, "/"), bool))
    assert not seen["up"]
    assert "refused" in seen["problem"]

    probe = start("probe-http", *nowhere)  # an address, but no URL
    seen = json.loads(eventually(lambda: get(demo, probe, "/"), bool))
    assert not seen["up"]
    assert "refused" not in seen["problem"]


def test_the_fleet_keeps_what_its_build_toml_promises(demo: Demo, tmp_path: Path) -> None:
    some = ("--images", "base,python-base,assets,gateway,docs", "--platforms", "linux/amd64")
    env = demo.engine.env | {"XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "test", *some, "--json"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert {check["image"] for check in said["checks"]} == {
        "base",
        "python-base",
        "assets",
        "gateway",
        "docs",
    }
    assert said["counts"]["passed"] == len(said["checks"])


@pytest.mark.usefixtures("demo")  # its bases are served then
def test_a_program_that_needs_others_or_carries_its_symbols_breaks_the_promise(real: Fleet):
    """Real ones: what Go makes unless it is told otherwise, and a program of Debian's."""
    real.image(
        "tool",
        """\
        FROM golang:1.24-trixie AS build
        COPY main.go /src/
        RUN CGO_ENABLED=0 go build -o /symbols /src/main.go
        FROM debian:trixie-slim
        COPY --from=build /symbols /usr/bin/symbols
        """,
    )
    real.file("docker/tool/main.go", 'package main\n\nfunc main() { println("hello") }\n')
    wanted = "{ static = true, stripped = true }"
    real.toml(
        f'[images.tool]\nexpect = {{ files = {{ "/usr/bin/symbols" = {wanted}, "/usr/bin/ls" = {wanted} }} }}\n'
    )
    real.inv("build").ok()
    checks = real.inv("test --json").failed(5).json["checks"]
    said = {one["name"]: one["detail"] for one in checks if one["outcome"] == "failed"}
    assert said == {
        "files./usr/bin/symbols": "is not stripped",
        "files./usr/bin/ls": "is not statically linked",
    }
