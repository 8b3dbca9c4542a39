"""Everything that goes into one image on one platform, as far as its Dockerfile tells. Pure.

It reads no content: which files a context really holds, which digest a base has and which address a sibling
has are looked up by others and joined in address.py. What is not understood widens a recipe to the whole
context, with a note; it never narrows it: rebuilding once too often is a nuisance, a stale image is a lie.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..config.dockerfiles import is_remote
from .dockerfile import Dockerfile, Instruction, Stage
from .familiar import familiar
from .plan import PlannedImage
from .scopes import expanded, global_scope, platform_of, visible
from .sources import Source, reached, sources
from .words import names

MAIN = ""
"""The name of the main context among contexts."""
FORWARDED = ("SOURCE_DATE_EPOCH",)
"""What of the caller's environment buildx hands on to BuildKit."""
TARGET, DOCKER_IMAGE = "target:", "docker-image://"


@dataclass(frozen=True, slots=True)
class Taken:
    """What an instruction takes from a context: these paths, or (None) all of it.

    `flags` are the names of a COPY's flags; a bind mount has none and is `mounted`.
    """

    context: str
    paths: tuple[str, ...] | None = None
    flags: tuple[str, ...] = ()
    mounted: bool = False

    @property
    def label(self) -> str:
        """The name this has among an image's inputs."""
        what = "everything" if self.paths is None else " ".join(self.paths)
        return f"{what} of context {self.context}" if self.context else what


@dataclass(frozen=True, slots=True)
class Recipe:
    """The inputs of one image on one platform.

    `fixed` are the inputs known already, by a name that stays the same between runs ("argument VERSION").
    `siblings` and `bases` are (image or reference, platform). `barrier` says why no address can stand for
    the result ("" if one can); `notes` say what an address leaves out or takes whole.
    """

    image: str
    platform: str
    fixed: Mapping[str, str]
    taken: tuple[Taken, ...] = ()
    siblings: tuple[tuple[str, str], ...] = ()
    bases: tuple[tuple[str, str], ...] = ()
    barrier: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    fixed: dict[str, str] = field(default_factory=dict)
    taken: dict[Taken, None] = field(default_factory=dict)
    siblings: dict[tuple[str, str], None] = field(default_factory=dict)
    bases: dict[tuple[str, str], None] = field(default_factory=dict)
    barriers: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


def recipe(
    image: PlannedImage, dockerfile: Dockerfile, platform: str, build_platform: str, environ: Mapping[str, str]
) -> Recipe:
    """Returns the recipe. `environ` is what of the caller's environment reaches BuildKit (SOURCE_DATE_EPOCH)."""
    found = _Found()
    target = image.target or None
    context_names = tuple(image.contexts)
    scope = global_scope(dockerfile, target, image.args, platform, build_platform)
    stages = reached(dockerfile, target, image.args, platform, build_platform, context_names)
    found.fixed |= {f"label {key}": value for key, value in image.labels.items()}
    found.fixed |= {f"environment {key}": value for key, value in environ.items()}
    # These steer BuildKit itself, declared or not: https://docs.docker.com/reference/dockerfile/#buildkit-built-in-build-args
    found.fixed |= {f"argument {key}": value for key, value in image.args.items() if key.startswith("BUILDKIT_")}
    found.fixed |= {f"directive {key}": value for key, value in dockerfile.directives.items() if key == "syntax"}
    found.fixed["platform"] = platform
    for source in sources(dockerfile, target, image.args, platform, build_platform, context_names):
        _outside(image, source, found)
    for order, stage in enumerate(stages):
        found.fixed[f"stage {order}"] = f"for {platform_of(dockerfile, stage, scope, platform)}"
        walk = visible(dockerfile, stage, scope, image.args, context_names)
        for number, (instruction, variables) in enumerate(walk):
            label = f"{dockerfile.where}, stage {stage.label}, instruction {number + 1}"
            found.fixed[label] = _FROM_REFERENCE.sub(r"\1…", instruction.text)
            _arguments(dockerfile, instruction, variables, scope, image.args, found)
            _contents(image, dockerfile, instruction, variables, found)
        _base(dockerfile, stages, order, stage, found)
    return Recipe(
        image=image.name,
        platform=platform,
        fixed=found.fixed,
        taken=tuple(found.taken),
        siblings=tuple(found.siblings),
        bases=tuple(found.bases),
        barrier="; ".join(found.barriers),
        notes=tuple(found.notes),
    )


# What a COPY takes from a sibling or a base counts by address or digest, not by the name it is called.
_FROM_REFERENCE = re.compile(r"((?:--from=|[,=]from=))[^\s,]*[/:.][^\s,]*")


def _base(dockerfile: Dockerfile, stages: tuple[Stage, ...], order: int, stage: Stage, found: _Found) -> None:
    """Which earlier stage a stage stands on; an outside base counts by its digest."""
    below = dockerfile.named(stage.base.lower(), before=stage.index)
    if below in stages:
        found.fixed[f"stage {order}"] += f" on stage {stages.index(below)}"


def _outside(image: PlannedImage, source: Source, found: _Found) -> None:
    """Sorts one reference: a sibling, a base, or a context of the project's own."""
    if source.context is not None:
        value = image.contexts.get(source.context, "")
        if value.startswith(TARGET):
            found.siblings[value.removeprefix(TARGET), source.platform] = None
        elif value.startswith(DOCKER_IMAGE):
            found.bases[value.removeprefix(DOCKER_IMAGE), source.platform] = None
        elif is_remote(value):
            found.barriers[f"context {source.context} is {value}, whose content no one here can know"] = None
        elif source.kind == "FROM":
            found.taken[Taken(source.context)] = None
        found.fixed[f"{source.kind} {source.context}"] = "a named context"
        return
    key = familiar(source.reference)
    for need in image.needs:
        if need.key == key:
            found.siblings[need.image, source.platform] = None
            found.fixed.setdefault(f"{source.kind} in {source.stage}", f"sibling {need.image}")
            return
    found.bases[source.reference, source.platform] = None
    found.fixed.setdefault(f"{source.kind} in {source.stage}", "a base")


def _arguments(
    dockerfile: Dockerfile,
    instruction: Instruction,
    variables: Mapping[str, str],
    scope: Mapping[str, str],
    args: Mapping[str, str],
    found: _Found,
) -> None:
    """What a stage declares it can see; RUN sees it even where no text names it."""
    for name, default in instruction.pairs() if instruction.keyword == "ARG" else ():
        value = args.get(name)
        if value is None and default is not None:
            value = expanded(dockerfile, instruction.line, default, variables)
        if value is None:
            value = scope.get(name)
        known = found.fixed.get(f"argument {name}", value)
        # Two stages may give one name two defaults: both count.
        found.fixed[f"argument {name}"] = "unset" if value is None else value if known == value else f"{known}, {value}"


def _contents(
    image: PlannedImage,
    dockerfile: Dockerfile,
    instruction: Instruction,
    variables: Mapping[str, str],
    found: _Found,
) -> None:
    """What an instruction takes from contexts."""
    if instruction.keyword in {"COPY", "ADD"}:
        context = instruction.flag("from") or MAIN
        if context != MAIN and not _is_folder(image, context):
            return
        place = dockerfile.place(instruction.line)
        taken = list(_paths(dockerfile, instruction, variables, place, found))
        if None in taken:
            found.notes[f"{place}: a variable of the base image: the whole context counts"] = None
            found.taken[Taken(context)] = None
        elif taken:
            flags = tuple(sorted({name for name, _ in instruction.flags}))
            found.taken[Taken(context, tuple(path for path in taken if path is not None), flags)] = None
    elif instruction.keyword == "RUN":
        for mount in instruction.flag_values("mount"):
            _mounted(image, mount, found)
    if instruction.trigger is not None:
        found.fixed[f"ONBUILD {dockerfile.place(instruction.line)}"] = instruction.trigger.text


def _paths(
    dockerfile: Dockerfile, instruction: Instruction, variables: Mapping[str, str], place: str, found: _Found
) -> Iterator[str | None]:
    """Yields the context paths of a COPY or ADD; None for one that holds a variable nobody here knows."""
    for word in instruction.arguments[:-1]:
        if word.startswith("<<"):
            continue
        if any(name not in variables for name in names(word)):
            yield None
            continue
        path = expanded(dockerfile, instruction.line, word, variables)
        if instruction.keyword == "ADD" and (is_remote(path) or path.endswith(".git")):
            if instruction.flag("checksum") is None:
                found.barriers[f"{place}: ADD {path} has no --checksum, so its content cannot be known"] = None
            continue
        yield path


def _mounted(image: PlannedImage, mount: str, found: _Found) -> None:
    fields = {key.lower(): value for key, _, value in (f.partition("=") for f in next(csv.reader([mount]), []))}
    kind = fields.get("type", "bind")
    if kind == "secret":
        name = fields.get("id") or fields.get("source") or fields.get("src") or "?"
        found.notes[f"the content of secret {name} is no part of the address"] = None
    if kind != "bind":
        return
    context = fields.get("from", MAIN)
    if context == MAIN or _is_folder(image, context):
        path = fields.get("source") or fields.get("src")
        # A variable in a mount is expanded by newer frontends only: the whole context covers either.
        paths = (path,) if path and "$" not in path else None
        found.taken[Taken(context, paths, mounted=True)] = None


def _is_folder(image: PlannedImage, name: str) -> bool:
    """Tells a named context that is a folder of the project from a stage, an image or a URL."""
    value = image.contexts.get(name, "")
    return bool(value) and not is_remote(value) and not value.startswith((TARGET, DOCKER_IMAGE))
