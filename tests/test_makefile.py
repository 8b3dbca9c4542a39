"""The repository's own Makefile: on a bare machine every target first sets up what it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import plain_env
from tests.scenario import ROOT

TARGETS = re.findall(r"^(container-\S+?):", (ROOT / "tasks" / "argosy.mk").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make needs of a checkout, without an environment."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("Makefile", "pyproject.toml", "tasks/argosy.mk", "scripts/venv"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def planned(folder: Path, target: str) -> str:
    done = subprocess.run(
        ["make", "--dry-run", target.replace("%", "api"), "DIR=out", "TAG=v0.2.0"],
        cwd=folder, env=plain_env(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_makes_the_environment_first(bare: Path, target: str) -> None:
    calls = planned(bare, target)
    assert 0 <= calls.find("scripts/venv") < calls.find(".venv/bin/inv"), calls


@pytest.mark.parametrize("target", TARGETS)
def test_what_builds_sees_to_the_bases(bare: Path, target: str) -> None:
    builds = target.startswith(("container-build", "container-push", "container-release"))
    assert ("scripts/bases" in planned(bare, target)) == builds


@pytest.mark.parametrize(
    "call",
    [
        "container-save DIR=out",
        "container-load DIR=out",
        "container-release TAG=v0.2.0",
        "container-verify TAG=v0.2.0",
    ],
)
def test_a_target_that_needs_a_word_says_so(bare: Path, call: str) -> None:
    target = call.split(maxsplit=1)[0]
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=bare, env=plain_env(), capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert f"make {call}" in done.stderr
