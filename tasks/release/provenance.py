"""BuildKit's provenance of every platform, taken into the index that a release names."""

from __future__ import annotations

from collections.abc import Mapping

from ..engine import attestations
from ..engine.together import together
from ..errors import RefusedError
from ..registries.registry import Remote
from .content import Child, Contents, Place


def attested(contents: Contents, clients: Mapping[str, Remote]) -> Contents:
    """Adds to every platform the provenance that speaks of it. Raises RefusedError where there is none."""
    absent: list[str] = []

    def of(place: Place, child: Child) -> Child | None:
        found = attestations.read(clients[place.host], place.repository, child.digest)
        if found is None:
            absent.append(f"{place}@{child.digest} ({child.platform})")
            return None
        told = tuple(sorted(attestations.told(child.digest).items()))
        return Child(found.digest, found.media_type, len(found.raw), "", told)

    every = [
        (place, child) for places in contents.values() for place, kept in places.items() for child in kept
    ]
    more = dict(zip(every, together(lambda one: of(*one), every), strict=True))
    if absent:
        raise RefusedError("release.provenance is set, and these were pushed without: " + ", ".join(absent))
    return {
        image: {
            place: (*kept, *filter(None, (more[place, child] for child in kept)))
            for place, kept in places.items()
        }
        for image, places in contents.items()
    }
