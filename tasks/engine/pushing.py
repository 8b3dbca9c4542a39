"""Names in registries, everyday way: permission asked first, then (when all is built) the names moved.

A name that a release made is not moved unless that is asked for; over the very content that is pushed it stays where
it is. The transaction that makes names fit to be relied upon is a release's; this is the plain push that people make
all day.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..errors import IncompleteError, RefusedError, SurroundingsError
from ..model import Descriptor, Moved, Reference
from ..planning.plan import Plan, PlannedImage
from ..planning.platforms import spelled
from ..registries import registry
from ..registries.pointing import point
from .publishing import Clients, Content, index
from .together import together

_Head = tuple[Reference, str]


@dataclass(frozen=True, slots=True)
class _Name:
    """One name, what it is to stand at, what it stands at now; `platforms` are the manifests that it is to mean."""

    reference: Reference
    remote: registry.Remote
    new: Descriptor
    old: Descriptor | None
    platforms: frozenset[str]

    @property
    def head(self) -> _Head:
        """What it is to stand at, and in which repository: several images may share one."""
        return replace(self.reference, tag=""), self.new.digest

    @property
    def moves(self) -> bool:
        return self.old is None or self.old.digest != self.new.digest

    @property
    def moved(self) -> Moved:
        whole = replace(self.reference, registry=self.remote.host)
        return Moved(str(whole), self.old.digest if self.old else "", self.new.digest)


def pushed(plan: Plan) -> tuple[PlannedImage, ...]:
    """The plan's images that get names in a registry."""
    return tuple(image for image in plan.selected if image.publish)


def foresee(plan: Plan, clients: Clients, *, overwrite: bool) -> None:
    """Refuses, before anything is built, what would be refused when all is built.

    Raises SurroundingsError with all repositories that may not be pushed to; RefusedError for names that a release
    made and that what is built would get. (Should a build come to the very content of the release, its names could
    stay; nobody can know that before, and it is rare.)
    """
    images = pushed(plan)
    check_permission([name for image in images for name in image.published], clients)
    if overwrite:
        return
    wanted = [name for image in images if image.action != "reuse" for name in image.published]
    stand = together(lambda name: clients[name.host].manifest(name.repository, name.tag), wanted)
    if lines := [
        _line(name, old.digest, tag, "what is built now")
        for name, old in zip(wanted, stand, strict=True)
        if old and (tag := registry.released(old))
    ]:
        raise RefusedError(_refusal(lines))


def check_permission(references: Iterable[Reference], clients: Clients) -> None:
    """Asks every repository whether it may be pushed to. Raises SurroundingsError with all that refuse."""
    places = sorted({(reference.host, reference.repository) for reference in references})
    hosts = sorted({host for host, _ in places})
    refusals = dict(zip(hosts, together(lambda host: _refused(clients[host].reachable), hosts), strict=True))
    asked = [(host, repository) for host, repository in places if not refusals[host]]
    denied = together(lambda place: _refused(partial(clients[place[0]].may_push, place[1])), asked)
    said = [text for text in dict.fromkeys([*refusals.values(), *denied]) if text]
    if said:
        raise SurroundingsError("\n".join(said))


def _refused(ask: Callable[[], None]) -> str:
    """Returns what a registry answers to a question if it refuses, "" if it does not."""
    try:
        ask()
    except SurroundingsError as error:
        return str(error)
    return ""


def name_all(
    plan: Plan, contents: Mapping[str, Mapping[Reference, Content]], clients: Clients, *, overwrite: bool
) -> tuple[Moved, ...]:
    """Moves every name of the plan to what is there (publishing.settle). Reads first; then moves.

    A name that stands there already costs one question; so does, but for another, a release's name over the same
    platforms. Raises RefusedError, before the first name moves, for
    names that a release made; IncompleteError if the registry fails half-way or Ctrl-C is pressed.
    """
    indexes = {
        (image, place): index(found)
        for image, places in contents.items()
        for place, found in places.items()
        if len(found) > 1
    }

    def look(image: PlannedImage, reference: Reference) -> _Name:
        remote, place = clients[reference.host], replace(reference, tag="")
        whole = indexes.get((image.name, place))
        content = contents[image.name][place]
        new = whole.descriptor if whole else next(iter(content.values()))
        platforms = frozenset(manifest.digest for manifest in content.values())
        old = remote.descriptor(reference.repository, reference.tag)
        return _Name(reference, remote, new, old, platforms)

    names = together(lambda one: look(*one), [(i, name) for i in pushed(plan) for name in i.published])
    if not overwrite:
        judged = together(_judged, names)
        names = [name for name, _ in judged]
        if lines := [
            _line(name.reference, name.moved.old, tag, name.new.digest) for name, tag in judged if tag
        ]:
            raise RefusedError(_refusal(lines))
    moving = [name for name in names if name.moves]
    if all(image.action == "reuse" for image in plan.selected):
        check_permission([name.reference for name in moving], clients)
    made = {whole.digest: whole for whole in indexes.values()}
    heads = {name.head: name for name in moving}
    ready = together(lambda name: _ready(name, made.get(name.new.digest)), heads.values())
    done = _moved(moving, dict(zip(heads, ready, strict=True)))
    return tuple(done.get(name.reference, name.moved) for name in names)


def _ready(name: _Name, made: registry.Manifest | None) -> registry.Manifest:
    """Returns what a name is to stand at, whole; an index that was made here is put there first, without a name."""
    repository = name.reference.repository
    if made:
        name.remote.put(repository, made.digest, made)
        return made
    found = name.remote.manifest(repository, name.new.digest)
    if found is None:
        raise SurroundingsError(f"{name.reference.name} has nothing at {name.new.digest} any more")
    return found


def _moved(names: Sequence[_Name], ready: Mapping[_Head, registry.Manifest]) -> dict[Reference, Moved]:
    """Moves names, each to what is ready for it in its repository; one that fails does not hold up the others.

    Raises IncompleteError with all that were moved and all that were not; Ctrl-C ends those that have not begun.
    """
    done: dict[Reference, Moved] = {}
    failed: dict[Reference, str] = {}

    def move(name: _Name) -> None:
        reference = name.reference
        try:
            done[reference] = point(name.remote, reference.repository, ready[name.head], reference.tag)
        except SurroundingsError as error:
            failed[reference] = str(error)

    interrupted = False
    try:
        together(move, names)
    except KeyboardInterrupt:
        interrupted = True
    if interrupted or failed:
        raise IncompleteError(_incomplete(names, failed, done))
    return done


def _judged(name: _Name) -> tuple[_Name, str]:
    """Returns a name, and the release that it would be taken from, "" for none.

    A release's index says more than a push's (version, revision, …). Where it has the same platforms it stays.
    """
    if not name.moves or name.old is None:
        return name, ""
    old = name.remote.manifest(name.reference.repository, name.old.digest)
    tag = registry.released(old) if old else None
    if old is None or not tag:
        return name, ""
    if _platforms(old) == name.platforms:
        return replace(name, new=name.old), ""
    return name, tag


def _platforms(index: registry.Manifest) -> frozenset[str]:
    """Returns the digests of an index's platforms; an attestation is of none."""
    entries = json.loads(index.raw).get("manifests") or ()
    return frozenset(entry["digest"] for entry in entries if spelled(entry.get("platform") or {}))


def _line(name: Reference, old: str, tag: str, new: str) -> str:
    return f"  {name}: stands at {old} (release {tag}), would move to {new}"


def _refusal(lines: Iterable[str]) -> str:
    return "\n".join(
        [
            "these names were made by a release and no name was moved:",
            *lines,
            "Push under other tags (--tags, or without these in tags.build), release a new version,",
            "or move them all the same with --overwrite.",
        ]
    )


def _incomplete(
    names: Sequence[_Name], failed: Mapping[Reference, str], done: Mapping[Reference, Moved]
) -> str:
    moved = [name for name in names if name.reference in done]
    left = [name.reference for name in names if name.reference not in done]
    return "\n".join(
        [
            "some names were moved and others not; `inv push` again completes it:",
            *(f"  moved      {name.reference} -> {name.new.digest}" for name in moved),
            *(f"  not moved  {reference}: {failed.get(reference, 'interrupted')}" for reference in left),
        ]
    )
