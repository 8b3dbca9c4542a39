"""Argosy as others get it: the wheel made of this checkout, once for each test run, and environments that hold it."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.scenario import ROOT

MADE_OF = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tasks")
QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


@functools.cache
def wheel() -> Path:
    """Makes a source archive, and a wheel from that: what the archive lacks, the wheel lacks too.

    It is made of a copy, so that no build folder is left here or shared with another run.
    """
    folder = Path(tempfile.mkdtemp(prefix="argosy-wheel-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source = folder / "source"
    source.mkdir()
    for name in MADE_OF:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, source)
    succeed([sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(source)])
    return next((folder / "dist").glob("*.whl"))


def environment(folder: Path, *requirements: str, python: str = sys.executable) -> Path:
    """Makes a virtual environment with these requirements; returns its folder of programs.

    This environment's pip fills it, so that interpreters without one serve, and one download cache serves all.
    """
    succeed([python, "-m", "venv", "--without-pip", str(folder)])
    succeed(
        [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"),
         "install", "--quiet", "--no-compile", *requirements]
    )  # fmt: skip
    return folder / "bin"


def succeed(command: list[str]) -> str:
    """Runs a command that must succeed; returns what it printed."""
    env = {**os.environ, **QUIET}
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
