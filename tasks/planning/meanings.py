"""What the references of a Dockerfile mean in a plan: a stage, a sibling, a base, a named context. Pure.

A meaning is a text in which a sibling goes by its image's name and a stage by its order among those that count:
two Dockerfiles with the same meanings take from the same places, however these are called. It knows names only.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

from ..config.dockerfiles import is_remote
from .dockerfile import Dockerfile, Instruction, Stage
from .familiar import familiar
from .plan import PlannedImage

_USUAL = {"src": "source", "dst": "target", "destination": "target"}
TARGET, DOCKER_IMAGE = "target:", "docker-image://"


@dataclass(frozen=True, slots=True)
class Meanings:
    """The references of one image's Dockerfile; `stages` are those that its target reaches."""

    image: PlannedImage
    dockerfile: Dockerfile
    stages: tuple[Stage, ...]

    def context(self, name: str, *, counted: bool = False) -> str | None:
        """Returns the named context that `name` leads to, or None; `counted` lets a number name a stage."""
        return self._context(name, self._stage(name, counted=counted))

    def folder(self, name: str, *, counted: bool = False) -> str | None:
        """Returns the named context that `name` leads to if that is a folder of the project, or None."""
        found = self.context(name, counted=counted)
        return found if found is not None and is_folder(self.image, found) else None

    def base(self, stage: Stage, name: str) -> str:
        """Returns what a stage stands on; `name` is its FROM, expanded."""
        return self._meaning(name, self.dockerfile.named(name, before=stage.index))

    def told(self, instruction: Instruction) -> str:
        """Returns an instruction's text with its references by their meanings."""
        text = instruction.text
        name = instruction.flag("from") if instruction.keyword == "COPY" else None
        if name:
            meaning = self._meaning(name, self._stage(name, counted=True))
            text = text.replace(f"--from={name}", f"--from={meaning}", 1)
        for mount in instruction.flag_values("mount") if instruction.keyword == "RUN" else ():
            name = mount_fields(mount).get("from")
            if name:
                meant = f"from={self._meaning(name, self._stage(name, counted=False))}"
                fields = [meant if field == f"from={name}" else field for field in mount.split(",")]
                text = text.replace(f"--mount={mount}", f"--mount={','.join(fields)}", 1)
        return text

    def _stage(self, name: str, *, counted: bool) -> Stage | None:
        if counted and name.lstrip("+-").isdecimal():
            return self.dockerfile.stages[int(name)]
        return self.dockerfile.named(name.lower())

    def _context(self, name: str, stage: Stage | None) -> str | None:
        found = stage.name if stage else familiar(name)
        return found if found in self.image.contexts else None

    def _meaning(self, name: str, stage: Stage | None) -> str:
        context = self._context(name, stage)
        if context is not None:
            value = self.image.contexts[context]
            if value.startswith(TARGET):
                return f"sibling {value.removeprefix(TARGET)}"
            return f"base {value}" if value.startswith(DOCKER_IMAGE) else f"context {context}"
        if stage in self.stages:
            return f"stage {self.stages.index(stage)}"
        key = familiar(name)
        sibling = next((need.image for need in self.image.needs if need.key == key), None)
        return f"base {self.image.mirror.get(key, name)}" if sibling is None else f"sibling {sibling}"


def is_folder(image: PlannedImage, context: str) -> bool:
    """Tells a named context that is a folder of the project from a stage, an image or a URL."""
    value = image.contexts.get(context, "")
    return bool(value) and not is_remote(value) and not value.startswith((TARGET, DOCKER_IMAGE))


def mount_fields(mount: str) -> dict[str, str]:
    """Returns the fields of a RUN's --mount by their usual names, the last of each."""
    fields = (field.partition("=") for field in next(csv.reader([mount]), []))
    return {_USUAL.get(key.lower(), key.lower()): value for key, _, value in fields}


def unsure(value: str) -> bool:
    """Tells whether a field of a mount is not simply what it says: newer frontends expand all but `from`."""
    return any(sign in value for sign in "$'\"\\`")
