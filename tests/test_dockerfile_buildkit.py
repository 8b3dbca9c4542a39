"""The Dockerfile reader against BuildKit itself: what one builds, refuses and asks for, the other must say.

The images built here come from scratch or busybox and are only written to files. What BuildKit understood
is read from the image: its configuration, its history and the files of its layers.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from tasks.errors import ConfigError
from tasks.planning.dockerfile import Dockerfile, Instruction, read
from tasks.planning.familiar import familiar
from tasks.planning.scopes import executed, global_scope, visible
from tasks.planning.sources import reached, sources
from tasks.planning.words import expand

pytestmark = pytest.mark.engine

PLATFORM = "linux/amd64"


class Engine(Protocol):
    """What the session's engine offers."""

    env: dict[str, str]
    registry: str


@dataclass(frozen=True)
class Case:
    """One Dockerfile and how it is built."""

    text: str
    args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    platform: str = PLATFORM
    contexts: Mapping[str, str] = field(default_factory=dict)


def fragment(body: str, **args: str) -> Case:
    """One stage from scratch."""
    return Case("FROM scratch\n" + body, args)


def shown(*names: str) -> str:
    """A COPY whose heredoc shows variables; from scratch nothing can run, but heredocs are expanded."""
    values = "".join(f"{name}=[${{{name}-unset}}]\n" for name in names)
    return f"COPY <<END /shown\n{values}END\n"


BUILT = {
    # Lines, comments, escapes.
    "continuation": fragment("ENV A=1 \\\n  B=2 \\\n\n# a comment\n   # another\n  C=3\nENV D=4\n"),
    "continuation-at-the-end": fragment("ENV A=1 \\\n"),
    "continuation-trailing-blanks": fragment("ENV A=1 \\ \t\n B=2\n"),
    "escaped-backslash-is-no-continuation": fragment("ENV A=x\\\\\nENV B=2\n"),
    "lone-continuation": fragment("\\\nENV A=1\n"),
    "comment-does-not-continue": fragment("# ENV A=1 \\\nENV B=2\n"),
    "crlf": Case("FROM scratch\r\nENV A=1 \\\r\n  B=2\r\nCOPY <<X /x\r\none\r\n\r\ntwo\r\nX\r\nENV C=3\r\n"),
    "bom": Case("\ufeffFROM scratch\nENV A=1\n"),
    "bom-and-directive": Case("\ufeff# escape=`\nFROM scratch\nENV A=1 `\n B=2\n"),
    "no-newline-at-the-end": fragment("ENV A=1"),
    "escape-backtick": Case("# escape=`\nFROM scratch\nENV A=1 `\n  B=C:\\d C=`$A D=\"`$A\" E=a`\\b\n"),
    "escape-spaced-and-cased": Case("#   EsCaPe  =  `  \nFROM scratch\nENV A=1 `\n B=2\n"),
    "escape-too-late": Case("# just a comment\n# escape=`\nFROM scratch\nENV A=1 \\\n B=2\n"),
    "escape-after-empty-line": Case("\n# escape=`\nFROM scratch\nENV A=1 \\\n B=2\n"),
    "lower-case": Case("from scratch as one\nenv A=1\nFrom one\nEnv B=2\ncOpY <<x /x\nX $A\nx\n"),
    "leading-blanks": Case("  FROM scratch\n\t ENV A=1\n"),
    "form-feed-and-tab": Case("FROM\tscratch\nENV\t\fA=1\tB=2\n"),
    # ENV, LABEL, ARG: words, quotes, old form.
    "env-words": fragment("ENV A=\"one two\" B='three four' C=five\\ six D=\"q\\\"q\" E='b\\b' F= G=\"\"\n"),
    "env-old-form": fragment('ENV A one "two"   three\nENV B   x=y\nENV C "a b" c\n'),
    "env-same-line": fragment("ENV A=1\nENV A=2 B=$A\n"),
    "env-name-expanded": fragment("ENV N=KEY\nENV $N=value ${N}2=x\n"),
    "env-unset": fragment('ENV A=$NOPE B=${NOPE} C="x${NOPE}y" D=$ E=$1a F=a$-b\n'),
    "env-equals-inside": fragment('ENV A=b=c=d "B"=1 C==\n'),
    "label-words": fragment('LABEL a=1 "b c"="d e" f.g=\'$X\' h="$X"\nENV X=2\nLABEL h2=$X\n'),
    "label-old-form": fragment("LABEL a b c\n"),
    "arg-words": fragment('ARG A=1 B C="x y"\nARG D=\'q\'\n' + shown("A", "B", "C", "D"), B="given"),
    "arg-without-value": fragment("ARG A\nARG B=\n" + shown("A", "B")),
    "arg-sees-arg": fragment("ARG A=1\nARG B=${A}2\nARG C=${B}3\n" + shown("A", "B", "C"), B="x"),
    # Expansion.
    "default-and-alternative": fragment(
        "ENV E= V=v\nENV A=${E:-d} B=${E-d} C=${N:-d} D=${N-d} F=${V:+a} G=${E:+a} H=${E+a} I=${N+a}\n"
        "ENV J=${N:-${V}x} K=\"${N:-a b}\" L=${V:?no} M=${N:-'$V'} O=${N:-\"$V\"} P=${N:-\\}}\n"
    ),
    "prefix-suffix": fragment(
        "ENV V=foo.tar.gz P=a/b/c S=a*b\n"
        "ENV A=${V%.*} B=${V%%.*} C=${V#*.} D=${V##*.} E=${P##*/} F=${P%/*} G=${V#x} H=${V%?z} I=${S#a\\*}\n"
        "ENV J=${V%.gz} K=${V##foo} L=${N#x} M=${V#${V%%.*}}\n"
    ),
    "replacement": fragment(
        "ENV V=foo.tar.gz P=a/b/c\n"
        "ENV A=${V/o/0} B=${V//o/0} C=${P//\\//-} D=${V/.*/} E=${V//?/x} F=${N/a/b} G=${V/f*o/F} H=${V/zz/y}\n"
    ),
    "quotes-and-escapes": fragment(
        "ENV V=v\nENV A='$V' B=\"$V\" C=\\$V D=\"\\$V\" E='\"$V\"' F=\"'$V'\" G=a\\\\b H=\"a\\b\" I=${V}x J=$Vx K=$V-x\n"
    ),
    "specials": fragment("ENV V=v\nENV A=$@ B=$* C=$# D=$$V E=$12V F=$? G=$!x\n"),
    "umlauts": fragment('ENV Ä=ö\nENV B=$Ä C="€ $Ä"\nCOPY <<é /x\nß $Ä\né\n'),
    "where-it-happens": fragment(
        "ENV V=v\nWORKDIR /$V/w\nUSER $V:\"$V\"\nEXPOSE 80/tcp ${P:-81}\nVOLUME /$V /b\nSTOPSIGNAL ${S:-9}\n"
        "COPY <<X /$V/\n$V\nX\nCMD echo $V\n"
    ),
    # JSON and shell forms.
    "exec-forms": fragment('ENTRYPOINT ["/a", "b c", "$D"]\nCMD [ "x" ,"\\u00e9\\"" ]\nVOLUME ["/v w", "/x"]\n'),
    "shell-forms": fragment("ENTRYPOINT   exec  /a   b\nCMD [ 'x' ]\n"),
    "shell": fragment('SHELL ["/bin/ash", "-eu"]\nCMD echo  hi\n'),
    "empty-commands": fragment("CMD []\nENTRYPOINT []\n"),
    "cmd-nothing": fragment("CMD\n"),
    "cmd-double-dash": fragment("CMD -- --help\n"),
    "nan-is-no-json": fragment("CMD [NaN]\n"),
    "healthcheck": fragment("HEALTHCHECK --interval=5s --retries=3   CMD   curl  -f x\n"),
    "healthcheck-exec": fragment('HEALTHCHECK --timeout="2s" cmd ["a", "b"]\n'),
    "healthcheck-none": fragment("HEALTHCHECK none\n"),
    "onbuild": fragment("ONBUILD RUN echo  hi\nonbuild   copy  --from=x a b\nONBUILD FROBNICATE it\nONBUILD ENV A=$B\n"),
    "onbuild-heredoc": fragment("ONBUILD COPY <<X /x\n# body $A\nX\nENV A=1\n"),
    "maintainer": fragment("MAINTAINER  A  B <a@b>\n"),
    # Heredocs.
    "heredoc": fragment("ENV A=1\nCOPY <<X /x\n# kept\nRUN not an instruction $A \\\n\\$A \"$A\" '$A'\nX\nENV B=2\n"),
    "heredoc-quoted": fragment("ENV A=1\nCOPY <<'X' <<\"Y\" <<Z'' /d/\n$A\nX\n${A}\nY\n$A\nZ\n"),
    "heredoc-backslash-still-expands": fragment("ENV A=1\nCOPY <<\\X /x\n$A\nX\n"),
    "heredoc-tabs": fragment("COPY <<-X <<Y /d/\n\tone\n\t\ttwo\n three\n\tX\n\tfour\nY\n"),
    "heredoc-twice": fragment("COPY <<X <<Y /d/\nY\nX\nX\nY\n"),
    "heredoc-empty": fragment("COPY <<X /x\nX\n"),
    "heredoc-add": fragment("ADD <<X /x\nadded\nX\n"),
    "heredoc-flags": fragment("COPY --chmod=600 --chown=1:2 <<X /x\nbody\nX\n"),
    "heredoc-name": fragment("COPY <<file.txt /d/\nfirst\nfile.txt\n"),
    "heredoc-variable-name": fragment("COPY <<$X /d/y\nbody\n$X\n"),
    "heredoc-continued": fragment("COPY <<X \\\n  # comment\n  /x\nbody\nX\n"),
    "heredoc-backtick": Case("# escape=`\nFROM scratch\nENV A=1\nCOPY <<X /x\n\\$A `$A `\nX\n"),
    "heredoc-in-env-is-none": fragment("ENV A=<<X\nENV B=2\n"),
    "heredoc-in-label-is-none": fragment("LABEL a='<<X'\n"),
    # Scopes.
    "global-not-in-stage": Case("ARG A=1\nFROM scratch\n" + shown("A")),
    "global-taken": Case("ARG A=1\nARG B=${A}2\nFROM scratch\nARG A\nARG B\nARG C=3\n" + shown("A", "B", "C")),
    "global-overridden": Case("ARG A=1\nARG B=${A}2\nFROM scratch\nARG A B\n" + shown("A", "B"), {"A": "x"}),
    "global-own-default": Case("ARG A=1\nFROM scratch\nARG A=2\n" + shown("A")),
    "args-undeclared": Case("FROM scratch\n" + shown("A"), {"A": "x"}),
    "arg-and-env": fragment("ENV A=env\nARG A=arg\nARG B=arg\nENV B=env\n" + shown("A", "B")),
    "arg-after-use": fragment(shown("A") + "ARG A=1\n"),
    "inherited": Case(
        "FROM scratch AS a\nARG A=1\nENV B=2 C=$A\nFROM scratch AS other\nENV D=no\n"
        "FROM a AS b\nENV E=$A$B\nFROM b\n" + shown("A", "B", "C", "D", "E")
    ),
    "inherited-env-wins-over-arg": Case("FROM scratch AS a\nENV A=env\nARG A=arg\nFROM a\n" + shown("A")),
    "platform-arguments": Case(
        "FROM scratch\nARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDARCH\n"
        + shown("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "BUILDPLATFORM", "BUILDARCH"),
        platform="linux/arm64",
    ),
    "platform-variant": Case(
        "FROM scratch\nARG TARGETPLATFORM\nARG TARGETVARIANT\n" + shown("TARGETPLATFORM", "TARGETVARIANT"),
        platform="linux/arm/v7",
    ),
    "platform-undeclared": Case("FROM scratch\n" + shown("TARGETARCH")),
    "platform-overridden": Case(
        "ARG TARGETARCH\nFROM scratch AS on-mips\nENV A=mips\nFROM on-${TARGETARCH}\nARG TARGETARCH\n"
        + shown("A", "TARGETARCH"),
        {"TARGETARCH": "mips"},
    ),
    "platform-default-in-stage": fragment("ARG TARGETARCH=none\n" + shown("TARGETARCH")),
    "onbuild-runs": Case(
        "FROM scratch AS a\nONBUILD ARG A=1\nONBUILD ENV B=$A\nONBUILD COPY <<X /triggered\n$B\nX\n"
        "FROM a AS b\nFROM b\n" + shown("A", "B"),
        target="b",
    ),
    # Stages.
    "stage-by-argument": Case(
        "ARG KIND=slow\nFROM scratch AS fast\nENV A=fast\nFROM scratch AS slow\nENV A=slow\nFROM ${KIND}\n"
        + shown("A"),
        {"KIND": "fast"},
    ),
    "stage-quoted": Case('FROM scratch AS a\nENV A=1\nFROM "a"\n' + shown("A")),
    "stage-name-upper": Case("FROM scratch AS Base\nENV A=1\nFROM base\n" + shown("A")),
    "stage-name-twice": Case(
        "FROM scratch AS a\nENV A=1\nFROM a AS a\nENV B=2\nFROM a\n" + shown("A", "B"),
    ),
    "stage-named-like-scratch": Case("FROM scratch AS scratch\nENV A=1\nFROM scratch\n" + shown("A")),
    "target": Case("FROM scratch AS a\nENV A=1\nFROM a AS b\nENV B=2\n", target="a"),
    "target-upper": Case("FROM scratch AS a\nENV A=1\nFROM a AS b\nENV B=2\n", target="A"),
    "copy-from-stage": Case(
        "FROM scratch AS a\nCOPY <<X /x\na\nX\nFROM scratch AS b\nCOPY <<X /x\nb\nX\nFROM scratch\n"
        "COPY --from=A /x /by-name\nCOPY --from=1 /x /by-number\nCOPY --from=+0 /x /by-plus\n"
    ),
    "unreached-is-not-checked-for-order": Case(
        "FROM scratch AS a\nCOPY --from=b /x /x\nFROM scratch AS b\nENV A=1\n", target="b"
    ),
    "context-for-stage": Case(
        "FROM scratch AS a\nENV A=1\nFROM a\n" + shown("A"), contexts={"a": "docker-image://scratch"}
    ),
}  # fmt: skip

RUNS = {
    "run-shell": "RUN echo   one  \\\n  # comment\n   two\n",
    "run-exec": 'RUN [ "/bin/busybox","true" ]\n',
    "run-flags": "RUN --network=none  --mount=type=tmpfs,target=/t   true\n",
    "run-nothing": "RUN\n",
    "run-heredoc": "RUN <<X\n# a comment\necho \"$A\" \\$B > /seen\n\nX\n",
    "run-heredoc-tabs": "RUN <<-X\n\techo one\n\t\techo two\n\tX\n",
    "run-heredoc-shebang": "RUN <<X\n#!/bin/sh -e\necho one\nX\n",
    "run-heredoc-command": "RUN cat <<X > /seen && cat <<-'Y' >> /seen\n$HOME\nX\n\t$HOME\n\tY\nENV A=1\n",
    "run-heredoc-descriptor": "RUN cat 0<<X > /seen\nbody\nX\n",
    "run-heredoc-in-quotes": "RUN echo '<<X' \"<<Y\" > /seen\nENV A=1\n",
    "run-here-string": "RUN echo '#' <<<X || true\nENV A=1\n",
    "run-shift": "RUN echo $((1 << 2)) > /seen\nENV A=1\n",
    "run-arguments": "ARG A=1\nENV E=2\nARG B\nARG C=$A$E\nRUN true $A\n",
    "run-mount-from-stage": "RUN --mount=from=side,target=/t --mount=type=cache,target=/c true\n",
    "run-comment-tail": "RUN echo a \\\n# comment\n  b # not a comment to the reader\n",
    "run-heredoc-spaced-name": "RUN <<'one two'\ntrue\none two\n",
}  # fmt: skip


@dataclass
class Image:
    """The parts of an image that a Dockerfile's text decides."""

    env: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Image:
        return Image(dict(self.env), json.loads(json.dumps(self.config)), dict(self.files))


def imagined(case: Case) -> Image:
    """The image as the reader understands the Dockerfile."""
    dockerfile = read(case.text, "Dockerfile")
    scope = global_scope(dockerfile, case.target, case.args, case.platform, PLATFORM)
    images: dict[str, Image] = {}
    stages = reached(dockerfile, case.target, case.args, case.platform, PLATFORM, case.contexts)
    for stage in stages:
        base = dockerfile.named(expand(stage.base, scope, dockerfile.escape), before=stage.index)
        followed = base is not None and base.name not in case.contexts
        image = images[base.label].copy() if base and followed else Image()
        image.config.pop("OnBuild", None)
        images[stage.label] = images[str(stage.index)] = image
        for instruction, variables in visible(dockerfile, stage, scope, case.args):
            apply(image, instruction, variables, dockerfile, images)
    return images[stages[-1].label]


def apply(
    image: Image,
    instruction: Instruction,
    variables: Mapping[str, str],
    dockerfile: Dockerfile,
    images: Mapping[str, Image],
) -> None:
    config, words = image.config, instruction.arguments

    def full(word: str) -> str:
        return expand(word, variables, dockerfile.escape)

    shell = config.get("Shell", ["/bin/sh", "-c"])
    command = list(words) if instruction.exec_form else [*shell, *words]
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
            config["ExposedPorts"] = dict.fromkeys(ports, {})
        case "VOLUME":
            config["Volumes"] = dict.fromkeys(map(full, words), {})
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


def exported(archive: Path) -> tuple[Image, list[str]]:
    """Reads the image that BuildKit wrote as an OCI archive, and its history."""
    with tarfile.open(archive) as tar:
        index = json.loads(_blob(tar, "index.json"))
        manifest = json.loads(_digest(tar, index["manifests"][0]["digest"]))
        if "manifests" in manifest:
            manifest = json.loads(_digest(tar, manifest["manifests"][0]["digest"]))
        description = json.loads(_digest(tar, manifest["config"]["digest"]))
        image = Image()
        for layer in manifest["layers"] or []:
            content = gzip.decompress(_digest(tar, layer["digest"]))
            with tarfile.open(fileobj=io.BytesIO(content)) as files:
                for member in files:
                    opened = files.extractfile(member) if member.isfile() else None
                    if opened:
                        image.files["/" + member.name] = opened.read().decode()
    config = description["config"]
    pairs = (entry.partition("=") for entry in config.pop("Env", []))
    image.env = {name: value for name, _, value in pairs if name != "PATH"}
    config.pop("ArgsEscaped", None)
    if "Healthcheck" in config:
        config["Healthcheck"] = config["Healthcheck"]["Test"]
    image.config = {key: value for key, value in config.items() if value and value != "/"}
    return image, [entry.get("created_by", "") for entry in description["history"]]


def _blob(tar: tarfile.TarFile, name: str) -> bytes:
    opened = tar.extractfile(name)
    assert opened is not None
    return opened.read()


def _digest(tar: tarfile.TarFile, digest: str) -> bytes:
    return _blob(tar, "blobs/" + digest.replace(":", "/"))


def bake(engine: Engine, cases: Mapping[str, Case], folder: Path) -> dict[str, Path]:
    """Builds all cases in a few calls, each to an OCI archive."""
    (folder / "context").mkdir()
    targets, archives = {}, {}
    for name, case in cases.items():
        path = folder / f"{name}.Dockerfile"
        path.write_text(case.text, newline="")
        archives[name] = folder / f"{name}.tar"
        targets[name] = {
            "context": str(folder / "context"),
            "dockerfile": str(path),
            "args": dict(case.args),
            "contexts": dict(case.contexts),
            "platforms": [case.platform],
            "output": [f"type=oci,dest={archives[name]}"],
            "attest": ["type=provenance,disabled=true"],
        } | ({"target": case.target} if case.target else {})
    names = list(targets)
    for start in range(0, len(names), 30):
        chosen = names[start : start + 30]
        definition = {"target": targets, "group": {"default": {"targets": chosen}}}
        call = ["docker", "buildx", "bake", "-f", "-", "--progress=plain"]
        done = subprocess.run(
            call, input=json.dumps(definition), capture_output=True, text=True, env=engine.env, check=False
        )
        assert done.returncode == 0, done.stderr
    return archives


@pytest.fixture(scope="module")
def built(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return bake(engine, BUILT, tmp_path_factory.mktemp("built"))


@pytest.mark.parametrize("name", BUILT)
def test_the_reader_understands_what_buildkit_builds(name: str, built: Mapping[str, Path]) -> None:
    actual, _ = exported(built[name])
    expected = imagined(BUILT[name])
    assert (actual.env, actual.files) == (expected.env, expected.files)
    assert actual.config == {key: value for key, value in expected.config.items() if value}
