"""Files taken out of images that the engine has, for each platform, without running anything of them.

A container is made of each image and never started. What is taken out appears in its folder whole or not at all.
"""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, SurroundingsError
from ..model import Client
from ..planning.plan import PlannedImage
from . import images
from .docker import ask, explain

PREFIX = ".argosy-"
_LEADS_OUT = "invalid symlink"
_ABSENT = (
    "could not find the file",
    "no such file or directory",
    "no such container:path",
    "could not be found",
)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was taken out of one image for one platform, and where it lies."""

    image: str
    platform: str
    paths: tuple[Path, ...]


def extract(
    client: Client, wanted: Iterable[tuple[PlannedImage, Mapping[str, str]]], folder: Path
) -> tuple[Extracted, ...]:
    """Takes files (path in the image -> name outside) to `folder`/IMAGE/OS-ARCH/NAME for every platform.

    All is brought beside its place first, then moved there: what lay there from before is replaced only if
    everything could be had. Raises SurroundingsError for an image or platform that the engine does not have,
    ConfigError for a path that the image does not have.
    """
    found: list[Extracted] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder) as text:
            fresh, old = Path(text, "new"), Path(text, "old")
            places: list[Path] = []
            for image, paths in wanted:
                for platform in image.platforms:
                    place = Path(image.name, platform.replace("/", "-"))
                    _take(client, image, platform, paths, fresh / place)
                    places.append(place)
                    names = tuple(folder / place / name for name in paths.values())
                    found.append(Extracted(image.name, platform, names))
            for place in places:
                _replace(fresh / place, folder / place, old / place)
    except OSError as error:
        raise SurroundingsError(
            f"cannot write {error.filename or folder}: {error.strerror or error}"
        ) from None
    finally:
        with suppress(OSError):  # an empty folder says nothing
            folder.rmdir()
    return tuple(found)


def _take(client: Client, image: PlannedImage, platform: str, paths: Mapping[str, str], folder: Path) -> None:
    reference = str(image.references[0])
    source = images.of_platform(client, reference, platform)
    made = ask(client, "create", "--pull", "never", "--platform", platform, source, "/nothing")
    if not made:
        if images.inspect(client, [reference]) and not _absent(made.err):
            raise explain(made)
        raise SurroundingsError(
            f"{reference} is not in the engine for {platform}. "
            f"Bring it there first: inv build --images {image.name} (or inv pull)."
        )
    container = made.out.strip()
    try:
        for path, name in paths.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # podman follows links unasked.
            follow = ["--follow-link"] if client == "docker" else []
            done = ask(client, "cp", *follow, f"{container}:{path}", str(target))
            if not done and any(word in done.err.lower() for word in _ABSENT):
                raise ConfigError(f"images.{image.name}.extract: {path} is not in {reference} ({platform})")
            if _LEADS_OUT in done.err:
                raise ConfigError(f"images.{image.name}.extract: {path}: a link in it leads out of it")
            if not done:
                raise explain(done)
            _make_plain(target, f"images.{image.name}.extract: {path}")
    finally:
        ask(client, "rm", "--volumes", container)


def _absent(said: str) -> bool:
    return "no such image" in said.lower() or "image not known" in said


def _make_plain(target: Path, where: str) -> None:
    """Leaves files and folders with their rights but no setuid; refuses links that lead out, and devices."""
    for path in (target, *(target.rglob("*") if target.is_dir() and not target.is_symlink() else ())):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            if not path.resolve().is_relative_to(target.resolve()) or path.readlink().is_absolute():
                raise ConfigError(f"{where}: a link in it leads out of it: {path.name} -> {path.readlink()}")
        elif stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            path.chmod(stat.S_IMODE(mode) & 0o777 | stat.S_IWUSR)
        else:
            raise ConfigError(f"{where}: {path.name} is neither file nor folder")


def _replace(fresh: Path, place: Path, old: Path) -> None:
    if place.exists():
        old.parent.mkdir(parents=True, exist_ok=True)
        place.rename(old)
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh.rename(place)
