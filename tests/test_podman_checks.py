"""podman in place of Docker: what was built is looked at, run, asked and scanned."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Podman
from tests.scanners import Scanner
from tests.scenario import Fleet

ENGINE = '[engine]\nclient = "podman"\n'


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_what_inv_test_looks_at_with_podman(pod: Fleet, podman: Podman):
    """Its archives lose the health check, and no systemd makes one here. What it cannot do is refused by name."""
    pod.image(
        "api",
        f"FROM busybox:stable\nRUN mkdir /www && echo {pod.owner} > /www/health\nUSER 1000\nEXPOSE 8080\n"
        "HEALTHCHECK --interval=30s CMD wget -q -O- http://localhost:8080/health\n"
        'CMD ["sh", "-c", "trap \'exit 0\' TERM; httpd -p 8080 -h /www; while true; do sleep 0.1; done"]\n',
    )
    pod.image("web", f'FROM {pod.owner}/api\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n')
    pod.file("compose.yaml", f"services:\n  api:\n    image: {pod.registry}/{pod.owner}/api:0.1.0\n")
    pod.toml(f"""
    {ENGINE}
    [images.api]
    size = 20
    expect = {{ user = 1000, ports = [8080], healthcheck = {{ interval = "30s" }}, files = {{ "/www/health" = {{}} }} }}
    tests = [
        {{ name = "mounts", run = "cat /f", mounts = ["docker/api/Dockerfile:/f:ro"], output = "busybox" }},
        {{ name = "service", http = "/health", output = "{pod.owner}", healthy = true, idle = 50, stops = "20s" }},
        {{ name = "unhealthy", unhealthy = "killall httpd" }},
        {{ name = "compose", compose = "compose.yaml" }},
    ]
    [images.web]
    inherit = false
    tests = [
        {{ name = "frozen", unhealthy = true }},
        {{ name = "siblings", run = "true", socket = true }},
        {{ name = "file", structure = "tests.yaml" }},
    ]
    """)
    pod.inv("build").ok()
    said = pod.inv("test").failed(2).err
    assert "nothing was done" in said
    assert "images.api, test 4 (compose): compose needs podman 4.7 (this is 4.3.1)" in said
    assert "images.web, test 1 (frozen): podman has no time limit for the check of a frozen service" in said
    assert "images.web, test 2 (siblings): socket: podman runs no engine" in said
    assert (
        "images.web, test 3 (file): structure: container-structure-test runs its containers in a Docker"
        in said
    )
    toml = (pod.root / "build.toml").read_text().splitlines(keepends=True)
    refused = ('name = "compose"', 'name = "frozen"', 'name = "siblings"', 'name = "file"')
    (pod.root / "build.toml").write_text(
        "".join(line for line in toml if not any(word in line for word in refused))
    )
    checks = [check for check in pod.inv("test --json").ok().json["checks"] if check["image"] == "api"]
    assert len(checks) == 11
    assert {check["outcome"] for check in checks} == {"passed"}
    assert pod.owner not in podman("ps", "--all", "--format", "{{.Image}}")


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_a_signal_ends_a_test_that_would_go_on_and_leaves_no_container(pod: Fleet, podman: Podman):
    pod.image("api", f"FROM busybox:stable\nRUN echo {pod.owner} > /mark\n")
    pod.toml(f'{ENGINE}\n[images.api]\ntests = [{{ run = "sleep 240", within = "300s" }}]\n')
    pod.inv("build").ok()
    process = pod.start("test")
    try:
        deadline = time.monotonic() + 180
        while pod.owner not in podman("ps", "--format", "{{.Image}} {{.Command}}"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
    finally:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 143, err
    assert pod.owner not in podman("ps", "--all", "--format", "{{.Image}}")


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_a_scanner_is_given_what_podman_built(pod: Fleet, tmp_path: Path):
    scanner = Scanner(tmp_path / "scanner")
    (scanner.folder / "python3").symlink_to(sys.executable)  # which it runs on; the PATH has podman alone
    scanner.finds(("CVE-2026-1", "9.8"))
    pod.image("api", f"FROM busybox:stable\nRUN echo {pod.owner} > /mark\n")
    pod.toml(f"{ENGINE}[images.api]\n")
    pod.inv("build").ok()
    (found,) = pod.inv("scan --json", env=scanner.path(pod.env)).failed(5).json["checks"]
    assert (found["image"], found["outcome"], found["platform"]) == ("api", "failed", "linux/amd64")
    assert "1 critical" in found["detail"]
    assert len(list(pod.root.rglob("linux-amd64.sarif"))) == 1
