"""The demo fleet for real: every service of build.toml is built, started, asked, watched and stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parent.parent
SERVICES = ("gateway", "worker", "catalog", "docs", "probe-http", "probe-tcp")
COMPILED = ("gateway", "worker")

Start = Callable[..., str]

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


class Fleet:
    """The built images and the docker to run them with."""

    def __init__(self, env: dict[str, str], registry: str) -> None:
        self.env = {**os.environ, **env}
        self.registry = registry

    def reference(self, image: str) -> str:
        return f"{self.registry}/argosy/{image}:0.1.0"

    def docker(self, *args: str) -> str:
        done = subprocess.run(
            ["docker", *args], env=self.env, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, f"docker {' '.join(args)}: {done.stderr}"
        return done.stdout.strip()

    def inspect(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.docker(kind, "inspect", name))[0]
        return found


@pytest.fixture(scope="module")
def fleet(engine: Any) -> Fleet:
    fleet = Fleet(engine.env, engine.registry)
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "build", "--platforms", "linux/amd64,linux/arm64"],
        cwd=ROOT,
        env=fleet.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return fleet


@pytest.fixture
def start(fleet: Fleet) -> Iterator[Start]:
    """Starts a service and gives its container; what is left at the end is removed."""
    started: list[str] = []

    def begin(service: str, *options: str) -> str:
        container = fleet.docker("run", "-d", "-p", "127.0.0.1::8080", *options, fleet.reference(service))
        started.append(container)
        return container

    yield begin
    if started:
        fleet.docker("rm", "-f", "-v", *started)


@pytest.fixture
def network(fleet: Fleet) -> Iterator[str]:
    name = f"demo-fleet-{uuid.uuid4().hex[:8]}"
    fleet.docker("network", "create", name)
    yield name
    fleet.docker("network", "rm", name)


def eventually(look: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 30) -> Any:
    """What `look` sees once it is what is wanted, or at the latest when the time is up."""
    end = time.monotonic() + seconds
    while not wanted(seen := look()) and time.monotonic() < end:
        time.sleep(0.1)
    assert wanted(seen), f"after {seconds:g} s there is still {seen!r}"
    return seen


def get(fleet: Fleet, container: str, path: str) -> str:
    """The body at a path of a service, or "" while it does not answer with success."""
    address = fleet.docker("port", container, "8080/tcp").splitlines()[0]
    try:
        with urlopen(f"http://{address}{path}", timeout=5) as reply:
            body: bytes = reply.read()
            return body.decode()
    except (URLError, ConnectionError, TimeoutError):
        return ""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_lives_from_health_to_a_clean_end(fleet: Fleet, start: Start, service: str) -> None:
    container = start(service)

    assert eventually(lambda: get(fleet, container, "/health"), bool).strip() == "ok"
    eventually(
        lambda: fleet.inspect("container", container)["State"]["Health"]["Status"],
        lambda status: status == "healthy",
    )
    before = time.monotonic()
    fleet.docker("stop", "--time", "8", container)  # SIGKILL would follow, and exit code 137
    assert time.monotonic() - before < 4
    assert fleet.inspect("container", container)["State"]["ExitCode"] == 0


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_tells_its_version(fleet: Fleet, service: str) -> None:
    said = fleet.docker("run", "--rm", fleet.reference(service), "--version")

    name, version = said.split()
    assert name == service.partition("-")[0]
    assert version.count(".") == 2


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_needs_no_rights(fleet: Fleet, start: Start, service: str) -> None:
    # Not root, no capabilities and nothing to write to: the strictest a cluster can ask for.
    container = start(service, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")

    eventually(lambda: get(fleet, container, "/health"), bool)
    assert fleet.docker("exec", container, "id", "-u") == "1000"
    assert fleet.docker("exec", container, "id", "-g") == "1000"


@pytest.mark.parametrize("service", SERVICES)
def test_health_fails_where_nothing_serves(fleet: Fleet, service: str) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", fleet.reference(service), "health"],
        env=fleet.env,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_says_how_it_is_to_be_run(fleet: Fleet, service: str) -> None:
    config = fleet.inspect("image", fleet.reference(service))["Config"]

    assert config["User"] == "1000:1000"
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert config["Healthcheck"]["Test"][0] == "CMD"  # the exec form: no shell between
    assert config["Healthcheck"]["Test"][-1] == "health"
    assert config["Entrypoint"][0] != "/bin/sh"
    assert config["Labels"]["org.opencontainers.image.title"] == service.partition("-")[0]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_on_arm64(fleet: Fleet, service: str) -> None:
    platform = ("--rm", "--platform", "linux/arm64")

    machine = fleet.docker("run", *platform, "--entrypoint", "uname", fleet.reference(service), "-m")
    said = fleet.docker("run", *platform, fleet.reference(service), "--version")

    assert machine == "aarch64"
    assert said.startswith(service.partition("-")[0])


@pytest.mark.parametrize("service", COMPILED)
@pytest.mark.parametrize(("platform", "machine"), [("linux/amd64", 62), ("linux/arm64", 183)])
def test_a_compiled_program_is_of_its_image_s_platform(
    fleet: Fleet, tmp_path: Path, service: str, platform: str, machine: int
) -> None:
    # An emulator runs either; only the program's own header tells (ELF, e_machine at byte 18).
    container = fleet.docker("create", "--platform", platform, fleet.reference(service))
    try:
        fleet.docker("cp", f"{container}:/usr/local/bin/{service}", str(tmp_path / service))
    finally:
        fleet.docker("rm", container)

    program = (tmp_path / service).read_bytes()
    assert program[:4] == b"\x7fELF"
    assert int.from_bytes(program[18:20], "little") == machine


def test_the_services_work_together(fleet: Fleet, network: str, start: Start) -> None:
    for service in ("catalog", "docs", "worker"):
        start(service, "--network", network, "--network-alias", service)
    gateway = start("gateway", "--network", network, "--network-alias", "gateway")
    http, tcp = (start(f"probe-{kind}", "--network", network) for kind in ("http", "tcp"))

    goods = json.loads(eventually(lambda: get(fleet, gateway, "/goods"), bool))
    silk = json.loads(get(fleet, gateway, "/goods/silk"))
    assert silk in goods

    # The worker counts at its start and every ten seconds after.
    stock = eventually(
        lambda: json.loads(get(fleet, gateway, "/stock") or "{}"), lambda stock: stock.get("tons")
    )
    assert stock["tons"] == sum(item["tons"] for item in goods)

    assert "<title>Documents</title>" in get(fleet, gateway, "/")
    # Files of the sibling that is never run reach the visitor through two other images.
    assert get(fleet, gateway, "/assets/style.css") == (ROOT / "docker/assets/files/style.css").read_text()

    for probe in (http, tcp):
        assert json.loads(eventually(partial(get, fleet, probe, "/"), bool))["up"]


def test_each_probe_makes_the_check_it_was_built_for(fleet: Fleet, start: Start) -> None:
    nowhere = ("--env", "TARGET=127.0.0.1:1")
    probe = start("probe-tcp", *nowhere)
    seen = json.loads(eventually(lambda: get(fleet, probe, "/"), bool))
    assert not seen["up"]
    assert "refused" in seen["problem"]

    probe = start("probe-http", *nowhere)  # an address, but no URL
    seen = json.loads(eventually(lambda: get(fleet, probe, "/"), bool))
    assert not seen["up"]
    assert "refused" not in seen["problem"]
