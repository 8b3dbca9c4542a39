"""Bad surroundings: each is one clear message with the right exit code, and nothing is left half-written."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.engine import docker, host
from tasks.engine.docker import explain
from tasks.engine.processes import Done
from tests.conftest import PrivateEngine
from tests.scenario import Fleet


@pytest.fixture
def api(fleet: Fleet) -> Fleet:
    """One image; no engine in the environment, and registries on loopback."""
    fleet.registry = "localhost:1"
    fleet.image("api", "FROM busybox:stable\nRUN echo hello\n")
    fleet.toml("[images.api]\n")
    return fleet


def recorded(fleet: Fleet, engine: str, buildx: str) -> dict[str, str]:
    """The environment with a `docker` that tells these versions, and no more."""
    plugins = [{"Name": "buildx", "Version": buildx}] if buildx else []
    about = {
        "ServerVersion": engine,
        "OSType": "linux",
        "Architecture": "x86_64",
        "ClientInfo": {"Plugins": plugins},
    }
    script = f"""
    #!/bin/sh
    case "$1" in
    info) echo '{json.dumps(about)}' ;;
    buildx) printf 'Name: default\\nDriver: docker\\n\\nNodes:\\nPlatforms: linux/amd64, linux/arm64\\n' ;;
    *) echo "docker: '$1' is not expected" >&2; exit 1 ;;
    esac
    """
    docker = fleet.file("bin/docker", script, 0o755)
    return {"PATH": f"{docker.parent}:{fleet.env['PATH']}"}


@pytest.mark.parametrize("task", ["build", "push", "pull", "clean --yes", "builder"])
def test_without_a_docker_it_is_said_that_there_is_none(api: Fleet, task: str):
    api.toml("[images.api]\n[builder]\nname = 'x'\n" if task == "builder" else "[images.api]\n")
    ran = api.inv(task, env={"PATH": "/nowhere"}).failed(3)
    assert ran.err.startswith("there is no `docker` on PATH.")
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("engine", "buildx", "said"),
    [
        ("23.0.6", "v0.13.1", "Docker Engine 23.0.6 is too old: 24.0 or newer is needed"),
        ("26.1.5+dfsg1", "v0.12.5", "buildx v0.12.5 is too old: 0.13 or newer is needed"),
        ("27.0.0", "", "docker has no buildx plugin."),
    ],
)
def test_what_is_too_old_or_missing_is_named_with_the_oldest_that_serves(
    api: Fleet, engine: str, buildx: str, said: str
):
    env = recorded(api, engine, buildx)
    ran = api.inv("build", env=env).failed(3)
    assert said.replace("v0", "0") in ran.err
    assert len(ran.err.splitlines()) == 1
    ran = api.inv("doctor", env=env).failed(3)
    assert said.replace("v0", "0") in ran.out
    assert "build.toml" in ran.out


def test_an_engine_that_hangs_is_given_up(api: Fleet):
    docker = api.file("bin/docker", "#!/bin/sh\nexec sleep 100000\n", 0o755)
    ran = api.inv("doctor", env={"PATH": f"{docker.parent}:{api.env['PATH']}"}).failed(3)
    assert "does not answer in time" in ran.out


UNREADABLE = "WARNING: Error loading config file: open /home/me/.docker/config.json: permission denied\n"


@pytest.mark.parametrize(
    ("err", "said"),
    [
        (
            'Get "http://%2Frun%2Fdocker.sock/v1.45/info": dial unix /run/docker.sock: connect: permission denied',
            "refuses this user",
        ),
        (
            "permission denied while trying to connect to the docker API at unix:///run/d.sock",
            "refuses this user",
        ),
        (f'{UNREADABLE}ERROR: no builder "far" found', 'there is no builder "far"'),
        (
            f"{UNREADABLE}Cannot connect to the Docker daemon at unix:///x. Is it up?",
            "no Docker Engine answers",
        ),
        (
            "ERROR: open /home/me/.docker/buildx/.lock: permission denied",
            "does not serve: open /home/me/.docker/buildx/.lock: permission denied",
        ),
    ],
)
def test_the_socket_s_permissions_are_blamed_where_they_are_why_alone(err: str, said: str):
    assert said in str(explain(Done(1, "", err, program="docker"), builder="far"))


@pytest.mark.engine
@pytest.mark.parametrize("host", ["unix:///nowhere.sock", "tcp://127.0.0.1:1"])
@pytest.mark.parametrize("task", ["build", "push", "pull", "clean --yes", "builder"])
def test_an_engine_that_does_not_answer_is_one_line(api: Fleet, engine: PrivateEngine, task: str, host: str):
    api.toml("[images.api]\n[builder]\nname = 'x'\n" if task == "builder" else "[images.api]\n")
    ran = api.inv(task, env=engine.env | {"DOCKER_HOST": host}).failed(3)
    assert ran.err.startswith(f"no Docker Engine answers at {host}. ")
    assert len(ran.err.splitlines()) == 1
    assert not ran.out


@pytest.mark.engine
def test_a_context_that_is_not_there_is_named(api: Fleet, engine: PrivateEngine):
    env = {name: value for name, value in engine.env.items() if name != "DOCKER_HOST"}
    api.env.pop("DOCKER_HOST")
    ran = api.inv("build", env=env | {"DOCKER_CONTEXT": "faraway"}).failed(3)
    assert 'docker context "faraway"' in ran.err


@pytest.mark.engine
def test_the_context_in_use_is_where_the_engine_is(
    api: Fleet, engine: PrivateEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    env = {name: value for name, value in engine.env.items() if name != "DOCKER_HOST"}
    env["DOCKER_CONFIG"] = str(tmp_path / "config")
    api.env.pop("DOCKER_HOST")
    for words in (f"create far --docker host=unix://{tmp_path}/far.sock", "use far"):
        api.run("docker", "context", *words.split(), env=env).ok()
    assert 'docker context "far"' in api.inv("build", env=env).failed(3).err
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    for name in ("PATH", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, env[name])
    assert docker.address() == f"unix://{tmp_path}/far.sock"
    assert host.socket() is None
    (tmp_path / "far.sock").touch()
    assert host.socket() == tmp_path / "far.sock"


@pytest.mark.engine
def test_a_client_without_buildx_is_told_what_to_install(api: Fleet, engine: PrivateEngine, tmp_path: Path):
    """The private client finds its plugins in DOCKER_CONFIG alone, if the machine has none of its own."""
    if Path("/usr/libexec/docker/cli-plugins/docker-buildx").exists():
        pytest.fail("this machine has a buildx of its own, so its absence cannot be shown")
    ran = api.inv("build", env=engine.env | {"DOCKER_CONFIG": str(tmp_path)}).failed(3)
    assert ran.err.startswith("docker has no buildx plugin. Install docker-buildx")


@pytest.mark.engine
def test_a_buildx_that_is_too_old_shows_itself_in_the_build(real: Fleet, engine: PrivateEngine):
    """The engine is asked over its socket, which knows nothing of its client's plugins."""
    about = json.dumps(
        {"ServerVersion": "26.1.5", "ClientInfo": {"Plugins": [{"Name": "buildx", "Version": "v0.12.5"}]}}
    )
    real.file(
        "bin/docker",
        f"""
        #!/bin/sh
        case "$1 $2" in
        "info "*) echo '{about}' ;;
        "buildx bake") echo 'ERROR: unknown progress mode "rawjson"' >&2; exit 1 ;;
        *) PATH='{engine.env["PATH"]}' exec docker "$@" ;;
        esac
        """,
        0o755,
    )
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner}\n")
    real.toml("[images.api]\n")
    ran = real.inv("build", env={"PATH": f"{real.root}/bin:{engine.env['PATH']}"}).failed(3)
    assert ran.err.splitlines()[-1] == "buildx 0.12.5 is too old: 0.13 or newer is needed"


@pytest.mark.engine
def test_plans_need_no_engine_and_say_why_there_is_none(api: Fleet, engine: PrivateEngine):
    planned = (
        api.inv("plan --format json", env=engine.env | {"DOCKER_HOST": "unix:///nowhere.sock"}).ok().json
    )
    assert planned["images"][0]["action"] == "unknown"
    assert "no Docker Engine answers at unix:///nowhere.sock" in planned["images"][0]["reason"]
    assert api.inv("list --json").ok().json["images"][0]["name"] == "api"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own that has no room left."""
    folder = tmp_path / "full"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Takes all the room that is left."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


@pytest.mark.engine
def test_a_full_disk_for_logs_is_one_clear_error(real: Fleet, full: Path):
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner}; seq 1 40000\n")
    real.toml("[images.api]\n")
    env = {"XDG_STATE_HOME": str(full)}
    ran = real.inv("build", env=env).failed(3)  # the log has room for its first lines only
    assert str(full) in ran.err
    assert "No space left on device" in ran.err
    assert "XDG_STATE_HOME" in ran.err
    fill(full)
    ran = real.inv("build --rebuild", env=env).failed(3)
    assert str(full) in ran.err
    assert "No space left on device" in ran.err


@pytest.mark.engine
def test_a_full_disk_under_the_project_leaves_no_half_written_lock(real: Fleet, full: Path):
    real.root = full
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner}\n")
    real.toml("[images.api]\n")
    fill(full)
    ran = real.inv("build").failed(3)
    assert "No space left on device" in ran.err
    assert "build.lock" in ran.err
    assert sorted(path.name for path in full.iterdir()) == ["build.toml", "docker", "filler"]


@pytest.mark.engine
def test_without_room_for_temporary_files_another_folder_is_taken(real: Fleet, full: Path):
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner}\n")
    real.toml("[images.api]\n")
    fill(full)
    real.inv("build", env={"TMPDIR": str(full)}).ok()
