"""What podman says of itself, in the words of an engine: its version, and the platforms it can build for.

Foreign platforms are those the kernel has an emulator for: podman does not tell.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..engine.docker import PATIENCE, ask, dotted, explain, is_older
from ..errors import SurroundingsError
from ..planning.facts import Engine
from ..planning.platforms import named

OLDEST = (4, 3)
"""The oldest that serves: named build contexts came with buildah 1.26, and this one was tried."""
HANDLERS = Path("/proc/sys/fs/binfmt_misc")
EMULATED = {
    "qemu-x86_64": "linux/amd64",
    "qemu-aarch64": "linux/arm64",
    "qemu-arm": "linux/arm/v7",
    "qemu-ppc64le": "linux/ppc64le",
    "qemu-riscv64": "linux/riscv64",
    "qemu-s390x": "linux/s390x",
}


@dataclass(frozen=True, slots=True)
class Info:
    """What `podman info` says: versions, platform, whether it runs without root, and where it keeps its images."""

    version: str
    native: str
    rootless: bool
    driver: str
    folder: str


def info(seconds: float = PATIENCE) -> Info:
    """Asks podman for itself. Raises SurroundingsError where there is none, or it does not work."""
    done = ask("podman", "info", "--format", "json", seconds=seconds)
    try:
        said = json.loads(done.out)
        host, store = said["host"], said["store"]
        return Info(
            version=said["version"]["Version"],
            native=named(host.get("os") or "linux", host["arch"]),
            rootless=bool(host["security"]["rootless"]),
            driver=store["graphDriverName"],
            folder=store["graphRoot"],
        )
    except (ValueError, KeyError, TypeError):
        raise explain(done) from None


def engine() -> Engine:
    """Returns podman as an engine. Raises SurroundingsError where there is none, or one too old."""
    about = info()
    if problem := too_old(about):
        raise SurroundingsError(problem)
    return Engine(
        version=about.version,
        native=about.native,
        platforms=platforms(about.native),
        driver="podman",
        store="containerd",  # like Docker's, its store holds several platforms under one name
    )


def too_old(about: Info) -> str:
    """Returns what to do about a podman that is too old, "" for one that serves."""
    old = is_older(about.version, OLDEST)
    return f"podman {about.version} is too old: {dotted(OLDEST)} or newer is needed" if old else ""


def platforms(native: str) -> tuple[str, ...]:
    """Returns the native platform and those the kernel has an emulator for."""
    handlers = [path.name for path in HANDLERS.iterdir()] if HANDLERS.is_dir() else []
    emulated = [
        platform for name, platform in EMULATED.items() if any(found.endswith(name) for found in handlers)
    ]
    return tuple(dict.fromkeys((native, *emulated)))
