"""Content in registries, at addresses: what is there, what was just pushed, and the index a name points to.

In a registry every platform of an image has an address tag of its own, in each of the image's repositories.
So a machine that wants one platform finds it wherever another built two, and platforms that are missing alone
are built. Names are not moved here (pushing.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import RegistryError, SurroundingsError
from ..model import Descriptor, Reference
from ..planning.bakefile import staging
from ..planning.plan import Plan, PlannedImage
from ..planning.platforms import spelled
from ..registries import registry
from . import attestations, copying
from .results import Results
from .together import together

Clients = Mapping[str, registry.Remote]
Content = dict[str, Descriptor]
"""What one image is in one repository: its manifest for each platform."""

Built = Mapping[Reference, Mapping[str, registry.Manifest]]
"""What a build has just pushed of one image: into which repository, for which platform."""

TURNS = 3


def remotes(plan: Plan) -> dict[str, registry.Remote]:
    """Returns one client for each registry host that the plan's images are published to."""
    hosts = {reference.host for image in plan.images for reference in image.published}
    hosts |= {Reference.parse(image.home).host for image in plan.images if image.home}
    return {host: registry.Remote(host) for host in sorted(hosts)}


def places(image: PlannedImage) -> tuple[Reference, ...]:
    """Returns the repositories of an image; one that is only stood on has its home."""
    published = dict.fromkeys(replace(reference, tag="") for reference in image.published)
    return tuple(published) or ((Reference.parse(image.home),) if image.home else ())


def missing(references: Sequence[str]) -> tuple[str, ...]:
    """Returns those of the references that their registry does not have."""
    read = [Reference.parse(reference) for reference in references]
    clients = {host: registry.Remote(host) for host in {one.host for one in read}}
    digests = together(lambda one: clients[one.host].digest(one.repository, one.tag), read)
    return tuple(str(reference) for reference, digest in zip(read, digests, strict=True) if not digest)


def settle(plan: Plan, results: Results, clients: Clients) -> dict[str, dict[Reference, Content]]:
    """Returns what every selected image is in each of its repositories, once all is pushed.

    What was just built gets its platforms' address tags. What stands at an address in one of them already, pushed
    by another machine in the meantime or left by a push that did not end, wins over it in all of them, unless it was
    asked to be built anew. Raises SurroundingsError where something is not there.
    """
    digests = {result.image: result.digest for result in results.images}
    wanted = [image for image in plan.selected if image.publish]
    contents = together(lambda one: _content(plan, one, digests.get(one.name, ""), clients), wanted)
    return {
        image.name: {place: dict(content) for place in places(image)}
        for image, content in zip(wanted, contents, strict=True)
    }


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
    whole = together(lambda one: clients[one[1].host].manifest(one[1].repository, one[0]), wanted.items())
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
    value = {"schemaVersion": 2, "mediaType": registry.INDEX, "manifests": entries}
    return registry.Manifest.of(json.dumps(value, separators=(",", ":")).encode(), registry.INDEX)


def _content(plan: Plan, image: PlannedImage, digest: str, clients: Clients) -> Content:
    """Returns what an image is, the same in all its repositories."""
    reused = image.action == "reuse"
    built = {
        place: {} if reused else _pushed(image, place, digest, clients[place.host]) for place in places(image)
    }
    return {platform: _agreed(plan, image, platform, built, clients) for platform in image.platforms}


def _agreed(
    plan: Plan, image: PlannedImage, platform: str, built: Built, clients: Clients, turn: int = 1
) -> Descriptor:
    """Returns one platform's manifest when it stands at its address in every repository of the image.

    No registry writes a tag on condition, so two machines may write at once and the later write stays: what was written
    is read again, and what another machine has put there is taken by both.
    """
    tag = image.addresses.get(platform, "")
    seen = bool(tag) and not (image.anew and turn == 1)
    there: dict[Reference, Descriptor | None] = {
        place: image.stands[place, platform]
        if image.action == "reuse" and turn == 1
        else descriptor(clients, place, tag, plan.provenance)
        if seen
        else None
        for place in built
    }
    source = next((place for place in built if there[place]), next(iter(built)))
    pushed = built[source].get(platform)
    chosen = there[source] or (pushed.descriptor if pushed else None)
    if chosen is None:
        raise SurroundingsError(
            f"{source.name} has nothing for {platform} at {tag or 'its digest'}, though it was pushed"
        )
    late = [place for place, found in there.items() if found is None or found.digest != chosen.digest]
    for place in late:
        _bring(plan, image, platform, (source, place), chosen, built, clients)
    written = [clients[place.host].digest(place.repository, tag) for place in late if tag]
    if turn == TURNS or all(digest == chosen.digest for digest in written):
        return chosen
    return _agreed(plan, image, platform, built, clients, turn + 1)


def _bring(
    plan: Plan,
    image: PlannedImage,
    platform: str,
    way: tuple[Reference, Reference],
    chosen: Descriptor,
    built: Built,
    clients: Clients,
) -> None:
    """Sees to it that a repository has a manifest, copied from another where no build has just pushed it there."""
    source, place = way
    remote, tag = clients[place.host], image.addresses.get(platform, "")
    manifest = built[place].get(platform)
    if manifest is None or manifest.digest != chosen.digest:
        origin = clients[source.host]
        manifest = origin.manifest(source.repository, chosen.digest)
        if manifest is None:
            raise SurroundingsError(f"{source.name} has nothing at {chosen.digest} any more")
        if not remote.digest(place.repository, chosen.digest):
            under = copying.under(staging(image, place), chosen.digest)
            copying.copy(f"{source.name}@{chosen.digest}", manifest, remote, place.repository, under)
        if plan.provenance != "off":
            attestations.carry((origin, source.repository), (remote, place.repository), chosen.digest)
    if tag:
        try:
            remote.put(place.repository, tag, manifest)
        except RegistryError:
            # Where no tag moves (release.permanent) the one that stands stays; what is named is named by its digest.
            if not remote.digest(place.repository, tag):
                raise


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
    entries: Sequence[Mapping[str, Any]] = json.loads(found.raw).get("manifests") or ()
    if not entries:
        return {platforms[0]: found}
    attestations.keep(remote, place.repository, found)
    children = {spelled(entry.get("platform") or {}): entry["digest"] for entry in entries}
    manifests = {p: remote.manifest(place.repository, children[p]) for p in platforms if p in children}
    return {platform: manifest for platform, manifest in manifests.items() if manifest}


def descriptor(clients: Clients, place: Reference, tag: str, provenance: str = "off") -> Descriptor | None:
    """Returns what stands at an address; what lacks the provenance that is wanted is not there."""
    remote = clients[place.host]
    found = remote.descriptor(place.repository, tag)
    return found if found and _attested(remote, place, found.digest, provenance) else None


def _attested(remote: registry.Remote, place: Reference, digest: str, provenance: str) -> bool:
    return provenance == "off" or bool(remote.digest(place.repository, attestations.tag(digest)))
