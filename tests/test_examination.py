"""`doctor`: everything a build will need in one look, each failure with its remedy, and nothing changed."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine

BOTH = "linux/amd64,linux/arm64"


@pytest.fixture
def api(real: Fleet) -> Fleet:
    real.image("api")
    real.toml("[images.api]\n")
    real.commit()
    return real


def checks(fleet: Fleet, line: str, code: int = 0, **env: str) -> dict[str, dict[str, str]]:
    ran = fleet.inv(f"doctor --json {line}", env=env)
    assert ran.code == code, ran.err + ran.out
    assert ran.json["schema"] == 1
    return {check["name"]: check for check in ran.json["checks"]}


def test_all_is_well(api: Fleet, engine: PrivateEngine):
    found = checks(api, f"--platforms {BOTH}")
    assert not [name for name, check in found.items() if check["failed"]]
    version = engine.docker("version", "--format", "{{.Server.Version}}")
    assert version in found["engine"]["found"]
    assert "24.0" in found["engine"]["found"]
    assert "0.13" in found["buildx"]["found"]
    assert found["image store"]["found"].startswith("containerd")
    assert "(docker), BuildKit reached" in found["builder"]["found"]
    assert found["platform linux/amd64"]["found"] == "native"
    assert found["platform linux/arm64"]["found"].startswith("emulated")
    assert found[f"registry {api.registry}"]["found"] == "reachable"
    assert "GB free" in found["disk"]["found"]
    assert "on main" in found["git"]["found"]
    assert "1 image" in found["build.toml"]["found"]
    assert "✓  engine" in api.inv("doctor").ok().out


def test_what_takes_time_is_asked_side_by_side(api: Fleet, tmp_path: Path):
    """All together take two seconds: so one slow answer must not wait for another."""
    log = tmp_path / "calls"
    docker = tmp_path / "slow" / "docker"
    docker.parent.mkdir()
    real = shutil.which("docker", path=api.env["PATH"])
    docker.write_text(
        f'#!/bin/sh\necho + >> {log}\nsleep 1\n{real} "$@"\ncode=$?\necho - >> {log}\nexit $code\n'
    )
    docker.chmod(0o755)
    checks(api, f"--platforms {BOTH}", PATH=f"{docker.parent}:{api.env['PATH']}")
    running = [*itertools.accumulate({"+": 1, "-": -1}[line] for line in log.read_text().split())]
    assert max(running) > 1, running


def own_config(api: Fleet, folder: Path) -> Path:
    """A configuration of docker's client with its plugins alone: other tests make builders in the engine's own."""
    config = folder / "docker"
    config.mkdir()
    (config / "cli-plugins").symlink_to(Path(api.env["DOCKER_CONFIG"], "cli-plugins"))
    return config


def test_a_login_is_told_of_and_never_told(api: Fleet, tmp_path: Path):
    config = own_config(api, tmp_path)
    kept = checks(api, "", DOCKER_CONFIG=str(config))[f"login {api.registry}"]
    assert kept["found"] == "none kept"
    assert not kept["failed"]
    assert f"docker login {api.registry}" in kept["remedy"]
    basic = base64.b64encode(b"sailor:a-secret-word").decode()
    for auth, found, code in ((basic, "kept", 0), ("nonsense", "unreadable", 3)):
        (config / "config.json").write_text(json.dumps({"auths": {api.registry: {"auth": auth}}}))
        ran = api.inv("doctor --json", env={"DOCKER_CONFIG": str(config)}).failed(code)
        (login,) = [one for one in ran.json["checks"] if one["name"] == f"login {api.registry}"]
        assert login["found"] == found
        assert "a-secret-word" not in ran.out + ran.err
        assert basic not in ran.out + ran.err
    assert str(config / "config.json") in login["remedy"]


def test_without_an_engine_the_rest_is_still_looked_at(api: Fleet):
    found = checks(api, "", 3, DOCKER_HOST="unix:///nowhere.sock")
    assert "no Docker Engine answers at unix:///nowhere.sock" in found["engine"]["remedy"]
    assert [name for name, check in found.items() if check["failed"]] == ["engine"]
    assert {f"registry {api.registry}", "disk", "git", "build.toml"} <= set(found)
    ran = api.inv("doctor", env={"DOCKER_HOST": "unix:///nowhere.sock"}).failed(3)
    assert "✗  engine" in ran.out
    assert ran.err.strip().endswith("checks failed: engine")


def test_each_failure_is_its_own_check_with_its_remedy(api: Fleet, classic: PrivateEngine):
    found = checks(api, "--platforms linux/amd64,linux/loong64 --registry 127.0.0.1:1", 3)
    assert {name for name, check in found.items() if check["failed"]} == {
        "platform linux/loong64",
        "registry 127.0.0.1:1",
    }
    assert "qemu-user-static" in found["platform linux/loong64"]["remedy"]
    assert "127.0.0.1:1" in found["registry 127.0.0.1:1"]["remedy"]

    api.toml("[images.api]\n[builder]\nname = 'nowhere-to-be-found'\n")
    found = checks(api, "", 3)
    assert "`inv builder` creates it" in found["builder"]["remedy"]
    assert not found["engine"]["failed"]

    api.toml("[images.api]\n")
    api.file("docker/api/Dockerfile", "FROM busybox:stable\nNONSENSE x\n")
    found = checks(api, "", 3, DOCKER_HOST=classic.env["DOCKER_HOST"])
    assert found["image store"]["found"].startswith("classic")
    assert "docker/api/Dockerfile" in found["build.toml"]["remedy"]


def test_doctor_changes_nothing(api: Fleet, tmp_path: Path):
    before = {path: path.stat().st_mtime_ns for path in api.root.rglob("*")}
    config = own_config(api, tmp_path)
    api.env["DOCKER_CONFIG"] = str(config)
    builders = api.run("docker", "buildx", "ls").ok().out
    api.inv("doctor").ok()
    assert {path: path.stat().st_mtime_ns for path in api.root.rglob("*")} == before
    assert api.run("docker", "buildx", "ls").ok().out == builders
