"""Content in registries, at addresses: what is there, what was just pushed, and the index a name points to.

In a registry every platform of an image has an address tag of its own, in each of the image's repositories.
So a machine that wants one platform finds it wherever another built two, and platforms that are missing alone
are built. Names are not moved here (pushing.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..errors import SurroundingsError
from ..model import HUB, Descriptor, Reference
from ..planning.deciding import Standing
from ..planning.plan import Plan, PlannedImage
from ..planning.platforms import named
from ..registries import registry
from . import attestations
from .results import Results
from .together import together

INDEX = "application/vnd.oci.image.index.v1+json"
T = TypeVar("T")
R = TypeVar("R")

Clients = Mapping[str, registry.Remote]
Content = dict[str, Descriptor]
"""What one image is in one repository: its manifest for each platform."""


def remotes(plan: Plan) -> dict[str, registry.Remote]:
    """Returns one client for each registry host that the plan's images are published to."""
    hosts = {reference.registry or HUB for image in plan.images for reference in image.published}
    hosts |= {Reference.parse(image.home).registry or HUB for image in plan.images if image.home}
    return {host: registry.Remote(host) for host in sorted(hosts)}


def places(image: PlannedImage) -> tuple[Reference, ...]:
    """Returns the repositories of an image; one that is only stood on has its home."""
    published = dict.fromkeys(replace(reference, tag="") for reference in image.published)
    return tuple(published) or ((Reference.parse(image.home),) if image.home else ())


def standings(plan: Plan, before: Mapping[str, Standing]) -> dict[str, Standing]:
    """Adds to what is known of images which platforms are there, in every repository at once.

    What is there without the provenance that is wanted is not there.
    """
    clients = remotes(plan)
    asked = [
        (image, place, platform, before[image.name].addresses[platform].tag)
        for image in plan.images
        if not before[image.name].barrier
        for place in places(image)
        for platform in image.platforms
    ]
    answers = together(lambda one: _descriptor(clients, one[1], one[3], plan.provenance), asked)
    absent: set[tuple[str, str]] = set()
    stands: dict[str, dict[tuple[Reference, str], Descriptor]] = {}
    for (image, place, platform, _), answer in zip(asked, answers, strict=True):
        if answer:
            stands.setdefault(image.name, {})[place, platform] = answer
        else:
            absent.add((image.name, platform))
    found = dict(before)
    for image in plan.images:
        if not before[image.name].barrier and places(image):
            there = [platform for platform in image.platforms if (image.name, platform) not in absent]
            given = {p: f"{image.home}:{one.tag}" for p, one in before[image.name].addresses.items()}
            found[image.name] = replace(
                before[image.name],
                there=frozenset(there),
                given=given,
                where=" in the registry",
                stands=stands.get(image.name, {}),
            )
    return found


def elsewhere(plan: Plan, before: Mapping[str, Standing]) -> dict[str, Standing]:
    """Adds images of one platform that the engine lacks and their registry has: pulled, they need no building.

    A registry that does not answer, or refuses, has nothing as far as this goes.
    """
    asked = [
        (image, Reference.parse(f"{image.home}:{before[image.name].addresses[image.platforms[0]].tag}"))
        for image in plan.selected
        if image.published and len(image.platforms) == 1
        if not before[image.name].barrier and not before[image.name].there
    ]
    found = dict(before)
    if not asked:
        return found
    clients = {host: registry.Remote(host, tries=1) for host in {one.registry or HUB for _, one in asked}}
    answering = {host for host, remote in clients.items() if _answers(remote)}
    answers = together(lambda one: (one[1].registry or HUB) in answering and _has(clients, one[1]), asked)
    for (image, reference), there in zip(asked, answers, strict=True):
        if there:
            found[image.name] = replace(
                before[image.name],
                there=frozenset(image.platforms),
                given={image.platforms[0]: str(reference)},
                fetched=True,
                where=" in the registry",
            )
    return found


def _answers(remote: registry.Remote) -> bool:
    try:
        remote.reachable()
    except SurroundingsError:
        return False
    return True


def _has(clients: Clients, reference: Reference) -> bool:
    try:
        return _descriptor(clients, reference, reference.tag) is not None
    except SurroundingsError:
        return False


def missing(references: Sequence[str]) -> tuple[str, ...]:
    """Returns those of the references that their registry does not have."""
    read = [Reference.parse(reference) for reference in references]
    clients = {host: registry.Remote(host) for host in {one.registry or HUB for one in read}}
    digests = together(lambda one: clients[one.registry or HUB].digest(one.repository, one.tag), read)
    return tuple(str(reference) for reference, digest in zip(read, digests, strict=True) if not digest)


def settle(plan: Plan, results: Results, clients: Clients) -> dict[str, dict[Reference, Content]]:
    """Returns what every selected image is in each of its repositories, once all is pushed.

    What was just built gets its platforms' address tags; an address that another machine pushed in the
    meantime wins, and its content is taken instead. Raises SurroundingsError where something is not there.
    """
    digests = {result.image: result.digest for result in results.images}
    wanted = [(image, place) for image in plan.selected if image.publish for place in places(image)]
    contents = together(
        lambda one: _content(plan, one[0], one[1], digests.get(one[0].name, ""), clients), wanted
    )
    settled: dict[str, dict[Reference, Content]] = {}
    for (image, place), content in zip(wanted, contents, strict=True):
        settled.setdefault(image.name, {})[place] = content
    return settled


def plain(
    plan: Plan, settled: Mapping[str, Mapping[Reference, Content]], clients: Clients
) -> dict[str, registry.Manifest]:
    """Returns whole manifests, by digest: those of images that are named by their own manifest, without annotations."""
    wanted = {
        found.digest: place
        for image in plan.selected
        if not image.annotate
        for place, content in settled.get(image.name, {}).items()
        for found in content.values()
    }
    whole = together(
        lambda one: clients[one[1].registry or HUB].manifest(one[1].repository, one[0]), wanted.items()
    )
    return {manifest.digest: manifest for manifest in whole if manifest}


def index(content: Content) -> registry.Manifest:
    """Returns the index of several platforms.

    The index is ours and its bytes are canonical (platforms in the order asked, no white space, no time), so
    two machines that have the same platforms have the same index.
    https://github.com/opencontainers/image-spec/blob/main/image-index.md
    """
    entries = []
    for platform, manifest in content.items():
        system, architecture, *variant = platform.split("/")
        told = {"architecture": architecture, "os": system} | ({"variant": variant[0]} if variant else {})
        said = {"mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size}
        entries.append({**said, "platform": told})
    value = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return registry.Manifest.of(json.dumps(value, separators=(",", ":")).encode(), INDEX)


def _content(plan: Plan, image: PlannedImage, place: Reference, digest: str, clients: Clients) -> Content:
    if image.action == "reuse":
        return {platform: image.stands[place, platform] for platform in image.platforms}
    remote = clients[place.registry or HUB]
    built = _pushed(image, place, digest, remote)
    content: Content = {}
    for platform in image.platforms:
        tag = image.addresses.get(platform, "")
        there = remote.manifest(place.repository, tag) if tag else None
        if there and not _attested(remote, place, there.digest, plan.provenance):
            there = None
        found = there or built.get(platform)
        if found is None:
            raise SurroundingsError(
                f"{place.name} has nothing for {platform} at {tag or digest}, though it was pushed"
            )
        if tag and not there:
            remote.put(place.repository, tag, found)
        content[platform] = found.descriptor
    return content


def _pushed(
    image: PlannedImage, place: Reference, digest: str, remote: registry.Remote
) -> dict[str, registry.Manifest]:
    """Returns the manifests that a build has just pushed, by platform."""
    found = remote.manifest(place.repository, digest)
    if found is None:
        raise SurroundingsError(
            f"{place.name} has nothing at {digest}, though the build just pushed it there"
        )
    platforms = image.building or image.platforms
    told: Sequence[Mapping[str, Any]] = json.loads(found.raw).get("manifests") or ()
    if not told:
        return {platforms[0]: found}
    attestations.keep(remote, place.repository, found)
    children = {_platform(entry): entry["digest"] for entry in told}
    manifests = {p: remote.manifest(place.repository, children[p]) for p in platforms if p in children}
    return {platform: manifest for platform, manifest in manifests.items() if manifest}


def _platform(entry: Mapping[str, Any]) -> str:
    told = entry.get("platform") or {}
    return named(told.get("os", ""), told.get("architecture", ""), told.get("variant", ""))


def _descriptor(clients: Clients, place: Reference, tag: str, provenance: str = "off") -> Descriptor | None:
    remote = clients[place.registry or HUB]
    found = remote.descriptor(place.repository, tag)
    return found if found and _attested(remote, place, found.digest, provenance) else None


def _attested(remote: registry.Remote, place: Reference, digest: str, provenance: str) -> bool:
    return provenance == "off" or bool(remote.digest(place.repository, attestations.tag(digest)))
