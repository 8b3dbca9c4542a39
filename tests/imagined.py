"""A builder that runs nothing: what an image would be, by what Argosy's reader says of its Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tasks.planning.dockerfile import Dockerfile, Instruction, read
from tasks.planning.scopes import expanded, global_scope, visible
from tasks.planning.sources import reached
from tasks.planning.words import expand
from tests.buildkit import PLATFORM, Case, Image


def imagined(case: Case) -> Image:
    """The image as the reader understands the Dockerfile."""
    dockerfile = read(case.text, "Dockerfile")
    scope = global_scope(dockerfile, case.target, case.args, case.platform, PLATFORM)
    images: dict[str, Image] = {}
    stages = reached(dockerfile, case.target, case.args, case.platform, PLATFORM, case.contexts)
    for stage in stages:
        base = dockerfile.named(expand(stage.base, scope, dockerfile.escape), before=stage.index)
        image = images[str(base.index)].copy() if base and base.name not in case.contexts else Image()
        image.config.pop("OnBuild", None)
        images[stage.label] = images[str(stage.index)] = image
        for instruction, variables in visible(dockerfile, stage, scope, case.args, case.contexts):
            apply(image, instruction, variables, dockerfile, images)
    return images[str(stages[-1].index)]


def apply(  # noqa: C901, PLR0912 - a builder has a branch for every instruction
    image: Image,
    instruction: Instruction,
    variables: Mapping[str, str],
    dockerfile: Dockerfile,
    images: Mapping[str, Image],
) -> None:
    config, words = image.config, instruction.arguments

    def full(word: str) -> str:
        return expanded(dockerfile, instruction.line, word, variables)

    shell = config.get("Shell", ["/bin/sh", "-c"])
    command = list(words) if instruction.exec_form else [*shell, " ".join(words)]
    match instruction.keyword:
        case "ENV":
            image.env |= {full(name): full(value or "") for name, value in instruction.pairs()}
        case "LABEL":
            labels = {full(name): full(value or "") for name, value in instruction.pairs()}
            config["Labels"] = config.get("Labels", {}) | labels
        case "WORKDIR":
            config["WorkingDir"] = full(words[0])
        case "USER":
            config["User"] = full(words[0])
        case "STOPSIGNAL":
            config["StopSignal"] = full(words[0])
        case "EXPOSE":
            ports = [port if "/" in port else f"{port}/tcp" for port in map(full, words)]
            config["ExposedPorts"] = {port: {} for port in ports}
        case "VOLUME":
            config["Volumes"] = {full(word): {} for word in words}
        case "SHELL":
            config["Shell"] = list(words)
        case "CMD":
            config["Cmd"] = command
        case "ENTRYPOINT":
            config["Entrypoint"] = command
        case "ONBUILD":
            config.setdefault("OnBuild", []).append(instruction.text.removeprefix("ONBUILD "))
        case "HEALTHCHECK":
            kind = "CMD-SHELL" if words[0] == "CMD" and not instruction.exec_form else words[0]
            config["Healthcheck"] = [kind, *words[1:]]
        case "COPY" | "ADD":
            *origins, destination = map(full, words)
            place = destination.rstrip("/")
            source = images.get((instruction.flag("from") or "").lower().lstrip("+"))
            if source:
                image.files[place] = source.files[origins[0]]
            for heredoc in instruction.heredocs:
                body = expand(heredoc.text, variables, quotes=False) if heredoc.expand else heredoc.text
                image.files[f"{place}/{heredoc.name}" if destination.endswith("/") else place] = body


def history(case: Case) -> Iterator[str]:
    """What the history of the last stage says of its RUNs, as the reader understands them."""
    dockerfile = read(case.text, "Dockerfile")
    scope = global_scope(dockerfile, None, case.args, case.platform, PLATFORM)
    declared: dict[str, None] = {}
    for instruction, variables in visible(dockerfile, dockerfile.stages[-1], scope, case.args):
        if instruction.keyword == "ARG":
            declared |= dict.fromkeys(name for name, _ in instruction.pairs())
        if instruction.keyword != "RUN":
            continue
        seen = [f"{name}={variables.get(name, '')}" for name in declared]
        counted = [f"|{len(seen)}", *seen] if seen else []
        command = instruction.arguments if instruction.exec_form else ("/bin/sh", "-c", script(instruction))
        yield " ".join(["RUN", *counted, *command, "# buildkit"])


def script(instruction: Instruction) -> str:
    """What the shell is given; BuildKit runs the body of a lone heredoc as it is."""
    text = "".join(instruction.arguments)
    if re.fullmatch(r"\d*<<-?[^<]+", text):
        [heredoc] = instruction.heredocs
        return f"/dev/pipes/{heredoc.name}" if heredoc.text.startswith("#!") else heredoc.text
    return "\n".join([text, *(heredoc.content + heredoc.name for heredoc in instruction.heredocs)])
