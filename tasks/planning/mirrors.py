"""Which outside bases of an image are taken from elsewhere (`[mirror]`). Pure.

A stand-in takes the base's place wherever it matters: the digest that is locked and the address are its own.
What means a sibling is never mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from . import dockerfile as dockerfiles
from .familiar import familiar
from .meanings import DOCKER_IMAGE
from .naming import Naming
from .plan import PlannedImage
from .sources import sources


def mirrored(naming: Naming, image: PlannedImage) -> PlannedImage:
    """Returns an image, its siblings known, with the stand-ins of those bases that it really asks for."""
    known = {familiar(base): stand_in for base, stand_in in naming.project.mirror.items()}
    if not known:
        return image
    mirror = {name: known[name] for name in _asked(naming, image) if name in known}
    contexts = {key: _context(value, known) for key, value in image.contexts.items()}
    moved = mirror | {
        value.removeprefix(DOCKER_IMAGE): contexts[key].removeprefix(DOCKER_IMAGE)
        for key, value in image.contexts.items()
        if contexts[key] != value
    }
    notes = [f"{base} is taken from {stand_in} ([mirror])" for base, stand_in in moved.items()]
    return replace(image, contexts=contexts, mirror=mirror, notes=(*image.notes, *notes))


def _asked(naming: Naming, image: PlannedImage) -> dict[str, None]:
    """Returns the familiar names of the outside bases that the Dockerfile asks for."""
    facts = naming.facts
    text = dockerfiles.read(facts.files[image.dockerfile], image.dockerfile)
    linked = {need.key for need in image.needs}
    found: dict[str, None] = {}
    for platform in image.platforms:
        asked = sources(text, image.target or None, image.args, platform, facts.native, tuple(image.contexts))
        found |= {familiar(source.reference): None for source in asked if source.context is None}
    return {name: None for name in found if name not in linked}


def _context(value: str, known: Mapping[str, str]) -> str:
    if not value.startswith(DOCKER_IMAGE):
        return value
    stand_in = known.get(familiar(value.removeprefix(DOCKER_IMAGE)))
    return f"{DOCKER_IMAGE}{stand_in}" if stand_in else value
