"""Bringing bases to where builds look for them: the private engine's registry, or an engine of the user's."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from private_engine import api, binfmt, files, registry
from private_engine.machine import ARCHITECTURES
from private_engine.place import Place, cache
from private_engine.problem import ProblemError
from private_engine.progress import Progress

from . import layout
from .building import build
from .recipe import Base, digest, named


@dataclass(frozen=True, slots=True)
class Supply:
    """`place` is the private engine's, or None where the engine in use is the user's own."""

    place: Place | None
    environment: Mapping[str, str]
    progress: Progress

    def is_there(self, base: Base) -> bool:
        """Whether a build finds the base without us: in the registry, in the engine or at Docker Hub."""
        if self.place is None:
            return self._docker("image", "inspect", base.name) or self._docker(
                "buildx", "imagetools", "inspect", base.name
            )
        return self.is_served(base) or self._docker("buildx", "imagetools", "inspect", base.name)

    def is_served(self, base: Base) -> bool:
        """Whether the private registry has the base as this recipe makes it."""
        if self.place is None or (port := registry.kept_port(self.place)) is None:
            return False
        known = files.read_json(self.place.data / "bases.json").get(base.name)
        tags = api.get(f"tcp://127.0.0.1:{port}", f"/v2/{base.repository}/tags/list")
        return known == digest(base) and f'"{base.tag}"'.encode() in (tags or b"")

    def _docker(self, *words: str) -> bool:
        try:
            done = subprocess.run(
                ["docker", *words],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def make(self, base: Base) -> None:
        """Makes the base, or takes it from the cache, and brings it to its place. Its foundation must be there."""
        if self.place is None:
            with tempfile.TemporaryDirectory(prefix="argosy-base-") as folder:
                self._build(base, Path(folder), ["--load", "--tag", base.name])
            self.progress.step(f"{base.name}: loaded into your engine")
            return
        archive = self._archive(base)
        with files.locked(archive.parent / f"{base.file_name}.lock"):
            if not archive.exists():
                prefix = f".making-{base.file_name}-"
                for stale in archive.parent.glob(f"{prefix}*"):
                    shutil.rmtree(stale, ignore_errors=True)
                with tempfile.TemporaryDirectory(prefix=prefix, dir=archive.parent) as folder:
                    made = Path(folder) / "image.tar"
                    self._build(
                        base, Path(folder), [*self._foundation(base), f"--output=type=oci,dest={made}"]
                    )
                    made.rename(archive)
        layout.push(archive, registry.kept_port(self.place) or 0, base.repository, base.tag)
        # A build prefers what the engine holds under this name to what the registry serves.
        self._docker("image", "rm", "--no-prune", base.name)
        with files.locked(self.place.data / "bases.lock"):
            record = self.place.data / "bases.json"
            files.write_json(record, {**files.read_json(record), base.name: digest(base)})
        self.progress.step(
            f"{base.name}: served ({archive.stat().st_size / 1e6:.0f} MB, {', '.join(self._platforms(base))})"
        )

    def _archive(self, base: Base) -> Path:
        machine = ARCHITECTURES[platform.machine()][0]
        return cache() / "bases" / f"{base.file_name}-{machine}-{digest(base)}.oci.tar"

    def _foundation(self, base: Base) -> list[str]:
        """Returns the option that puts our own foundation, by digest, in the place of whatever bears its name."""
        if self.place is None or not base.stands_on:
            return []
        beneath = named(base.stands_on)
        if not self.is_served(beneath):
            return []
        address = f"localhost:{registry.kept_port(self.place)}/{beneath.repository}"
        image = f"docker-image://{address}@{layout.digest(self._archive(beneath))}"
        return [f"--build-context={base.stands_on}={image}"]

    def _build(self, base: Base, folder: Path, options: Sequence[str]) -> None:
        build(base, self._platforms(base), folder, options, self.environment, self.progress)

    def _platforms(self, base: Base) -> list[str]:
        own = ARCHITECTURES[platform.machine()][1]
        if not base.platforms:
            return [own]
        if self.place is not None or (self._keeps_several() and _emulates()):
            return list(base.platforms)
        return [own]

    def _keeps_several(self) -> bool:
        done = subprocess.run(
            ["docker", "info", "--format", "{{.DriverStatus}}"],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        return "io.containerd.snapshotter" in done.stdout


def _emulates() -> bool:
    return any("aarch64" in name or "x86_64" in name for name in binfmt.entries())


def supply(bases: Sequence[Base], target: Supply) -> list[Base]:
    """Makes the bases that are missing, each after what it stands on and otherwise side by side; returns them."""
    with ThreadPoolExecutor() as pool:
        there = dict(zip(bases, pool.map(target.is_there, bases), strict=True))
    missing = [base for base in bases if not there[base]]
    if not missing:
        return []
    _check_means()
    for step in ([base for base in missing if base.root], [base for base in missing if not base.root]):
        # Small ones first: whoever waits for busybox need not wait for a bootstrap.
        with ThreadPoolExecutor() as pool:
            for job in [pool.submit(target.make, base) for base in step]:
                job.result()
    return missing


def _check_means() -> None:
    lacking = [program for program in ("apt-get", "dpkg-deb", "perl", "tar") if shutil.which(program) is None]
    if os.geteuid() != 0:
        lacking.append("root")
    if lacking:
        raise ProblemError(
            f"Base images cannot be made here: {', '.join(lacking)} missing. They are made\n"
            "of Debian's packages, as root. "
            "Or give this machine a registry that serves Docker Hub's names (registry-mirrors in daemon.json)."
        )
