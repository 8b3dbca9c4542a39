"""Which variables an instruction sees: global ARGs, platform arguments, a stage's own ARG and ENV.

It knows which scope belongs where, not what the values are for. The rules are BuildKit's: FROM sees only the
ARGs before the first FROM; a stage sees what it declares, and all that the stages it stands on saw.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ..errors import ConfigError
from .dockerfile import Dockerfile, Instruction, Stage
from .platforms import Platform
from .words import ExpansionError, expand, names


def global_scope(
    dockerfile: Dockerfile, target: str | None, args: Mapping[str, str], platform: str, build_platform: str
) -> dict[str, str]:
    """Returns what FROM sees: the platform arguments and the global ARGs, both overridden by `args`.

    `build_platform` is the engine's own. Raises ConfigError for a default that cannot be expanded.
    """
    last = dockerfile.stages[-1].name
    scope = _automatic(platform, build_platform, target or last)
    scope |= {name: args[name] for name in scope if name in args}
    for instruction in dockerfile.globals:
        for name, value in instruction.pairs():
            if name in args:
                scope[name] = args[name]
            elif value is not None:
                scope[name] = expanded(dockerfile, instruction.line, value, scope)
    return scope


def base_of(dockerfile: Dockerfile, stage: Stage, scope: Mapping[str, str]) -> str:
    """Returns what a stage's FROM names, expanded by the global scope. Raises ConfigError if that is empty."""
    base = expanded(dockerfile, stage.line, stage.base, scope)
    if base:
        return base
    declared = {name for instruction in dockerfile.globals for name, _ in instruction.pairs()}
    reasons = [
        f"ARG {name} has no value: give it a default, or a value in args"
        if name in declared
        else f"ARG {name} is not declared before the first FROM, and FROM sees no other"
        for name in dict.fromkeys(names(stage.base))
        if not scope.get(name)
    ]
    because = f": {'; '.join(reasons)}" if reasons else ""
    raise ConfigError(f"{dockerfile.place(stage.line)}: FROM {stage.base} names nothing{because}")


def platform_of(dockerfile: Dockerfile, stage: Stage, scope: Mapping[str, str], default: str) -> str:
    """Returns the platform that a stage's FROM asks for: its --platform, expanded, or `default`."""
    if not stage.platform:
        return default
    text = expanded(dockerfile, stage.line, stage.platform, scope)
    try:
        return str(Platform.parse(text, scope["BUILDPLATFORM"]))
    except ConfigError as wrong:
        raise ConfigError(f"{dockerfile.place(stage.line)}: --platform={stage.platform}: {wrong}") from None


def expanded(dockerfile: Dockerfile, line: int, word: str, scope: Mapping[str, str]) -> str:
    """Returns `word` expanded by the Dockerfile's rules. Raises ConfigError with the line."""
    try:
        return expand(word, scope, dockerfile.escape)
    except ExpansionError as wrong:
        raise ConfigError(f"{dockerfile.place(line)}: cannot expand {word}: {wrong}") from None


def declared(dockerfile: Dockerfile, line: int, word: str, scope: Mapping[str, str]) -> str:
    """Returns the value of an ENV or ARG, expanded; "" where it needs a variable that only the base may have.

    What `${X:?}` comes to is known to the base alone then, and BuildKit says it. Raises ConfigError with the line.
    """
    try:
        return expanded(dockerfile, line, word, scope)
    except ConfigError:
        if set(names(word)) <= set(scope):
            raise
        return ""


def executed(
    dockerfile: Dockerfile, stage: Stage, scope: Mapping[str, str], contexts: Collection[str] = ()
) -> tuple[Instruction, ...]:
    """Returns what runs in a stage: the ONBUILD triggers of the earlier stage it stands on, then its own.

    `contexts` are the named contexts; a stage that one of them replaces leaves nothing to those above it.
    """
    base = _below(dockerfile, stage, scope, contexts)
    triggers = (instruction.trigger for instruction in base.instructions) if base else ()
    return (*(trigger for trigger in triggers if trigger), *stage.instructions)


def visible(
    dockerfile: Dockerfile,
    stage: Stage,
    scope: Mapping[str, str],
    args: Mapping[str, str],
    contexts: Collection[str] = (),
    base_env: Mapping[str, str] | None = None,
) -> Iterator[tuple[Instruction, Mapping[str, str]]]:
    """Yields what runs in a stage, each instruction with the variables it sees.

    `scope` is the global scope, `base_env` the environment of the outside image below (which no Dockerfile
    tells: what is not given counts as unset). Raises ConfigError for what cannot be expanded.
    """
    build = _Build(dockerfile, scope, args, contexts, base_env or {})
    variables, environment = build.inherited(stage)
    for instruction in executed(dockerfile, stage, scope, contexts):
        yield instruction, dict(variables)
        build.declare(instruction, variables, environment)


def unknown_after(
    dockerfile: Dockerfile,
    instruction: Instruction,
    unknown: Collection[str],
    seen: Mapping[str, str],
    scope: Mapping[str, str],
    args: Mapping[str, str],
) -> set[str]:
    """Returns the variables whose values no one here knows once an instruction has run.

    It sees the variables `seen`; of these, `unknown` are those so far. What is made of an unknown variable, or of
    one that only the base may have, is unknown too.
    """
    found = set(unknown)
    known = set(seen) - found
    for written, value in instruction.pairs() if instruction.keyword in {"ARG", "ENV"} else ():
        name, given = written, False
        if instruction.keyword == "ENV":
            name = expanded(dockerfile, instruction.line, written, seen)
            if not known.issuperset(names(written)):
                return {*found, *seen, name}  # it may be any of them that is set
        else:
            given = name in args or (value is None and name in scope)
        if given or (value is not None and known.issuperset(names(value))):
            found.discard(name)
        elif value is not None:
            found.add(name)
        if instruction.keyword == "ARG":
            # Unlike an ENV's, its next value sees it.
            known = (known | {name}) - found if given or value is not None else known
    return found


def _below(
    dockerfile: Dockerfile, stage: Stage, scope: Mapping[str, str], contexts: Collection[str]
) -> Stage | None:
    base = dockerfile.named(base_of(dockerfile, stage, scope), before=stage.index)
    return base if base and base.name not in contexts else None


def _automatic(platform: str, build_platform: str, target: str) -> dict[str, str]:
    scope: dict[str, str] = {"TARGETSTAGE": target or "default"}
    for prefix, text in (("TARGET", platform), ("BUILD", build_platform)):
        named = Platform.parse(text, build_platform)
        scope |= {
            f"{prefix}PLATFORM": str(named),
            f"{prefix}OS": named.os,
            f"{prefix}OSVERSION": "",
            f"{prefix}ARCH": named.arch,
            f"{prefix}VARIANT": named.variant,
        }
    return scope


@dataclass(frozen=True, slots=True)
class _Build:
    """What all stages of one build have in common."""

    dockerfile: Dockerfile
    scope: Mapping[str, str]
    args: Mapping[str, str]
    contexts: Collection[str]
    base_env: Mapping[str, str]

    def inherited(self, stage: Stage) -> tuple[dict[str, str], dict[str, str]]:
        """Returns (the variables a stage begins with, those of them that are the image's environment)."""
        base = _below(self.dockerfile, stage, self.scope, self.contexts)
        if base is None:
            return dict(self.base_env), dict(self.base_env)
        variables, environment = self.inherited(base)
        for instruction in executed(self.dockerfile, base, self.scope, self.contexts):
            self.declare(instruction, variables, environment)
        # An ARG goes on to be seen, but ENV has the last word at every FROM.
        return variables | environment, environment

    def declare(
        self, instruction: Instruction, variables: dict[str, str], environment: dict[str, str]
    ) -> None:
        """Adds what an ENV or ARG declares."""

        def full(word: str, seen: Mapping[str, str]) -> str:
            return declared(self.dockerfile, instruction.line, word, seen)

        if instruction.keyword == "ENV":
            seen = dict(variables)
            pairs = {full(name, seen): full(value or "", seen) for name, value in instruction.pairs()}
            variables.update(pairs)
            environment.update(pairs)
        elif instruction.keyword == "ARG":
            for name, default in instruction.pairs():
                if name in self.args:
                    variables[name] = self.args[name]
                elif default is not None:
                    variables[name] = full(default, variables)
                elif name in self.scope:
                    variables[name] = self.scope[name]
