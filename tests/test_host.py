"""Argosy in a container that shares the host's socket: its paths are the host's, its user's groups are told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tasks.engine import host
from tasks.errors import SurroundingsError
from tests.conftest import PrivateEngine
from tests.scenario import ROOT, Fleet, Ran

ID = "4b" * 32


def inside(fleet: Fleet, engine: PrivateEngine, line: str, *options: str) -> Ran:
    """Runs a command line in a container: this machine's Python and docker client, the project at /src, the socket."""
    client = Path(engine.env["PATH"].split(":")[0], "docker").resolve()
    plugins = [path.name for path in Path(engine.env["DOCKER_CONFIG"], "cli-plugins").iterdir()]
    seen = [ROOT, Path(sys.base_prefix), Path("/usr")]
    words = [word for path in seen for word in ("--volume", f"{path}:{path}:ro")]
    for link in (path for path in (Path("/lib"), Path("/lib64")) if path.is_dir()):
        words += ["--volume", f"{link.resolve()}:{link}:ro"]
    sock = engine.env["DOCKER_HOST"].removeprefix("unix://")
    env = {
        "PATH": "/bin:/usr/bin",
        "DOCKER_CONFIG": "/config",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_STATE_HOME": "/tmp/state",
        "HOME": "/tmp",
    }
    words += [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
    words += ["--volume", f"{client}:/bin/docker:ro"]
    for name in plugins:
        source = Path(engine.env["DOCKER_CONFIG"], "cli-plugins", name).resolve()
        words += ["--volume", f"{source}:/config/cli-plugins/{name}:ro"]
    words += ["--volume", f"{fleet.root}:/src", "--volume", f"{sock}:/var/run/docker.sock"]
    python = Path(sys.prefix, "bin", "python")
    command = (str(python), "-m", "tasks.cli", *line.split())
    return fleet.run(
        "docker", "run", "--rm", "--workdir", "/src/sub", *words, *options, "busybox:stable", *command
    )


@pytest.mark.engine
def test_tests_mount_what_the_host_has_and_siblings_are_told_of_it(real: Fleet, engine: PrivateEngine):
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner} > /mark\n")
    real.file("data/word", "a word of the host's\n")
    real.file("sub/.keep")
    real.file(
        "compose.yaml",
        f"""
        services:
          api:
            image: {real.registry}/{real.owner}/api:0.1.0
            volumes: ["./data:/www:ro", "/var/run/docker.sock:/var/run/docker.sock"]
            environment: {{ PLACE: "$PWD" }}
            user: "1234"
            command:
              - sh
              - -c
              - test -w /var/run/docker.sock -a "$$PLACE" = {real.root} && exec httpd -f -p 80 -h /www
            ports: ["80"]
        """,
    )
    real.toml("""
    [images.api]
    tests = [
      { run = "cat /data/word", output = "a word of the host's", mounts = ["data:/data:ro"] },
      { run = "ls /var/run/docker.sock", socket = true },
      { compose = "compose.yaml", service = "api", http = "/word", output = "a word of the host's" },
    ]
    """)
    real.inv("build").ok()
    ran = inside(real, engine, "test", "--network", "host")
    assert ran.code == 0, ran.out + ran.err
    assert "3 passed in" in ran.out
    # Out of a container it is the same, from any folder.
    real.inv("test", cwd="sub").ok()


@pytest.mark.engine
def test_a_refused_socket_is_told_with_its_group_and_the_user_s(real: Fleet, engine: PrivateEngine):
    real.image("api")
    real.file("sub/.keep")
    real.toml("[images.api]\n")
    gid = Path(engine.env["DOCKER_HOST"].removeprefix("unix://")).stat().st_gid
    ran = inside(real, engine, "build", "--user", "1234:4321").failed(3)
    assert f"belongs to group {gid}; this user (1234) is in 4321." in ran.err
    assert f"in a container: --group-add {gid}" in ran.err
    assert inside(real, engine, "list", "--user", f"1234:{gid}").ok()


def test_a_path_is_translated_by_the_innermost_mount_and_what_only_we_have_is_refused():
    mounts = {Path("/src"): Path("/home/me/project"), Path("/src/vendor"): Path("/mnt/vendor")}
    assert host.translated(Path("/src/a/b"), mounts) == Path("/home/me/project/a/b")
    assert host.translated(Path("/src/vendor/x"), mounts) == Path("/mnt/vendor/x")
    with pytest.raises(SurroundingsError, match="/tmp/x lies inside the container"):
        host.translated(Path("/tmp/x"), mounts)


def test_our_container_is_known_by_the_files_that_docker_mounts_into_it():
    own = f"1 2 0:3 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/vda rw\n"
    assert host.container(own) == ID
    assert host.container("1 2 0:3 / / rw - ext4 /dev/vda rw\n") == ""


def test_only_an_engine_of_this_machine_has_a_socket_to_give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    there = tmp_path / "engine.sock"
    there.touch()
    for place, found in (
        (f"unix://{there}", there),
        (f"unix://{tmp_path}/gone.sock", None),
        ("tcp://127.0.0.1:2375", None),
        ("ssh://me@elsewhere", None),
    ):
        monkeypatch.setenv("DOCKER_HOST", place)
        assert host.socket() == found
