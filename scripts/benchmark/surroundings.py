"""What the measurement stands on: the machine's own description, the engine's platforms, a registry, the code's digest.

Everything here is read once, before the first race.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

FOREIGN = {"linux/amd64": "linux/arm64", "linux/arm64": "linux/amd64"}

QUIET, STEP, PATIENCE = 2.0, 0.5, 30.0
BUSY = 0.1
"""The share of the machine that may be at work while it counts as quiet."""


class CannotMeasureError(Exception):
    """Something that the measurement needs is not there; the message says what to do."""


def platforms() -> tuple[str, ...]:
    """Returns the engine's own platform and the one other that it builds for."""
    own = _docker("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")
    return own, FOREIGN.get(own, "linux/amd64")


def machine() -> dict[str, str]:
    """Describes where the figures come from."""
    return {
        "processor": f"{_processor()} ({os.cpu_count()} cores)",
        "system": _system(),
        "Python": platform.python_version(),
        "Docker Engine": _docker("version", "--format", "{{.Server.Version}}"),
        "buildx": _docker("buildx", "version").split()[1],
    }


def made_with(root: Path, about: dict[str, str]) -> str:
    """Returns a word for code and machine: rounds of different ones do not belong together."""
    digest = hashlib.sha256(repr(sorted(about.items())).encode())
    for file in sorted(root.joinpath("tasks").rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def registry(named: str) -> str:
    """Returns the registry to push to, once it has answered. Raises CannotMeasureError if it does not."""
    address = named or os.environ.get("ARGOSY_REGISTRY") or "localhost:5000"
    try:
        with urllib.request.urlopen(f"http://{address}/v2/", timeout=5):
            return address
    except (OSError, urllib.error.URLError) as error:
        raise CannotMeasureError(
            f"no registry answers at http://{address}/v2/ ({error}). `make bench` brings its own; "
            "else name a loopback one without a login: --registry HOST:PORT"
        ) from None


def come_to_rest() -> None:
    """Waits until the machine has done nothing for QUIET seconds, PATIENCE at most.

    An engine goes on for seconds after a build, and collects what nobody needs any more with all the machine has: that
    belongs to nobody's time, least of all to that of whoever is next.
    """
    end, quiet = time.monotonic() + PATIENCE, 0.0
    while quiet < QUIET and time.monotonic() < end:
        before = _ticks()
        time.sleep(STEP)
        busy, whole = (new - old for old, new in zip(before, _ticks(), strict=True))
        quiet = quiet + STEP if busy <= BUSY * whole else 0.0


def _ticks() -> tuple[int, int]:
    """Returns the processor's time since the start, that it was busy and all of it; (0, 0) where nobody tells."""
    try:
        line = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0]
    except OSError:
        return 0, 0
    spent = [int(word) for word in line.split()[1:]]
    return sum(spent) - spent[3] - spent[4], sum(spent)


def _docker(*words: str) -> str:
    try:
        return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotMeasureError(
            'no Docker Engine with buildx answers. `make bench` brings its own, or: eval "$(scripts/engine env)"'
        ) from error


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def _system() -> str:
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        return platform.system()
    return about.get("PRETTY_NAME", platform.system())
