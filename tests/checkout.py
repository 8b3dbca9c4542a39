"""A second checkout in a folder of its own: another key, so another engine beside the one the tests stand on."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.scenario import ROOT

PARTS = ("engine", "bases", "private_engine", "base_images")
PLAIN = ("PATH", "HOME", "LANG", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class Checkout:
    """A folder that holds the two scripts and their parts."""

    folder: Path

    @classmethod
    def copied_to(cls, folder: Path) -> Checkout:
        """Copies the scripts, readable by everybody."""
        for part in PARTS:
            source, target = ROOT / "scripts" / part, folder / "scripts" / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        return cls(folder)

    def run(self, script: str, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Runs a script as from a shell that has chosen no engine, but for `changes`."""
        plain = {name: os.environ[name] for name in PLAIN if name in os.environ}
        return subprocess.run(
            [str(self.folder / "scripts" / script), *words],
            env={**plain, **changes},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def exports(self, store: str = "containerd") -> dict[str, str]:
        """What a shell's environment is after `eval "$(scripts/engine env)"`."""
        lines = self.run("engine", "env", "--store", store).stdout
        done = subprocess.run(
            ["sh", "-ec", f"{lines}\nenv -0"],
            env={name: os.environ[name] for name in PLAIN if name in os.environ},
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(pair.split("=", 1) for pair in done.stdout.split("\0") if "=" in pair)

    def docker(self, *words: str, store: str = "containerd") -> str:
        """Runs the docker client against this checkout's engine and returns what it prints."""
        done = subprocess.run(
            ["docker", *words],
            env=self.exports(store),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"docker {' '.join(words)}\n{done.stderr}"
        return done.stdout.strip()
