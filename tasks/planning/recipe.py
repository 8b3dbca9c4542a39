"""Everything that goes into one image on one platform, as far as its Dockerfile tells. Pure.

It reads no content: which files a context really holds, which digest a base has and which address a sibling
has are looked up by others and joined in address.py. What is not understood widens a recipe to the whole
context, with a note; it never narrows it: rebuilding once too often is a nuisance, a stale image is a lie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..config.dockerfiles import is_remote
from .dockerfile import Dockerfile, Instruction
from .familiar import familiar
from .meanings import DOCKER_IMAGE, TARGET, Meanings, is_folder
from .mounts import given, mounted
from .plan import PlannedImage
from .scopes import base_of, declared, global_scope, platform_of, unknown_after, visible
from .sources import Source, reach
from .taking import MAIN, Taken, Takings

_DOCKERS = re.compile(r"(docker\.io/)?docker/dockerfile(-upstream)?([:@]\S*)?")
"""Frontends that read Dockerfiles as we do."""
FORWARDED = ("SOURCE_DATE_EPOCH",)
"""What of the caller's environment buildx hands on to BuildKit."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The inputs of one image on one platform.

    `fixed` are the inputs known already, by a name that stays the same between runs ("argument VERSION").
    `siblings` and `bases` are (image or reference, platform). `barrier` says why no address can stand for
    the result ("" if one can); `notes` say what an address leaves out or takes whole. `askable` (by the names
    of inputs) and `folders` (named contexts) are all that ONBUILD triggers of what it stands on could ask for.
    """

    image: str
    platform: str
    fixed: Mapping[str, str]
    taken: tuple[Taken, ...] = ()
    siblings: tuple[tuple[str, str], ...] = ()
    bases: tuple[tuple[str, str], ...] = ()
    barrier: str = ""
    notes: tuple[str, ...] = ()
    askable: Mapping[str, str] = field(default_factory=dict, compare=False)
    folders: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    fixed: dict[str, str] = field(default_factory=dict)
    takings: Takings = field(default_factory=Takings)
    siblings: dict[tuple[str, str], None] = field(default_factory=dict)
    bases: dict[tuple[str, str], None] = field(default_factory=dict)
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
    if any("type=inline" in cache for cache in image.cache_to):
        found.fixed["cache inline"] = "in the image's configuration"
    # A RUN can tell whether a secret is there; what it holds is never looked at.
    provided = given(image)
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
        unknown: set[str] | None = None
        for number, (instruction, variables) in enumerate(walk):
            if unknown is None:
                # What the environment of the base has no one knows, and at a FROM it takes the place of an ARG below.
                unknown = set(variables)
            label = f"{dockerfile.where}, stage {labels[-1]}, instruction {number + 1}"
            found.fixed[label] = meanings.told(instruction)
            _arguments(dockerfile, instruction, variables, scope, image.args, found)
            known = {name: value for name, value in variables.items() if name not in unknown}
            found.fixed |= {" ".join(one): "given" for one in mounted(instruction, provided)}
            found.takings.add(meanings, instruction, known)
            unknown = unknown_after(dockerfile, instruction, unknown, variables, scope, image.args)
    for name, values in found.arguments.items():
        if set(values) != {None}:
            [*several] = dict.fromkeys(values)
            found.fixed[f"argument {name}"] = (
                str(values[0]) if len(several) == 1 else f"by stage {json.dumps(values)}"
            )
    found.fixed |= {f"argument {key}": value for key, value in steering.items()}
    frontend = image.args.get("BUILDKIT_SYNTAX") or dockerfile.directives.get("syntax", "")
    if frontend and not _DOCKERS.fullmatch(frontend):
        folders = [name for name in context_names if is_folder(image, name)]
        found.takings.taken |= dict.fromkeys(Taken(name) for name in (MAIN, *folders))
        found.takings.notes[f"the frontend {frontend} is not understood: the whole context counts"] = None
        found.fixed |= {f"argument {key}": value for key, value in image.args.items()}
        found.fixed |= {f"text of {dockerfile.where}": dockerfile.text, "target": image.target}
    return Recipe(
        image=image.name,
        platform=platform,
        fixed=found.fixed,
        taken=tuple(found.takings.taken),
        siblings=tuple(found.siblings),
        bases=tuple(found.bases),
        barrier="; ".join(found.takings.barriers),
        notes=tuple(found.takings.notes),
        askable={
            **{f"argument {name}": value for name, value in {**scope, **image.args}.items()},
            **{" ".join(one): "given" for one in provided},
        },
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
            found.takings.barriers[
                f"context {source.context} is {value}, whose content no one here can know"
            ] = None
        elif source.kind == "FROM":
            found.takings.taken[Taken(source.context)] = None
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
            value = declared(dockerfile, instruction.line, default, variables)
        if value is None:
            value = scope.get(name)
        found.arguments.setdefault(name, []).append(value)
