"""Every refusal that can be made before the first build second: each check a sentence, all findings at once.

What cannot be known beforehand (quotas, whether manifests are taken, tags that a registry forbids to move) is proved
by staging; it is never tried out with a write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import lock
from ..engine import examination, gitrefs, inquiry
from ..engine.together import together
from ..errors import ConfigError, RefusedError, RegistryError, SurroundingsError, several
from ..model import Project
from ..planning.facts import Git
from ..registries.registry import Remote
from . import versions
from .content import Place

if TYPE_CHECKING:
    from semver import Version

NOWHERE = "sha256:" + "0" * 64
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Harbour:
    """What one repository allows, found out without writing anything."""

    place: Place
    state: str
    tags: tuple[str, ...] = ()
    deletes: bool = True
    refusal: str = ""


def version(tag: str, sources: str, stands: str) -> None:
    """Raises ConfigError for a tag that is no version, RefusedError for one that a version file contradicts.

    `stands` is the version in the file that `sources` names, "" where no file says one.
    """
    if versions.full(tag) is None:
        raise ConfigError(
            f'--tag "{tag}" is no version (https://semver.org): v1.2.3, or v1.2.3-rc.1 for a pre-release'
        )
    if stands and stands.removeprefix("v") != tag.removeprefix("v"):
        raise RefusedError(
            f"{sources} says {stands}, and the release is to be {tag}. "
            f"Write {tag.removeprefix('v')} there and commit it (--bump does both), "
            f"or release v{stands.removeprefix('v')}."
        )


def order(tag: str, ahead: Version | None) -> None:
    """Raises RefusedError unless the tag comes after all of its own minor line; `ahead` is what is further on there."""
    wanted = versions.full(tag)
    if wanted and ahead:
        raise RefusedError(
            f"{tag} comes before {ahead}, which is there already. A release goes forward within its line "
            f"{wanted.major}.{wanted.minor}: v{ahead.bump_patch()} would be the next."
        )


def tree(
    root: Path, git: Git | None, tag: str, branches: Sequence[str], beside: Sequence[str] = (), *, dirty: bool
) -> str:
    """Returns what is said of the tree. Raises RefusedError for changes that are in no commit, for a moved tag, and
    for a HEAD on none of the `branches` releases are made from.

    `beside` are the places outside the project's folder that images are made of.
    """
    if git is None:
        return "no git repository: which commit this is will not be on record"
    if branches and not any(fnmatchcase(git.branch, pattern) for pattern in branches):
        raise RefusedError(
            f"HEAD is {f'on {git.branch}' if git.branch else 'on no branch'}, and release.branches has "
            f"{', '.join(branches)}. Check one of them out."
        )
    stands = gitrefs.tagged(root, tag)
    if stands and stands != git.sha:
        raise RefusedError(
            f"git's tag {tag} stands at {stands[:12]}, and HEAD is {git.sha[:12]}. "
            f"Check out {tag}, or release another version."
        )
    if not dirty:
        _clean(root, beside)
    changes = gitrefs.changed(root, beside) if dirty else ()
    return f"commit {git.sha[:12]}" + (f", {len(changes)} files differ from it (--dirty)" if changes else "")


def still(root: Path, git: Git | None, beside: Sequence[str] = ()) -> None:
    """Raises RefusedError unless the files, now that all are read, are those of the commit that was looked at.

    What was read since `tree` looked may be of no commit: an editor saved, `before` or build.lock wrote.
    """
    if git is None:
        return
    if (head := gitrefs.head(root)) != git.sha:
        raise RefusedError(
            f"HEAD was {git.sha[:12]} when the release began and is {head[:12]} now. Nothing was built; release again."
        )
    _clean(root, beside)


def _clean(root: Path, beside: Sequence[str]) -> None:
    """Raises RefusedError with the files that differ from the commit."""
    if changes := gitrefs.changed(root, beside):
        # The first build writes it: who releases has not touched it.
        locks = [path for path in changes if Path(path).name == lock.NAME]
        about = f" {locks[0]} keeps the digests of outside bases." if locks else ""
        raise RefusedError(
            f"these files differ from the commit that would be released: {several(changes, SHOWN)}.{about} "
            "Commit them, or release all the same with --dirty."
        )


def harbours(places: Iterable[Place], clients: Mapping[str, Remote]) -> tuple[Harbour, ...]:
    """Asks every repository. Raises RefusedError with all that refuse."""
    found = together(lambda place: _asked(place, clients[place.host]), tuple(dict.fromkeys(places)))
    refusals = dict.fromkeys(one.refusal for one in found if one.refusal)
    if refusals:
        raise RefusedError("nothing was built: " + "\n".join(refusals))
    return tuple(found)


def _asked(place: Place, remote: Remote) -> Harbour:
    """Permission by an upload that is cancelled, deletion by a digest that cannot exist."""
    try:
        tags = remote.tags(place.repository)
        remote.may_push(place.repository)
    except RegistryError as error:
        if error.status == 404:
            said = f"{place} must be created first, its registry makes no repositories by itself: {error}"
            return Harbour(place, "must be created first", refusal=said)
        return Harbour(place, "refuses", refusal=str(error))
    return Harbour(place, "exists" if tags else "will be created", tags, _deletes(remote, place))


def _deletes(remote: Remote, place: Place) -> bool:
    try:
        remote.delete(place.repository, NOWHERE)
    except RegistryError:
        return False
    return True


def disks(project: Project) -> str:
    """Returns what is free. Raises RefusedError where a build would run out of room."""
    try:
        about: inquiry.Info | SurroundingsError = inquiry.info()
    except SurroundingsError as error:
        about = error
    found = tuple(examination.disks(project, about))
    if low := [f"{check.found}: {check.remedy}" for check in found if check.failed]:
        raise RefusedError("there is too little room to build: " + "; ".join(low))
    return ", ".join(check.found for check in found)


def told(found: Iterable[Harbour]) -> str:
    """Returns one sentence on the repositories."""
    found = tuple(found)

    def places(which: Callable[[Harbour], bool]) -> list[str]:
        return [str(one.place) for one in found if which(one)]

    there = len(places(lambda one: one.state == "exists"))
    parts = [f"{len(found)} repositories may be pushed to, {there} of them exist"]
    if new := places(lambda one: one.state == "will be created"):
        parts.append(f"will be created: {', '.join(new)}")
    if kept := places(lambda one: not one.deletes):
        parts.append(f"no deletion (a new name that is withdrawn leaves an empty index): {', '.join(kept)}")
    return "; ".join(parts)
