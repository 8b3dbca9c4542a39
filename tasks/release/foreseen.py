"""What the plan of names would refuse in the end, as far as it shows before anything is built.

A released index says its release and its commit, so one that says others is not what is going to be named. What is
named without annotations, and what --dirty changes, shows only when it is built: names.py has the last word.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..engine.together import together
from ..model import Reference
from ..planning.plan import Plan, PlannedImage
from ..registries.registry import RELEASE, Manifest, Remote
from . import newest, preflight, versions
from .content import Child, Place
from .index import is_free
from .looking import Lists, look, place
from .names import others
from .order import PREFIX
from .preflight import Harbour
from .versions import Scheme

if TYPE_CHECKING:
    from semver import Version

_REVISION = f"{PREFIX}revision"


def order(plan: Plan, tag: str, home: Place, found: Iterable[Harbour], clients: Mapping[str, Remote]) -> None:
    """Raises RefusedError unless the release comes after all of its own minor line; `found` has the tags there are."""
    release = versions.full(tag)
    if release is None:
        return
    schemes = [(where, scheme) for (_, where), scheme in _schemes(plan, release).items()]
    lists = Lists(clients, {one.place: one.tags for one in found})
    preflight.order(tag, newest.ahead(clients, lists, home, schemes, release))


def check(
    plan: Plan,
    tag: str,
    revision: str,
    found: Iterable[Harbour],
    clients: Mapping[str, Remote],
    permanent: Collection[str],
    *,
    overwrite: bool,
) -> None:
    """Raises RefusedError, with all of them, for full versions that stand at what is not going to be built.

    `found` are the repositories with their tags; on `permanent` hosts not even `overwrite` moves what stands.
    """
    there = {one.place: frozenset(one.tags) for one in found}
    release = versions.full(tag)
    schemes = _schemes(plan, release) if release else {}

    def means_one(image: PlannedImage, reference: Reference) -> bool:
        scheme = schemes.get((image.name, place(reference)))
        return scheme.is_immutable(reference.tag) if scheme else versions.full(reference.tag) is not None

    standing = [
        (image, reference)
        for image, reference in _published(plan)
        if means_one(image, reference) and reference.tag in there.get(place(reference), ())
        if not overwrite or reference.host in permanent
    ]

    def refusal(one: tuple[PlannedImage, Reference]) -> str:
        image, reference = one
        stands = look(clients, reference)
        if stands is None or is_free(stands):
            return ""
        differs = _differs(image, stands, tag, revision)
        return f"{reference}: stands at {stands.digest}, {differs}" if differs else ""

    if lines := [line for line in together(refusal, standing) if line]:
        raise others(lines, permanent, "Nothing was built.")


def _published(plan: Plan) -> Iterator[tuple[PlannedImage, Reference]]:
    for image in plan.selected:
        for reference in image.published if image.publish else ():
            yield image, reference


def _schemes(plan: Plan, release: Version) -> dict[tuple[str, Place], Scheme]:
    """Returns for every image how its tags in each of its repositories say its version."""
    tags: dict[tuple[str, Place], list[str]] = {}
    for image, reference in _published(plan):
        tags.setdefault((image.name, place(reference)), []).append(reference.tag)
    own = {image.name: image.version for image in plan.images}
    return {which: versions.scheme(wanted, release, own[which[0]]) for which, wanted in tags.items()}


def _differs(image: PlannedImage, stands: Manifest, tag: str, revision: str) -> str:
    """Returns what a manifest is instead of that which is to be named, "" where it may be the very one."""
    if not image.annotate:
        return ""
    body = json.loads(stands.raw)
    said = body.get("annotations") or {}
    if said.get(RELEASE) != tag:
        return f"release {said[RELEASE]}" if said.get(RELEASE) else "which no release made"
    if said.get(_REVISION, "") != revision:
        return f"release {tag} of commit {said.get(_REVISION, '')[:12] or 'unknown'}"
    platforms = {Child.of(entry).platform for entry in body.get("manifests") or ()} - {""}
    if platforms != set(image.platforms):
        return f"release {tag} for {', '.join(sorted(platforms))}"
    return ""
