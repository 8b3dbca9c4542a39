"""Everything that goes into one image on one platform, as far as its Dockerfile tells. Pure.

It reads no content: which files a context really holds, which digest a base has and which address a sibling
has are looked up by others and joined in address.py. What is not understood widens a recipe to the whole
context, with a note; it never narrows it: rebuilding once too often is a nuisance, a stale image is a lie.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..config.dockerfiles import is_remote
from .dockerfile import Dockerfile, Instruction
from .familiar import familiar
from .meanings import DOCKER_IMAGE, TARGET, Meanings, is_folder, mount_fields
from .plan import PlannedImage
from .scopes import base_of, expanded, global_scope, platform_of, said_anew, visible
from .sources import Source, reach
from .words import names

MAIN = ""
"""The name of the main context among contexts."""
FORWARDED = ("SOURCE_DATE_EPOCH",)
"""What of the caller's environment buildx hands on to BuildKit."""


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
    the result ("" if one can); `notes` say what an address leaves out or takes whole. `arguments` and
    `folders` (named contexts) are all that ONBUILD triggers of what it stands on could ask for.
    """

    image: str
    platform: str
    fixed: Mapping[str, str]
    taken: tuple[Taken, ...] = ()
    siblings: tuple[tuple[str, str], ...] = ()
    bases: tuple[tuple[str, str], ...] = ()
    barrier: str = ""
    notes: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict, compare=False)
    folders: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    fixed: dict[str, str] = field(default_factory=dict)
    taken: dict[Taken, None] = field(default_factory=dict)
    siblings: dict[tuple[str, str], None] = field(default_factory=dict)
    bases: dict[tuple[str, str], None] = field(default_factory=dict)
    barriers: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    arguments: dict[str, list[str | None]] = field(default_factory=dict)
    """What each stage that declares it has for a name; None where it is unset."""


def recipe(
    image: PlannedImage,
    dockerfile: Dockerfile,
    platform: str,
    build_platform: str,
    environ: Mapping[str, str],
) -> Recipe:
    """Returns the recipe. `environ` is what of the caller's environment reaches BuildKit (SOURCE_DATE_EPOCH)."""
    found = _Found()
    target = image.target or None
    context_names = tuple(image.contexts)
    scope = global_scope(dockerfile, target, image.args, platform, build_platform)
    stages, outside = reach(dockerfile, target, image.args, platform, build_platform, context_names)
    found.fixed |= {f"label {key}": value for key, value in image.labels.items()}
    found.fixed |= {f"environment {key}": value for key, value in environ.items()}
    # These steer BuildKit itself, declared or not: https://docs.docker.com/reference/dockerfile/#buildkit-built-in-build-args
    steering = {
        key: value for key, value in image.args.items() if key.startswith("BUILDKIT_") or key in FORWARDED
    }
    # One text means two things under two escapes; without the directive it is a backslash.
    directives = {"escape": dockerfile.escape.strip("\\"), "syntax": dockerfile.directives.get("syntax", "")}
    found.fixed |= {f"directive {key}": value for key, value in directives.items() if value}
    found.fixed["platform"] = platform
    for source in outside:
        _outside(image, source, found)
    meanings = Meanings(image, dockerfile, stages)
    labels: list[str] = []
    for order, stage in enumerate(stages):
        base = meanings.base(stage, base_of(dockerfile, stage, scope))
        found.fixed[f"stage {order}"] = f"for {platform_of(dockerfile, stage, scope, platform)} on {base}"
        # Two stages may bear one name.
        labels.append(f"{stage.label} ({order})" if stage.label in labels else stage.label)
        walk = visible(dockerfile, stage, scope, image.args, context_names)
        inherited: set[str] | None = None
        for number, (instruction, variables) in enumerate(walk):
            if inherited is None:
                inherited = set(variables)
            label = f"{dockerfile.where}, stage {labels[-1]}, instruction {number + 1}"
            found.fixed[label] = meanings.told(instruction)
            _arguments(dockerfile, instruction, variables, scope, image.args, found)
            # What the environment of the base has is unknown, and at a FROM it takes the place of an ARG from below.
            known = {name: value for name, value in variables.items() if name not in inherited}
            _contents(meanings, instruction, known, found)
            inherited -= said_anew(instruction, scope, image.args)
    for name, values in found.arguments.items():
        if set(values) != {None}:
            [*several] = dict.fromkeys(values)
            found.fixed[f"argument {name}"] = (
                str(values[0]) if len(several) == 1 else f"by stage {json.dumps(values)}"
            )
    found.fixed |= {f"argument {key}": value for key, value in steering.items()}
    return Recipe(
        image=image.name,
        platform=platform,
        fixed=found.fixed,
        taken=tuple(found.taken),
        siblings=tuple(found.siblings),
        bases=tuple(found.bases),
        barrier="; ".join(found.barriers),
        notes=tuple(found.notes),
        arguments={**scope, **image.args},
        folders=tuple(name for name in context_names if is_folder(image, name)),
    )


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
        found.fixed.setdefault(f"target {source.stage}", f"context {source.context}")
        return
    key = familiar(source.reference)
    for need in image.needs:
        if need.key == key:
            found.siblings[need.image, source.platform] = None
            return
    found.bases[image.mirror.get(key, source.reference), source.platform] = None


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
        found.arguments.setdefault(name, []).append(value)


def _contents(
    meanings: Meanings, instruction: Instruction, variables: Mapping[str, str], found: _Found
) -> None:
    """What an instruction takes from contexts."""
    dockerfile = meanings.dockerfile
    if instruction.keyword in {"COPY", "ADD"}:
        name = instruction.flag("from")
        context = meanings.folder(name, counted=True) if name else MAIN
        if context is None:
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
            _mounted(meanings, mount, found)


def _paths(
    dockerfile: Dockerfile, instruction: Instruction, variables: Mapping[str, str], place: str, found: _Found
) -> Iterator[str | None]:
    """Yields the context paths of a COPY or ADD; None for one that holds a variable nobody here knows."""
    for word in instruction.arguments[:-1]:
        if word.startswith("<<") and not instruction.exec_form:
            continue
        if any(name not in variables for name in names(word)):
            yield None
            continue
        path = expanded(dockerfile, instruction.line, word, variables)
        if instruction.keyword == "ADD" and (is_remote(path) or path.endswith(".git")):
            if instruction.flag("checksum") is None:
                found.barriers[f"{place}: ADD {path} has no --checksum, so its content cannot be known"] = (
                    None
                )
            continue
        yield path


def _mounted(meanings: Meanings, mount: str, found: _Found) -> None:
    fields = mount_fields(mount)
    kind, name = fields.get("type", "bind").lower(), fields.get("from", "")
    if kind == "secret":
        known = fields.get("id") or fields.get("source") or "?"
        found.notes[f"the content of secret {known} is no part of the address"] = None
    # A cache begins as what it is given `from`.
    if kind != "bind" and not (kind == "cache" and name):
        return
    context = meanings.folder(name) if name else MAIN
    if context is not None:
        path = fields.get("source")
        # A variable in a mount is expanded by newer frontends only: the whole context covers either.
        paths = (path,) if path and "$" not in path else None
        found.taken[Taken(context, paths, mounted=True)] = None
