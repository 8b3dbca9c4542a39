"""Building one base with buildx: its root file systems, its Dockerfile, and where the result goes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from private_engine import processes
from private_engine.place import cache
from private_engine.problem import ProblemError
from private_engine.progress import Progress

from .recipe import Base
from .roots import EPOCH, MAKERS


def build(
    base: Base,
    platforms: Sequence[str],
    folder: Path,
    options: Sequence[str],
    environment: Mapping[str, str],
    progress: Progress,
) -> None:
    """Builds the base for these platforms in a scratch folder; `options` say where to (buildx's own words).

    Raises ProblemError with the end of the log.
    """
    context = folder / "context"
    context.mkdir()
    if base.root:
        _make_roots(base, context, [word.rpartition("/")[2] for word in platforms], progress)
    else:
        progress.step(
            f"{base.name}: installing Debian's packages on {base.stands_on} ({', '.join(platforms)})"
        )
    (context / "Dockerfile").write_text(base.dockerfile, encoding="utf-8")
    log = folder / "build.log"
    command = ["docker", "buildx", "build", "--progress=plain", "--provenance=false"]
    with log.open("wb") as file:
        done = subprocess.run(
            [*command, f"--platform={','.join(platforms)}", *options, str(context)],
            env={**environment, "SOURCE_DATE_EPOCH": str(EPOCH)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            check=False,
        )
    if done.returncode != 0:
        raise ProblemError(f"{base.name} could not be built. The end of its log:\n{processes.tail(log)}")


def _make_roots(base: Base, context: Path, architectures: Sequence[str], progress: Progress) -> None:
    progress.step(
        f"{base.name}: making the root file systems from Debian's packages ({', '.join(architectures)})"
    )

    def make(architecture: str) -> None:
        archive = context / f"root-{architecture}.tar"
        work = context.parent / architecture
        work.mkdir()
        MAKERS[base.root](architecture, archive, cache() / "bases", work)
        size = archive.stat().st_size / 1e6
        progress.step(f"{base.name}: root file system for {architecture} ({size:.0f} MB)")

    with ThreadPoolExecutor() as pool:
        list(pool.map(make, architectures))
