"""Every Python this machine has, from 3.10 on, and the oldest Invoke: the wheel installs, lists, plans.

Each interpreter gets an environment of its own; all share pip's download cache and run side by side.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import tomli

from tests.conftest import plain_env
from tests.scenario import ROOT, Fleet
from tests.wheels import environment, succeed, wheel

OLDEST = (3, 10)
SIDE_BY_SIDE = 3

IMPORT_ALL = """
import argosy, importlib, pkgutil, sys
names = [module.name for module in pkgutil.walk_packages(argosy.__path__, "argosy.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""

# All of them make environments from the network or pip's cache; a fast test run has no time for that.
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


def interpreters() -> list[Path]:
    """The interpreters on PATH and among pyenv's versions, each once."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [Path(part) for part in os.environ["PATH"].split(os.pathsep) if "shims" not in part]
    folders += [Path("/usr/bin"), Path("/usr/local/bin"), *pyenv.glob("versions/*/bin")]
    found: dict[Path, Path] = {}
    for folder in folders:
        for path in folder.glob("python3*"):
            if re.fullmatch(r"python3(\.\d+)?", path.name) and path.resolve() not in found:
                found[path.resolve()] = path
    return sorted(path for path in found if path.exists() and version(path) >= OLDEST)


def version(python: Path) -> tuple[int, ...]:
    """Returns an interpreter's version, () where it does not start."""
    script = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=False)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()


PYTHONS = interpreters()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Future[Path]]]:
    """An environment with the wheel for each interpreter, made side by side."""
    folder, made = tmp_path_factory.mktemp("interpreters"), str(wheel())
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {
            python: pool.submit(environment, folder / str(number), made, python=str(python))
            for number, python in enumerate(PYTHONS)
        }
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def small(fleet: Fleet) -> Fleet:
    """Two images, one on the other, with nothing in the way of a task."""
    fleet.image("base")
    fleet.image("api", "FROM acme/base\n")
    fleet.toml("[images.api]\n[images.base]\n")
    fleet.file("tasks.py", "from argosy import ns\n")
    return fleet


def test_the_oldest_python_is_among_those_that_are_tried():
    floor = tomli.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert floor == ">=" + ".".join(map(str, OLDEST))
    assert PYTHONS, "no interpreter was found, not even the one that runs this"


@pytest.mark.parametrize("python", PYTHONS, ids=str)
def test_it_works_on(python: Path, installed: dict[Path, Future[Path]], small: Fleet):
    programs = installed[python].result()
    small.env["PATH"] = f"{programs}:{small.env['PATH']}"
    (small.root / "docker/api/deeper").mkdir()
    assert "\n  build " in small.run("inv", "--list", cwd="docker/api/deeper").ok().out
    planned = small.run("argosy", "plan", "--format", "json", cwd="docker/api").ok().json
    assert [image["name"] for image in planned["images"]] == ["base", "api"]
    assert planned["images"][1]["needs"][0]["image"] == "base"
    modules = len(list((ROOT / "tasks").rglob("*.py"))) - 1
    ran = small.run(str(programs / "python"), "-W", "error::SyntaxWarning", "-c", IMPORT_ALL).ok()
    assert int(ran.out) == modules


def oldest_invoke() -> str:
    """Returns the oldest Invoke that pyproject.toml admits."""
    asked = tomli.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (found,) = (text.partition(">=")[2] for text in asked if text.startswith("invoke"))
    return f"invoke=={found}.0"


@pytest.mark.parametrize("requirement", [oldest_invoke(), "invoke"])
def test_this_repository_is_found_from_a_sub_folder_by(requirement: str, tmp_path: Path):
    """tasks.py beside tasks/ leans on how Invoke loads: it must hold for the oldest and for the newest."""
    succeed(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--upgrade",
         "--target", str(tmp_path), requirement]
    )  # fmt: skip
    env = plain_env() | {"PYTHONPATH": str(tmp_path)}
    for words in (["--list"], ["version"], ["list", "--images", "gateway"]):
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=ROOT / "docker" / "go", env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    asked = subprocess.run(
        [sys.executable, "-m", "invoke", "--version"], env=env, capture_output=True, text=True, check=True
    ).stdout
    if "==" in requirement:
        assert asked.split()[-1] == requirement.partition("==")[2]
