"""Fixtures: a project folder of one's own for every test, and the real private engine for those that need it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.scenario import ROOT, Fleet

# A busy machine is no fault of what is tested.
settings.register_profile("argosy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("argosy")

# What a shell starts in the background ignores Ctrl-C, and so does all that it starts in turn.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--none-skipped", action="store_true", help="a test that is skipped fails the run")


def pytest_sessionfinish(session: pytest.Session) -> None:
    told = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--none-skipped") and told and told.stats.get("skipped"):
        print("\nThis run is to skip no test, and did.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


PLAIN = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class PrivateEngine:
    """The checkout's own engine: what to export to use it, and its registry's address."""

    env: dict[str, str]
    registry: str

    def docker(self, *arguments: str) -> str:
        """Runs the docker client against it and returns what it prints."""
        for _ in range(20):
            done = subprocess.run(
                ["docker", *arguments], env=self.env, capture_output=True, text=True, check=False, timeout=300
            )
            # The containerd store lists nothing where an image goes while it lists.
            fell = arguments[:2] == ("image", "ls") and "content digest sha256:" in done.stderr
            # On a very busy machine a container may end before the client reads; all that tests run say something.
            mute = arguments[:2] == ("run", "--rm") and not (done.returncode or done.stdout)
            if not (fell or mute):
                break
        assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stderr}"
        return done.stdout.strip()

    def forget(self, owners: Collection[str]) -> None:
        """Removes the images of these owners from the containerd store.

        docker would wait after each of them until what nobody names is collected: ten minutes after all tests.
        """
        ctr = Path(shutil.which("docker", path=self.env["PATH"]) or "").resolve().with_name("ctr")
        folder = self.env["DOCKER_HOST"].removeprefix("unix://").removesuffix(".sock")
        call = [
            str(ctr),
            "--address",
            f"{folder}/containerd/containerd.sock",
            "--namespace",
            "moby",
            "images",
        ]
        listed = subprocess.run([*call, "ls", "--quiet"], check=True, capture_output=True, text=True).stdout
        mine = [name for name in listed.split() if any(owner in name for owner in owners)]
        if mine:
            subprocess.run([*call, "rm", *mine], check=True, stdout=subprocess.DEVNULL)

    def imported(self, reference: str, label: str = "") -> None:
        """Gives it an image without any file under this name; `label` is NAME=value."""
        with tempfile.NamedTemporaryFile(suffix=".tar") as file:
            tarfile.open(fileobj=file, mode="w").close()
            file.flush()
            self.docker("import", *(("--change", f"LABEL {label}") if label else ()), file.name, reference)


def plain_env() -> dict[str, str]:
    """The environment tests run in: nothing of the developer's settings, engine or configuration."""
    return {name: os.environ[name] for name in PLAIN if name in os.environ}


def started(*options: str) -> PrivateEngine:
    """Starts (if need be) a private engine of this checkout and returns how to use it."""
    command = [str(ROOT / "scripts" / "engine")]
    subprocess.run([*command, "start", *options], check=True, env=plain_env(), stdout=subprocess.DEVNULL)
    text = subprocess.run(
        [*command, "env", *options], check=True, env=plain_env(), capture_output=True, text=True
    ).stdout
    shell = subprocess.run(
        ["bash", "-c", f"{text}\nenv -0"], check=True, env=plain_env(), capture_output=True, text=True
    ).stdout
    env = dict(pair.split("=", 1) for pair in shell.split("\0") if "=" in pair and not pair.startswith("_="))
    return PrivateEngine(env, env["ARGOSY_REGISTRY"])


@pytest.fixture
def asked(engine: PrivateEngine, monkeypatch: pytest.MonkeyPatch) -> PrivateEngine:
    """The private engine, which code that runs in the test itself asks, too."""
    for name, value in engine.env.items():
        monkeypatch.setenv(name, value)
    return engine


@pytest.fixture(scope="session")
def engine() -> PrivateEngine:
    """The private engine with the containerd image store, its registry, and busybox:stable to stand on."""
    found = started()
    subprocess.run([str(ROOT / "scripts" / "bases"), "busybox:stable"], check=True, env=found.env)
    return found


@pytest.fixture(scope="session")
def classic() -> PrivateEngine:
    """A second private engine, with the classic image store."""
    return started("--store", "classic")


@dataclass(frozen=True)
class Podman:
    """A podman of the checkout's own, and an environment in which it is the only engine's client there is."""

    env: dict[str, str]
    registry: str

    def __call__(self, *arguments: str) -> str:
        """Runs podman and returns what it prints."""
        done = subprocess.run(
            [str(Path(self.env["PATH"].split(":")[0], "podman")), *arguments],
            env=self.env, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"podman {' '.join(arguments)}\n{done.stderr}"
        return done.stdout.strip()

    def forget(self, names: list[str]) -> None:
        """Removes names: of images, and of lists of several platforms."""
        for words in (("image", "rm", "--force"), ("manifest", "rm")):
            command = [str(Path(self.env["PATH"].split(":")[0], "podman")), *words, *names]
            subprocess.run(command, env=self.env, capture_output=True, check=False, timeout=300)


@pytest.fixture(scope="session")
def podman(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Podman:
    """Podman alone: no docker on PATH, no word of an engine in the environment."""
    done = subprocess.run(
        [str(ROOT / "scripts" / "podman")], env=plain_env(), capture_output=True, text=True, check=True
    )
    few = tmp_path_factory.mktemp("few")
    for name in ("git", "sh"):
        (few / name).symlink_to(shutil.which(name) or name)
    env = plain_env() | {"PATH": f"{done.stdout.strip()}:{few}", "HOME": str(few)}
    return Podman(env, engine.registry)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A project that needs no engine: none is in its environment."""
    env = plain_env() | {"XDG_STATE_HOME": str(tmp_path / "state"), "DOCKER_HOST": "unix:///nowhere.sock"}
    (tmp_path / "project").mkdir()
    return Fleet(tmp_path / "project", env, registry="ghcr.io")


@pytest.fixture(scope="session")
def owners(engine: PrivateEngine) -> Iterator[set[str]]:
    """The owners that tests have worked under; what they left in the engine is removed in the end."""
    found: set[str] = set()
    yield found
    engine.forget(found)


@pytest.fixture
def real(tmp_path: Path, engine: PrivateEngine, owners: set[str], request: pytest.FixtureRequest) -> Fleet:
    """A project whose commands meet the private engine; it pushes below an owner no other test has."""
    word = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:30].strip("-")
    owner = f"{word}-{uuid.uuid4().hex[:6]}"
    owners.add(owner)
    (tmp_path / "project").mkdir()
    env = engine.env | {"XDG_STATE_HOME": str(tmp_path / "state")}
    env.pop("ARGOSY_REGISTRY", None)
    return Fleet(tmp_path / "project", env, registry=engine.registry, owner=owner)


@pytest.fixture
def pod(tmp_path: Path, podman: Podman) -> Iterator[Fleet]:
    """A project whose commands meet podman alone."""
    owner = f"pod-{uuid.uuid4().hex[:6]}"
    (tmp_path / "project").mkdir()
    env = podman.env | {"XDG_STATE_HOME": str(tmp_path / "state")}
    yield Fleet(tmp_path / "project", env, registry=podman.registry, owner=owner)
    names = podman("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    podman.forget([name for name in names if owner in name])
