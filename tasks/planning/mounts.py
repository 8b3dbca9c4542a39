"""Which secrets and SSH keys an image's Dockerfile really mounts: what is given for nothing is said. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from . import dockerfile as dockerfiles
from .dockerfile import Instruction
from .facts import Facts
from .meanings import mount_fields, unsure
from .plan import PlannedImage
from .scopes import executed, global_scope
from .sources import reached


def warned(image: PlannedImage, facts: Facts) -> PlannedImage:
    """Returns the image with a warning for each secret and key that no RUN it reaches mounts."""
    there = given(image)
    unused = sorted(there - set(_mounted(image, facts, there))) if there else []
    said = [
        f"{kind} {name} is given and mounted by no RUN: RUN --mount=type={kind},id={name} …"
        for kind, name in unused
    ]
    return replace(image, warnings=(*image.warnings, *said))


def given(image: PlannedImage) -> set[tuple[str, str]]:
    """Returns (kind, id) of the secrets and keys that build.toml gives an image."""
    return {
        *(("secret", one.id) for one in image.secrets),
        *(("ssh", one.partition("=")[0]) for one in image.ssh),
    }


def mounted(instruction: Instruction, there: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yields which of the secrets and keys that are `there` an instruction mounts, or may mount."""
    for mount in instruction.flag_values("mount") if instruction.keyword == "RUN" else ():
        fields = mount_fields(mount)
        telling = (fields.get(key, "") for key in ("type", "id", "source", "target"))
        if any(map(unsure, telling)):
            yield from there
        elif (told := _told(fields)) in there:
            yield told


def _mounted(
    image: PlannedImage, facts: Facts, there: Collection[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yields (kind, id) of those that some RUN mounts. https://docs.docker.com/reference/dockerfile/#run---mounttypesecret"""
    text = dockerfiles.read(facts.files[image.dockerfile], image.dockerfile)
    target, contexts = image.target or None, tuple(image.contexts)
    for platform in image.platforms:
        scope = global_scope(text, target, image.args, platform, facts.native)
        for stage in reached(text, target, image.args, platform, facts.native, contexts):
            for instruction in executed(text, stage, scope, contexts):
                yield from mounted(instruction, there)


def _told(fields: dict[str, str]) -> tuple[str, str]:
    kind = fields.get("type", "").lower()
    if kind == "ssh":
        return kind, fields.get("id") or "default"
    place = fields.get("target", "")
    return kind, fields.get("id") or fields.get("source") or place.rpartition("/")[2]
