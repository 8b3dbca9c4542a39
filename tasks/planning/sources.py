"""What a target of a Dockerfile stands on: the stages it reaches, and every reference to something outside.

It knows names only: whether a reference is a sibling, a base or missing is for others to say. What BuildKit
refuses (a stage copied from before it is made, a variable in COPY --from) is refused here too, with the line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ..errors import ConfigError, available, nearest
from .dockerfile import Dockerfile, Instruction, Stage, targets
from .familiar import familiar
from .meanings import mount_fields
from .platforms import Platform
from .scopes import base_of, executed, global_scope, platform_of

Kind = Literal["FROM", "COPY --from", "RUN --mount"]

# BuildKit looks these up among the stages, never among named contexts.
_NEVER_REPLACED = frozenset({"scratch", "context"})


@dataclass(frozen=True, slots=True)
class Source:
    """One reference from a Dockerfile to something outside it."""

    reference: str
    """As BuildKit asks for it: expanded, otherwise as written."""
    kind: Kind
    stage: str
    """The label of the stage that refers to it."""
    line: int
    platform: str
    """The platform it is wanted for: the build's, or the one that FROM --platform names."""
    written: str = ""
    """As the Dockerfile has it, variables unexpanded."""
    context: str | None = None
    """The named context that takes its place (then `reference` may be the name of a stage), or None."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A reference before it is known to be outside or a stage."""

    kind: Kind
    reference: str
    line: int
    stage: Stage | None
    written: str


def sources(
    dockerfile: Dockerfile,
    target: str | None,
    args: Mapping[str, str],
    platform: str,
    build_platform: str,
    contexts: Collection[str] = (),
) -> tuple[Source, ...]:
    """Returns every reference to something outside that `target` (None: the last stage) reaches, in file order.

    `contexts` are the names of bake's named contexts, in familiar form; one that has a stage's name takes the
    stage's place, and nothing that stage refers to is reached through it (BuildKit 0.13 still looks up the
    images it names, and uses none of them). `scratch` is nothing. Raises ConfigError for an unknown target
    and for what BuildKit refuses.
    """
    return reach(dockerfile, target, args, platform, build_platform, contexts)[1]


def reached(
    dockerfile: Dockerfile,
    target: str | None,
    args: Mapping[str, str],
    platform: str,
    build_platform: str,
    contexts: Collection[str] = (),
) -> tuple[Stage, ...]:
    """Returns the stages that `target` is built from, itself included, in file order. Raises as `sources`."""
    return reach(dockerfile, target, args, platform, build_platform, contexts)[0]


def reach(
    dockerfile: Dockerfile,
    target: str | None,
    args: Mapping[str, str],
    platform: str,
    build_platform: str,
    contexts: Collection[str],
) -> tuple[tuple[Stage, ...], tuple[Source, ...]]:
    """Returns both at once: the stages, and what they refer to outside. Raises as `sources`."""
    start = _target(dockerfile, target)
    contexts = {name for name in contexts if name.lower() not in _NEVER_REPLACED}
    scope = global_scope(dockerfile, target, args, platform, build_platform)
    wanted = str(Platform.parse(platform, build_platform))
    # BuildKit looks at every stage, reached or not, so a fault in any of them fails the build.
    links = [list(_links(dockerfile, stage, scope, contexts)) for stage in dockerfile.stages]
    platforms = [platform_of(dockerfile, stage, scope, wanted) for stage in dockerfile.stages]
    if start.name in contexts:
        return (), (Source(start.name, "FROM", start.label, start.line, wanted, start.base, start.name),)
    stages: dict[int, Stage] = {}
    found: dict[int, list[Source]] = {}
    waiting = [start]
    while waiting:
        stage = waiting.pop()
        if stage.index in stages:
            continue
        stages[stage.index] = stage
        found[stage.index] = []
        for link in links[stage.index]:
            name = link.stage.name if link.stage else familiar(link.reference)
            context = name if name in contexts else None
            if link.stage and not context:
                if link.stage.index > stage.index:
                    raise ConfigError(_misplaced(dockerfile, stage, link, "a stage that comes later"))
                waiting.append(link.stage)
            elif context or link.reference != "scratch":
                asked = platforms[stage.index] if link.kind == "FROM" else wanted
                found[stage.index].append(
                    Source(link.reference, link.kind, stage.label, link.line, asked, link.written, context)
                )
    in_order = sorted(stages)
    return tuple(stages[i] for i in in_order), tuple(source for i in in_order for source in found[i])


def _target(dockerfile: Dockerfile, target: str | None) -> Stage:
    if not target:
        return dockerfile.stages[-1]
    stage = dockerfile.named(target.lower())
    if stage is None:
        known = targets(dockerfile)
        hint = nearest(target.lower(), known)
        raise ConfigError(f'{dockerfile.where}: no target "{target}"{hint}. {available("targets", known)}')
    return stage


def _links(
    dockerfile: Dockerfile, stage: Stage, scope: Mapping[str, str], contexts: Collection[str]
) -> Iterator[_Link]:
    base = base_of(dockerfile, stage, scope)
    link = _link(dockerfile, "FROM", base, stage.line, dockerfile.named(base, before=stage.index))
    yield replace(link, written=stage.base)
    for instruction in executed(dockerfile, stage, scope, contexts):
        for link in (*_copied(dockerfile, instruction), *_mounted(dockerfile, instruction)):
            if link.stage is stage:
                raise ConfigError(_misplaced(dockerfile, stage, link, "itself"))
            yield link


def _copied(dockerfile: Dockerfile, instruction: Instruction) -> Iterator[_Link]:
    name = instruction.flag("from")
    if instruction.keyword != "COPY" or not name:
        return
    if "$" in name:
        raise ConfigError(_no_variables(dockerfile, instruction.line, f"COPY --from={name}", name))
    if not re.fullmatch(r"[+-]?[0-9]+", name):
        stage = dockerfile.named(name.lower())
    elif 0 <= int(name) < len(dockerfile.stages):
        stage = dockerfile.stages[int(name)]
    else:
        last = len(dockerfile.stages) - 1
        place = dockerfile.place(instruction.line)
        raise ConfigError(f"{place}: COPY --from={name}: there is no such stage; they count from 0 to {last}")
    yield _link(dockerfile, "COPY --from", name, instruction.line, stage)


def _mounted(dockerfile: Dockerfile, instruction: Instruction) -> Iterator[_Link]:
    for mount in instruction.flag_values("mount") if instruction.keyword == "RUN" else ():
        # A number is an image's name here, unlike in COPY --from.
        name = mount_fields(mount).get("from", "")
        if re.search(r"\$.", name):
            raise ConfigError(_no_variables(dockerfile, instruction.line, f"RUN --mount={mount}", name))
        if name:
            stage = dockerfile.named(name.lower())
            yield _link(dockerfile, "RUN --mount", name, instruction.line, stage)


def _no_variables(dockerfile: Dockerfile, line: int, written: str, name: str) -> str:
    remedy = f"name it before with FROM {name} AS … and use that name"
    return f"{dockerfile.place(line)}: {written}: variables are not expanded here; {remedy}"


def _link(dockerfile: Dockerfile, kind: Kind, name: str, line: int, stage: Stage | None) -> _Link:
    if stage is None:
        try:
            familiar(name)
        except ValueError as wrong:
            hint = nearest(name.lower(), targets(dockerfile))
            message = f"{dockerfile.place(line)}: {kind} {name}: {wrong}, and no stage has that name{hint}"
            raise ConfigError(message) from None
    return _Link(kind, name, line, stage, name)


def _misplaced(dockerfile: Dockerfile, stage: Stage, link: _Link, what: str) -> str:
    place = dockerfile.place(link.line)
    return f"{place}: {link.kind} {link.reference}: {stage.label} cannot stand on {what}"
