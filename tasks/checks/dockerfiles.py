"""What an image's Dockerfile says that is better said otherwise: bases that nobody builds, health checks, credentials.

Only what the image's target reaches is looked at. It reads no file: texts come with the facts.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from ..model import Project, Reference
from ..planning.dockerfile import Dockerfile, Instruction
from ..planning.familiar import familiar
from ..planning.plan import PlannedImage
from ..planning.sources import Source, reached, sources
from ..registries.trust import is_loopback
from . import credentials, health
from .finding import Finding

BASE = "internal-base"
_ALIKE, _VERY_ALIKE = 0.6, 0.85
"""How near a name must be to an image's, of 1: below the fleet's owner, and where it might be anybody's."""


def check(image: PlannedImage, project: Project, dockerfile: Dockerfile, native: str) -> Iterator[Finding]:
    """Yields what is found for one image; the same for all its platforms is said once."""
    known = (image.target or None, image.args)
    bases: dict[tuple[str, int], Finding] = {}
    for platform in image.platforms:
        for source in sources(dockerfile, *known, platform, native, tuple(image.contexts)):
            if why := _internal(source, image, project):
                detail = (
                    f"{source.kind} {source.reference}: {why}, and no image of this fleet builds it. Add it to "
                    "[images], give it a stand-in in [mirror], or pin it by its digest"
                )
                place = dockerfile.place(source.line)
                bases[source.reference, source.line] = Finding(BASE, detail, place)
    yield from bases.values()
    platform = image.platforms[0] if image.platforms else native
    for stage in reached(dockerfile, *known, platform, native, tuple(image.contexts)):
        for instruction in stage.instructions:
            yield from _said(instruction, dockerfile)
    yield from credentials.said(image.args, f"images.{image.name}.args")


def siblings(image: PlannedImage, dockerfile: Dockerfile, native: str) -> Iterator[str]:
    """Yields where (file and line) an image's Dockerfile names other images of the fleet."""
    for platform in image.platforms:
        for source in sources(
            dockerfile, image.target or None, image.args, platform, native, tuple(image.contexts)
        ):
            if _is_sibling(source, image):
                yield dockerfile.place(source.line)


def _is_sibling(source: Source, image: PlannedImage) -> bool:
    known = {need.key for need in image.needs} | {need.reference for need in image.needs}
    return source.reference in known or familiar(source.reference) in known


def _internal(source: Source, image: PlannedImage, project: Project) -> str:
    """Returns why a reference looks like one of our own; "" for siblings and contexts, what is mirrored or pinned."""
    if source.context is not None:
        return ""
    reference, short = Reference.parse(source.reference), familiar(source.reference)
    if reference.digest or _is_sibling(source, image) or short in image.mirror:
        return ""
    for registry in (*project.registries, *project.declared):
        own = "/".join(part for part in (registry.host, registry.owner) if part)
        if registry.owner and reference.name.startswith(f"{own}/"):
            return f"it is in {own}, where this fleet is published"
    if reference.registry and is_loopback(reference.registry):
        return f"{reference.registry} is this machine"
    if reference.registry.endswith((".internal", ".local", ".lan", ".corp", ".intranet")):
        return f"{reference.registry} is a private name"
    owners = {registry.owner for registry in (*project.registries, *project.declared)}
    owner, slash, name = reference.repository.rpartition("/")
    if not reference.registry and (not slash or owner in owners):
        return _misspelt(name, project.images, _ALIKE if slash else _VERY_ALIKE)
    return ""


def _misspelt(name: str, images: Collection[str], cutoff: float) -> str:
    if name in images:
        return ""
    alike = difflib.get_close_matches(name, images, n=1, cutoff=cutoff)
    return f"it is nearly called like the image {alike[0]}" if alike else ""


def _said(instruction: Instruction, dockerfile: Dockerfile) -> Iterator[Finding]:
    """Yields what one instruction says."""
    place = dockerfile.place(instruction.line)
    if instruction.keyword == "HEALTHCHECK" and (why := health.cannot_fail(_command(instruction))):
        yield Finding(health.RULE, f"this health check cannot fail: {why}", place)
    if instruction.keyword in {"ARG", "ENV"}:
        for name, value in instruction.pairs():
            if why := credentials.looks(name, (value or "").strip("\"'")):
                where = "the image's history" if instruction.keyword == "ARG" else "the image's environment"
                detail = (
                    f"{instruction.keyword} {name} looks like a credential ({why}) and will be in {where}. "
                    "Mount it as a secret instead: RUN --mount=type=secret,id=…"
                )
                yield Finding(credentials.RULE, detail, place)


def _command(instruction: Instruction) -> str:
    """Returns the shell line of a health check; of one that no shell runs, its words."""
    _, *words = instruction.arguments
    if instruction.exec_form and "-c" in words[:-1] and words[0].rpartition("/")[2] in {"sh", "bash", "ash"}:
        return words[words.index("-c") + 1]
    return " ".join(words)
