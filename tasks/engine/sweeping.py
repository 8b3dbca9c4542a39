"""Addresses that no name stands on any more: found and removed, in the engine and in registries.

A name is any tag that is no address, and not the one that every push overwrites. What an index with a name holds is
stood on as well: removing a child would break the index. Signatures and provenance go with what they speak of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..errors import RegistryError, SurroundingsError
from ..model import Reference
from ..planning.address import is_address
from ..planning.bakefile import STAGING
from ..planning.plan import Plan
from ..registries import registry
from . import images
from .attestations import subject
from .publishing import Clients, places, remotes
from .together import together

JOURNAL = "argosy-journal"
"""Where a journal stands at this tag, a release did not end (release/journal.py): it needs what it staged."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """One address tag in a registry that nothing stands on, and the digest behind it."""

    reference: Reference
    digest: str


def in_engine(plan: Plan) -> tuple[str, ...]:
    """Returns the engine's address references that share their image with no name."""
    repositories = {reference.name for image in plan.images for reference in image.references}
    repositories |= {image.home for image in plan.images if image.home}
    there = images.listed(plan.client, repositories)
    about = images.inspect(plan.client, there)
    named = {about[name]["Id"] for name in there if name in about and _is_name(_tag(name))}
    return tuple(n for n in there if n in about and is_address(_tag(n)) and about[n]["Id"] not in named)


def in_registries(plan: Plan, fleet: Plan) -> tuple[tuple[Orphan, ...], tuple[str, ...]]:
    """Returns the registries' address tags that nothing stands on, and what could not be looked at, in words.

    One repository of the `fleet` keeps the journal of all: while a release is under way, none is swept.
    """
    clients = remotes(fleet)
    if under_way := tuple(filter(None, together(lambda place: _under_way(clients, place), _places(fleet)))):
        return (), under_way
    every = _places(plan)
    answers = together(lambda place: _orphans(clients, place), every)
    found = tuple(orphan for orphans, _ in answers for orphan in orphans)
    return found, tuple(dict.fromkeys(problem for _, problem in answers if problem))


def remove(plan: Plan, orphans: tuple[Orphan, ...]) -> tuple[int, tuple[str, ...]]:
    """Deletes manifests; returns how many were, and why others were not, in words."""
    clients = remotes(plan)
    removed, problems = 0, dict[str, None]()
    for place, digest in dict.fromkeys((replace(o.reference, tag=""), o.digest) for o in orphans):
        try:
            clients[place.host].delete(place.repository, digest)
            removed += 1
        except RegistryError as error:
            off = f"{place.host} allows no deletion; its addresses stay"
            problems[off if error.status == 405 else str(error)] = None
    return removed, tuple(problems)


def _places(plan: Plan) -> list[Reference]:
    return list(dict.fromkeys(place for image in plan.images for place in places(image)))


def _under_way(clients: Clients, place: Reference) -> str:
    """Returns why what a release may need stays: its journal is here, or nobody can tell; "" where it is not."""
    try:
        found = clients[place.host].manifest(place.repository, JOURNAL)
    except RegistryError as error:
        unknown = error.status is None or error.status >= 500
        return (
            f"{place.name} was not looked at, so all addresses in registries stay: {error}" if unknown else ""
        )
    # Where deletion is off an empty index takes the journal's place.
    if found is None or json.loads(found.raw).get("manifests") == []:
        return ""
    return (
        f"{place.name}: a release is under way or was cut off (--resume, --rollback); "
        "all addresses in registries stay"
    )


def _orphans(clients: Clients, place: Reference) -> tuple[list[Orphan], str]:
    remote = clients[place.host]
    try:
        tags = remote.tags(place.repository)
        manifests = {tag: remote.manifest(place.repository, tag) for tag in tags}
    except SurroundingsError as error:
        return [], f"{place.name} was not looked at: {error}"
    live: set[str] = set()
    for tag, manifest in manifests.items():
        if manifest and _is_name(tag):
            live |= {manifest.digest, *_children(manifest)}
    return [
        Orphan(replace(place, tag=tag), manifest.digest)
        for tag, manifest in manifests.items()
        if manifest and (is_address(tag) or subject(tag)) and live.isdisjoint({manifest.digest, subject(tag)})
    ], ""


def _is_name(tag: str) -> bool:
    """Whether anybody asks for it: at the tag of all pushes stands what was pushed last, named or not."""
    return not is_address(tag) and not subject(tag) and tag != STAGING


def _children(manifest: registry.Manifest) -> list[str]:
    value: Mapping[str, list[Mapping[str, str]]] = json.loads(manifest.raw)
    return [entry["digest"] for entry in value.get("manifests") or ()]


def _tag(reference: str) -> str:
    return reference.rpartition(":")[2]
