"""A release once more, somewhere else: the same digests under the same tags, in other repositories.

What is promoted is what the record says, whatever has become of the names since. The source is only read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..engine import attestations, copying
from ..engine.together import together
from ..errors import ConfigError, RefusedError
from ..model import Reference
from ..registries.registry import Manifest, Remote
from . import carrying
from .content import Child, Place
from .looking import place
from .order import Named, Order, Source
from .record import Record


@dataclass(frozen=True, slots=True)
class Copy:
    """One image's way from a repository to another; the manifest is the index that was released."""

    source: Reference
    manifest: Manifest
    named: Named


def copies(record: Record, before: str, after: str, clients: Mapping[str, Remote]) -> tuple[Copy, ...]:
    """Returns what is to be copied: every name that begins with `before`, which `after` takes the place of.

    Raises ConfigError where no name does, RefusedError where what was released is not there any more.
    """
    tags = _tags(record, before)
    return tuple(together(lambda one: _copy(one, tuple(tags[one]), before, after, record, clients), tags))


def home(record: Record, repositories: Iterable[str], before: str, after: str) -> Place:
    """Returns where the journal and the record of a promotion are kept. Raises ConfigError as `copies`.

    That is where `inv history` looks there: with build.toml's first image, whatever the release has. `repositories`
    are those of build.toml; where none of them is promoted (any more), the record's first one serves.
    """
    released = (name for _, name, _ in _tags(record, before))
    name = next((one for one in repositories if one.startswith(f"{before}/")), None) or next(released)
    return _target(name, before, after)


def _tags(record: Record, before: str) -> dict[tuple[str, str, str], list[str]]:
    """Returns the tags of each image, repository and digest that are promoted."""
    tags: dict[tuple[str, str, str], list[str]] = {}
    for entry in record.entries:
        if entry.reference.startswith(f"{before}/"):
            name, _, tag = entry.reference.rpartition(":")
            tags.setdefault((entry.image, name, entry.digest), []).append(tag)
    if not tags:
        raise ConfigError(f'no name of {record.tag} begins with "{before}/", so there is nothing to promote')
    return tags


def _target(name: str, before: str, after: str) -> Place:
    return place(Reference.parse(after + name.removeprefix(before)))


def _copy(
    one: tuple[str, str, str],
    tags: tuple[str, ...],
    before: str,
    after: str,
    record: Record,
    clients: Mapping[str, Remote],
) -> Copy:
    image, name, digest = one
    source = Reference.parse(f"{name}@{digest}")
    manifest = clients[source.host].manifest(source.repository, digest)
    if manifest is None:
        raise RefusedError(f"{source} was released and is not there any more, so it cannot be promoted.")
    children = tuple(Child.of(entry) for entry in json.loads(manifest.raw).get("manifests") or ())
    if not children:  # named by its own manifest (images.X.annotate = false)
        [platform] = record.platforms[image]
        children = (Child(digest, manifest.media_type, len(manifest.raw), platform),)
    target = _target(name, before, after)
    return Copy(
        source, manifest, Named(image, target, manifest, children, tags, record.versions.get(image, ""))
    )


def carry(found: tuple[Copy, ...], clients: Mapping[str, Remote]) -> int:
    """Copies everything, no name moves; returns how many signatures and attached documents went along.

    Raises SurroundingsError where something does not arrive.
    """

    def one(copy: Copy) -> int:
        where: Place = copy.named.place
        copying.copy(str(copy.source), copy.manifest, clients[where.host], where.repository)
        digests = (copy.manifest.digest, *(child.digest for child in copy.named.children))
        if copy.manifest.digest in digests[1:]:  # no index has its provenance
            source = place(copy.source)
            ends = [(clients[end.host], end.repository) for end in (source, where)]
            attestations.carry(ends[0], ends[1], copy.manifest.digest)
        return carrying.carry(clients, place(copy.source), where, digests)

    return sum(together(one, found))


def order(record: Record, found: tuple[Copy, ...], home: Place, to: str) -> Order:
    """Returns the order for the names at the destination `to`; the journal and the record are kept there, in `home`."""
    source = Source(record.revision, record.created)
    named = tuple(copy.named for copy in found)
    made = Order(record.project, record.tag, source, home, named, to=to)
    return replace(made, gates=record.gates, seals=record.seals)
