"""A fleet as files: an archive for each image and a list of what is in them, for machines that reach no registry.

The list (fleet.json) is written last and removed first, so a folder that has one is whole. It holds the digest of
every file, every image's ID, its names, and the digest of each platform; loading checks all of it.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import ConfigError, SurroundingsError, available, nearest
from ..model import Client
from ..planning.bakefile import target
from ..planning.plan import Plan, PlannedImage
from . import images
from .archive import contents
from .docker import ask, explain

LIST = "fleet.json"
SCHEMA = 1
Told = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Packed:
    """One image in the folder: its archive with size (bytes) and digest, its ID in the engine, and its names.

    `platforms` are the digests of its manifests by platform. An ID is the digest of an image's index or manifest
    (containerd store) or of its configuration (classic store, podman): `ids` are all that it may have elsewhere.
    """

    image: str
    file: str
    size: int
    sha256: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    platforms: Mapping[str, str]


def save(plan: Plan, folder: Path, told: Told = lambda _: None) -> tuple[Packed, ...]:
    """Writes the plan's selected images, as the engine has them under their names, into a folder.

    Raises SurroundingsError for names or platforms the engine does not have, and where nothing can be written;
    ConfigError for a folder that holds something else.
    """
    several = [image.name for image in plan.selected if len(image.platforms) > 1]
    if plan.client == "podman" and several:
        raise ConfigError(
            f"podman saves one platform of an image, and {', '.join(several)} has several: --platforms names one"
        )
    there = images.inspect(plan.client, [str(name) for image in plan.selected for name in image.references])
    absent = [image for image in plan.selected if str(image.references[0]) not in there]
    if absent:
        lines = "\n".join(f"  {image.references[0]}" for image in absent)
        named = ",".join(image.name for image in absent)
        raise SurroundingsError(
            f"the engine does not have\n{lines}\nBring them there first: inv build --images {named} (or inv pull)."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / LIST).exists():
            raise ConfigError(f"{folder} is not empty and holds no {LIST}: name a folder of its own")
        with tempfile.TemporaryDirectory(prefix=".argosy-", dir=folder) as fresh:
            packed = []
            for image in plan.selected:
                names = [str(name) for name in image.references if str(name) in there]
                packed.append(_pack(plan.client, image, names, Path(fresh)))
                told(f"{image.name}  saved")
            _publish(plan, packed, Path(fresh), folder)
    except OSError as error:
        raise SurroundingsError(
            f"cannot write {error.filename or folder}: {error.strerror or error}"
        ) from None
    finally:
        with suppress(OSError):  # an empty folder says nothing
            folder.rmdir()
    return tuple(packed)


def _pack(client: Client, image: PlannedImage, names: Sequence[str], folder: Path) -> Packed:
    file = folder / f"{target(image.name)}.tar"
    done = ask(client, "save", "--output", str(file), *names)
    if not done:
        raise explain(done)
    ids, platforms = contents(file)
    lacking = [platform for platform in image.platforms if platform not in platforms]
    if lacking:
        raise SurroundingsError(
            f"the engine has {names[0]} for {', '.join(platforms)}, not for {', '.join(lacking)}. Build it for these "
            f"(inv build --images {image.name} --rebuild), or save those alone (--platforms {','.join(platforms)})."
        )
    return Packed(image.name, file.name, file.stat().st_size, _sha256(file), tuple(names), ids, platforms)


def _publish(plan: Plan, packed: Sequence[Packed], fresh: Path, folder: Path) -> None:
    """Moves the archives to their place and writes the list; files of an earlier list that are in none go."""
    old = {one.file for one in _listed(folder)} if (folder / LIST).exists() else set()
    (folder / LIST).unlink(missing_ok=True)
    for one in packed:
        (fresh / one.file).rename(folder / one.file)
    for name in old - {one.file for one in packed}:
        (folder / name).unlink(missing_ok=True)
    value = {"schema": SCHEMA, "project": plan.project, "version": plan.version}
    text = json.dumps(value | {"images": [asdict(one) for one in packed]}, indent=2)
    (fresh / LIST).write_text(f"{text}\n", encoding="utf-8")
    (fresh / LIST).rename(folder / LIST)


def load(
    client: Client, folder: Path, only: Collection[str] = (), told: Told = lambda _: None
) -> tuple[Packed, ...]:
    """Loads images (all, or those named) from a folder that `save` wrote, and sees that each has its ID and names.

    Raises SurroundingsError for a folder that is not whole (nothing is loaded then) and for an image that is
    another after loading; ConfigError for a name that is not in it.
    """
    packed = _listed(folder)
    names = [one.image for one in packed]
    if unknown := [word for word in only if not fnmatch.filter(names, word)]:
        raise ConfigError(
            f"{', '.join(unknown)}: not in {folder}.{nearest(unknown[0], names)} "
            + available(f"images in {folder}", names)
        )
    wanted = tuple(
        one for one in packed if not only or any(fnmatch.fnmatchcase(one.image, word) for word in only)
    )
    problems = [problem for one in wanted if (problem := _damage(folder, one))]
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise SurroundingsError(
            f"{folder} is not what was saved; nothing was loaded:\n{lines}\nCopy it again, or save it anew."
        )
    for one in wanted:
        done = ask(client, "load", "--input", str(folder / one.file))
        if not done:
            raise explain(done)
        told(f"{one.image}  loaded")
    there = images.inspect(client, [name for one in wanted for name in one.names])
    wrong = [
        f"  {name}: {'is ' + there[name]['Id'] if name in there else 'is not there'}"
        for one in wanted
        for name in one.names
        if name not in there or _sha(there[name]["Id"]) not in one.ids
    ]
    if wrong:
        raise SurroundingsError(
            "after loading, the engine does not have what was saved:\n" + "\n".join(wrong)
        )
    return wanted


def _sha(digest: str) -> str:
    """Returns an ID as Docker writes it; podman leaves its beginning out."""
    return digest if ":" in digest else f"sha256:{digest}"


def _listed(folder: Path) -> tuple[Packed, ...]:
    file = folder / LIST
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        packed = tuple(
            Packed(**{**one, "names": tuple(one["names"]), "ids": tuple(one["ids"])})
            for one in value["images"]
        )
        # What stands there is read, and replaced: nothing outside the folder may be.
        is_ours = all(Path(one.file).name == one.file for one in packed)
    except FileNotFoundError:
        raise SurroundingsError(
            f"{folder} has no {LIST}: `inv save --dir {folder}` writes one, last of all. "
            "Was the folder copied before it ended, or not as a whole?"
        ) from None
    except OSError as error:
        raise SurroundingsError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        is_ours = False
    if not is_ours:
        raise SurroundingsError(f"{file} is not what `inv save` writes. Copy the folder again.")
    return packed


def _damage(folder: Path, one: Packed) -> str:
    """Returns what is wrong with a file of the folder, "" for nothing."""
    file = folder / one.file
    try:
        size = file.stat().st_size
        if size != one.size:
            return f"{one.file}: {size} bytes of {one.size}"
        return "" if _sha256(file) == one.sha256 else f"{one.file}: its content has changed"
    except FileNotFoundError:
        return f"{one.file}: not there"
    except OSError as error:
        return f"{one.file}: {error.strerror}"


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
