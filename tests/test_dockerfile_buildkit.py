"""The Dockerfile reader against BuildKit itself: what one builds, refuses and asks for, the other must say.

What BuildKit understood is read from the image it makes: its configuration, its history, the files of its
layers. From scratch nothing can run, but heredocs of COPY are expanded, and so show what a stage sees.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from tasks.errors import ConfigError
from tasks.planning.dockerfile import Dockerfile, Instruction, read
from tasks.planning.familiar import familiar
from tasks.planning.scopes import global_scope, visible
from tasks.planning.sources import Source, reached, sources
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
    """A COPY whose heredoc shows variables, and which of them are unset."""
    values = "".join(f"{name}=[${{{name}-unset}}]\n" for name in names)
    return f"COPY <<END /shown\n{values}END\n"


BUILT = {
    # Lines, comments, escapes.
    "lines": Case(
        "\n\n  from\tscratch as one\n# not.. \\\n\t env A=1 \\ \t\n  B=2 \\\n\n# a comment\n   # another\n  C=3\n"
        "\\\nENV D=x\\\\\nFrom one\nENV\t\fE=1\tF=2\ncOpY <<x /x\nX $A\nx\nENV G=1 \\\n"
    ),
    "crlf": Case("FROM scratch\r\nENV A=1 \\\r\n  B=2\r\nCOPY <<X /x\r\none\r\n\r\ntwo\r\nX\r\nENV C=3\r\n"),
    "bom-and-directive": Case("\ufeff# escape=`\nFROM scratch\nENV A=1 `\n B=2"),
    "escape-backtick": Case(
        "#   EsCaPe  =  `  \nFROM scratch\nENV A=1 `\n  B=C:\\d C=`$A D=\"`$A\" E=a`\\b\nCOPY <<X /x\n\\$A `$A `\nX\n"
    ),
    "escape-too-late": Case("\n# escape=`\nFROM scratch\nENV A=1 \\\n B=2\n"),
    # ENV, LABEL, ARG: words, quotes, old form.
    "env": fragment(
        "ENV A=\"one two\" B='three four' C=five\\ six D=\"q\\\"q\" E='b\\b' F= G=\"\" H=b=c=d \"I\"=1 J==\n"
        'ENV K one "two"   three\nENV L   x=y\nENV M "a b" c\nENV N=1\nENV N=2 O=$N\nENV $E=v ${E}2=x\n'
    ),
    "labels": fragment('LABEL a=1 "b c"="d e" f.g=\'$X\' h="$X"\nENV X=2\nLABEL h2=$X\nLABEL a b c\nLABEL i="<<X"\n'),
    "arg-words": fragment(
        "ARG A=1 B C=\"x y\"\nARG D='q'\nARG E\nARG F=\nARG G=${A}2\nARG B\nARG H=${B}3\n" + shown(*"ABCDEFGH"), B="b"
    ),
    # Expansion.
    "default-and-alternative": fragment(
        "ENV E= V=v\nENV A=${E:-d} B=${E-d} C=${N:-d} D=${N-d} F=${V:+a} G=${E:+a} H=${E+a} I=${N+a}\n"
        "ENV J=${N:-${V}x} K=\"${N:-a b}\" L=${V:?no} M=${N:-'$V'} O=${N:-\"$V\"} P=${N:-\\}}\n"
    ),
    "patterns": fragment(
        "ENV V=foo.tar.gz P=a/b/c S=a*b\n"
        "ENV A=${V%.*} B=${V%%.*} C=${V#*.} D=${V##*.} E=${P##*/} F=${P%/*} G=${V#x} H=${V%?z} I=${S#a\\*}\n"
        "ENV J=${V%.gz} K=${V##foo} L=${N#x} M=${V#${V%%.*}} O=${V/o/0} Q=${V//o/0} R=${P//\\//-} T=${V/.*/}\n"
        "ENV U=${V//?/x} W=${N/a/b} X=${V/f*o/F} Y=${V/zz/y} Z=${V//*/all} AA=${P/b/${V#*.}}\n"
    ),
    "quotes-and-escapes": fragment(
        "ENV V=v Ä=ö\nENV A='$V' B=\"$V\" C=\\$V D=\"\\$V\" E='\"$V\"' F=\"'$V'\" G=a\\\\b H=\"a\\b\" I=${V}x J=$Vx\n"
        'ENV K=$V-x L=$NOPE M=x${NOPE}y N=$ O=$1a P=$@ Q=$* R=$# S=$$V T=$12V U=$? W=$!x X=$Ä Y="€ $Ä"\n'
    ),
    "where-it-happens": fragment(
        "ENV V=v\nWORKDIR /$V/w\nUSER $V:\"$V\"\nEXPOSE 80/tcp ${P:-81}\nVOLUME /$V /b\nSTOPSIGNAL ${S:-9}\n"
        "COPY <<X /$V/\n$V\nX\nCMD echo $V\nMAINTAINER  A  B <a@b>\n"
    ),
    # JSON and shell forms.
    "exec-forms": fragment(
        'ENTRYPOINT ["/a", "b c", "$D"]\nCMD [ "x" ,"\\u00e9\\"" ]\nVOLUME ["/v w", "/x"]\n'
        'HEALTHCHECK --timeout="2s" cmd ["a", "b"]\n'
    ),
    "shell-forms": fragment(
        'SHELL ["/bin/ash", "-eu"]\nENTRYPOINT   exec  /a   b\nCMD [NaN]\n'
        "HEALTHCHECK --interval=5s --retries=3   CMD   curl  -f x\n"
    ),
    "nearly-json": fragment("ENTRYPOINT []\nCMD [ 'x' ]\nHEALTHCHECK none\n"),
    "nothing-and-dashes": fragment("CMD\nENTRYPOINT -- --help\n"),
    "onbuild": fragment(
        "ONBUILD RUN echo  hi\nonbuild   copy  --from=x a b\nONBUILD FROBNICATE it\nONBUILD ENV A=$B\n"
        "ONBUILD COPY <<X /x\n# body $A\nX\nENV A=1\n"
    ),
    # Heredocs.
    "heredoc": fragment(
        "ENV A=1\nCOPY <<X /x\n# kept\nRUN not an instruction $A \\\n\\$A \"$A\" '$A'\nX\nENV B=2\n"
        "COPY --chmod=600 --chown=1:2 <<EMPTY /empty\nEMPTY\nADD <<X \\\n  # comment\n  /added\n${A}\nX\n"
        "COPY <<file.txt /d/\nfirst\nfile.txt\nCOPY <<$X /d/y\nbody\n$X\nCOPY <<é /é\nß\né\nENV C=<<X\nENV D=1\n"
    ),
    "heredoc-quoted": fragment(
        "ENV A=1\nCOPY <<'X' <<\"Y\" <<Z'' <<W /d/\n$A\nX\n${A}\nY\n$A\nZ\n$A\nW\nCOPY <<\\X /x\n$A\nX\n"
    ),
    "heredoc-tabs": fragment("COPY <<-X <<Y /d/\n\tone\n\t\ttwo\n three\nY\n\tX\n\tX\nY\n"),
    # Scopes.
    "global": Case(
        "ARG A=1\nARG B=${A}2\nARG C=3\nARG D=4\nFROM scratch\nARG A B\nARG D=5\n" + shown(*"ABCDEF"),
        {"A": "given", "E": "undeclared"},
    ),
    "arg-and-env": fragment("ENV A=env\nARG A=arg\nARG B=arg\nENV B=env\n" + shown("A", "B", "C") + "ARG C=1\n"),
    "inherited": Case(
        "FROM scratch AS a\nARG A=1\nENV B=2 C=$A\nENV F=env\nARG F=arg\nFROM scratch AS other\nENV D=no\n"
        "FROM a AS b\nENV E=$A$B\nFROM b\n" + shown(*"ABCDEF")
    ),
    "platform-arguments": Case(
        "FROM scratch\nARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDARCH\n"
        + shown("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "BUILDPLATFORM", "BUILDARCH"),
        platform="linux/arm64/v8",
    ),
    "platform-variant": Case(
        "FROM scratch\nARG TARGETPLATFORM\n" + shown("TARGETPLATFORM", "TARGETVARIANT"), platform="linux/arm"
    ),
    "platform-overridden": Case(
        "ARG TARGETARCH\nFROM scratch AS on-mips\nENV A=mips\nFROM on-${TARGETARCH}\nARG TARGETARCH\nARG TARGETOS=none\n"
        + shown("A", "TARGETARCH", "TARGETOS"),
        {"TARGETARCH": "mips"},
    ),
    "onbuild-runs": Case(
        "FROM scratch AS a\nONBUILD ARG A=1\nONBUILD ENV B=$A\nONBUILD COPY <<X /triggered\n$B\nX\n"
        "FROM a AS b\nFROM b AS c\n" + shown("A", "B"),
        target="c",
    ),
    # Stages.
    "stage-by-argument": Case(
        'ARG KIND=slow\nFROM scratch AS fast\nENV A=fast\nFROM scratch AS Slow\nENV A=slow\nFROM "${KIND}"\n' + shown("A"),
    ),
    "stage-name-twice": Case(
        "FROM scratch AS a\nENV A=1\nFROM a AS a\nENV B=2\nFROM a\n" + shown("A", "B"),
    ),
    "stage-named-like-scratch": Case("FROM scratch AS scratch\nENV A=1\nFROM scratch\n" + shown("A")),
    "target": Case("FROM scratch AS a\nENV A=1\nFROM a AS b\nENV B=2\nCOPY --from=c / /\nFROM b AS c\n", target="A"),
    "copy-from-stage": Case(
        "FROM scratch AS a\nCOPY <<X /x\na\nX\nFROM scratch AS b\nCOPY <<X /x\nb\nX\nFROM scratch\n"
        "COPY --from=A /x /by-name\nCOPY --from=1 /x /by-number\nCOPY --from=+0 /x /by-plus\n"
    ),
    "context-for-stage": Case(
        "FROM scratch AS a\nENV A=1\nONBUILD ENV B=1\nFROM a\n" + shown("A", "B"),
        contexts={"a": "docker-image://scratch"},
    ),
}  # fmt: skip

RUNS = (
    "FROM scratch AS side\nCOPY <<X /x\nside\nX\nFROM busybox:stable\n"
    "RUN echo   one  \\\n  # comment\n   two # three\n"
    'run [ "/bin/busybox","true" ]\n'
    "RUN --network=none  --mount=type=tmpfs,target=/t   true\n"
    "RUN --mount=from=side,target=/t --mount=type=cache,target=/c cat /t/x\n"
    "RUN\n"
    'RUN <<X\n# a comment\necho "$A" \\$B > /seen\n\nX\n'
    "RUN <<-X\n\techo one\n\t\techo two\n\tX\n"
    "RUN <<X\n#!/bin/sh -e\necho one\nX\n"
    "RUN cat <<X > /seen && cat <<-'Y' >> /seen\n$HOME\nX\n\t$HOME\n\tY\n"
    "RUN cat 0<<X > /seen\nbody\nX\n"
    "RUN echo '<<X' \"<<Y\" > /seen\n"
    "RUN true # <<<X\n"
    "RUN echo $((1 << 2)) > /seen\n"
    "RUN <<'one two'\ntrue\none two\n"
    "ARG A=1\nENV E=2\nARG B\nARG C=$A$E\n"
    "RUN true $A\n"
)

# (Dockerfile, words of the reader's refusal, words of BuildKit's). A Dockerfile without any FROM is not tried:
# BuildKit 0.13 runs into a fault of its own.
REFUSED = [
    ("FROM scratch\nRUNN x\n", "unknown instruction", "unknown instruction"),
    ("# nothing\n", "no FROM", "no instructions"),
    ("ENV A=1\nFROM scratch\n", "before the first FROM", "no build stage"),
    ("FROM\n", "FROM takes", "one or three arguments"),
    ("FROM scratch AZ x\n", "FROM takes", "one or three arguments"),
    ("FROM scratch AS 1a\n", "cannot name a stage", "invalid name for build stage"),
    ("FROM scratch AS a-\n", "cannot name a stage", "invalid context name"),
    ("FROM scratch\nENV A\n", "needs a value", "must have two arguments"),
    ("FROM scratch\nENV A=1 B\n", "NAME=value", "name=value"),
    ("FROM scratch\nENV =1\n", "without a name", "can not be blank"),
    ("FROM scratch\nARG\n", "needs an argument", "at least one argument"),
    ("FROM scratch\nCOPY a\n", "source and a destination", "at least two arguments"),
    ("FROM scratch\nCOPY a <<X\nX\n", "destination", "cannot accept a heredoc"),
    ("FROM scratch\nCOPY <<X /x\nno end\n X\n", "never ended", "unterminated heredoc"),
    ("FROM scratch\nCOPY <<-X /x\nno end\n X\n", "never ended", "unterminated heredoc"),
    ("FROM scratch\nSHELL sh -c\n", "JSON", "JSON"),
    ("FROM scratch\nWORKDIR\n", "needs an argument", "exactly one argument"),
    ("FROM scratch\nHEALTHCHECK CMD\n", "CMD with a command", "Missing command"),
    ("FROM scratch\nHEALTHCHECK NONE x\n", "NONE alone", "takes no arguments"),
    ("FROM scratch\nONBUILD onbuild RUN x\n", "as its trigger", "isn't allowed"),
    ("FROM scratch\nONBUILD ENV A\n", "needs a value", "must have two arguments"),
    ('FROM scratch\nCMD ["a", 1]\n', "more than strings", "strings only"),
    ("# escape=x\nFROM scratch\n", "escape can be", "invalid escape token"),
    ("# escape=`\n# escape=`\nFROM scratch\n", "only once", "only one escape"),
    ("FROM scratch\nENV A=${B\n", "missing }", "missing '}'"),
    ("FROM scratch\nENV A=\"x\n", "double quote", "double-quote"),
    ("FROM scratch\nENV A=${B?because}\n", "B: because", "B: because"),
    ("FROM scratch\nENV A=${B^}\n", "unsupported modifier", "unsupported modifier"),
    ("FROM scratch\nENV A=${}\n", "bad substitution", "bad substitution"),
    ("ARG X\nFROM ${X}\n", "ARG X has no value", "should not be blank"),
    ("FROM scratch\nARG X=y\nFROM $X AS b\nFROM scratch\n", "not declared before the first", "should not be blank"),
    ("FROM scratch AS base\nFROM Base\n", 'Base" is no image reference', "must be lowercase"),
    ("FROM /x AS unreached\nFROM scratch\n", "no image reference", "invalid reference format"),
    ("FROM --platform=a/b/c/d scratch\n", "is no platform", "failed to parse platform"),
    ("ARG X=a\nFROM scratch AS a\nFROM scratch\nCOPY --from=$X / /\n", "not expanded", "failed to parse stage name"),
    ("FROM scratch\nRUN --mount=from=${X} x\n", "not expanded", "doesn't support variable expansion"),
    ("FROM scratch\nCOPY --from=1 / /\n", "no such stage", "invalid stage index"),
    ("FROM scratch AS a\nCOPY --from=a / /\n", "cannot stand on itself", "circular dependency"),
    ("FROM scratch AS b\nCOPY --from=c / /\nFROM scratch AS c\nFROM b\n", "comes later", "needs to be defined before"),
    ("FROM scratch AS b\nRUN --mount=from=c x\nFROM scratch AS c\nFROM b\n", "comes later", "needs to be defined before"),
    ("FROM scratch AS x\nFROM scratch AS y\nCOPY --from=x / /\nFROM scratch AS x\nFROM y\n", "comes later",
     "needs to be defined before"),
]  # fmt: skip

NO_TARGET = Case("FROM scratch AS a\nFROM scratch\n", target="1")

# Images of one host, {R}, that is only a name here: what BuildKit loads is what was asked for.
ASKED = {
    "all": Case(
        "ARG X=one\nFROM {R}/${X}:all AS a\nFROM busybox:stable\nCOPY --from=a / /a\nCOPY --from={R}/two:all / /b\n"
        "RUN --mount=from={R}/three:all,target=/t --mount=type=tmpfs,from={R}/four:all,target=/u true\n"
    ),
    "target": Case(
        "FROM {R}/one:target AS a\nFROM {R}/two:target AS b\nCOPY --from=a / /\nFROM {R}/three:target AS c\nFROM b\n",
        target="b",
    ),
    "arguments": Case(
        "ARG X=one\nARG V=arguments\nARG I={R}/${X}:${V}\nFROM ${I}\nARG X=three\nCOPY --from=0 / /\nFROM $I\n", {"X": "two"}
    ),
    "numbers": Case(
        "FROM {R}/one:numbers\nFROM {R}/two:numbers AS two\nFROM {R}/three:numbers\nFROM scratch\nCOPY --from=1 / /\n"
    ),
    "contexts": Case(
        "FROM {R}/one:contexts AS a\nFROM {R}/two:contexts\nCOPY --from=a / /\nCOPY --from=extra / /\n",
        contexts={"{R}/one:contexts": "docker-image://scratch", "extra": "docker-image://scratch"},
    ),
    "familiar": Case(
        "FROM docker.io/library/a1:latest AS a\nFROM index.docker.io/b1 AS b\nFROM docker.io/c/c AS c\nFROM library/d:2 AS d\n"
        "FROM scratch\n" + "".join(f"COPY --from={stage} / /\n" for stage in "abcd"),
        contexts=dict.fromkeys(["a1", "b1", "c/c", "d:2"], "docker-image://scratch"),
    ),
    "scratch": Case("FROM scratch\nCOPY --from=scratch / /\n"),
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
        image = images[str(base.index)].copy() if base and base.name not in case.contexts else Image()
        image.config.pop("OnBuild", None)
        images[stage.label] = images[str(stage.index)] = image
        for instruction, variables in visible(dockerfile, stage, scope, case.args, case.contexts):
            apply(image, instruction, variables, dockerfile, images)
    return images[str(stages[-1].index)]


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


def exported(archive: Path) -> tuple[Image, list[str]]:
    """Reads the image that BuildKit wrote as an OCI archive, and its history."""
    with tarfile.open(archive) as tar:

        def blob(name: str) -> bytes:
            opened = tar.extractfile(name)
            assert opened is not None
            return opened.read()

        def by_digest(description: Mapping[str, str]) -> bytes:
            return blob("blobs/" + description["digest"].replace(":", "/"))

        manifest = json.loads(by_digest(json.loads(blob("index.json"))["manifests"][0]))
        description = json.loads(by_digest(manifest["config"]))
        image = Image()
        for layer in manifest["layers"] or []:
            with tarfile.open(fileobj=io.BytesIO(gzip.decompress(by_digest(layer)))) as files:
                for member in files:
                    opened = files.extractfile(member) if member.isfile() else None
                    if opened and member.size < 10_000:
                        image.files["/" + member.name] = opened.read().decode()
    config = description["config"]
    pairs = (entry.partition("=") for entry in config.pop("Env", []))
    image.env = {name: value for name, _, value in pairs if name != "PATH"}
    config.pop("ArgsEscaped", None)
    if "Healthcheck" in config:
        config["Healthcheck"] = config["Healthcheck"]["Test"]
    image.config = {key: value for key, value in config.items() if value and value != "/"}
    return image, [entry["created_by"] for entry in description["history"] or []]


def buildx(engine: Engine, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    call = ["docker", "buildx", *words]
    return subprocess.run(call, input=stdin, capture_output=True, text=True, env=engine.env, check=False)


def bake(engine: Engine, cases: Mapping[str, Case], folder: Path, output: str) -> str:
    """Builds all cases in one call; {name} in `output` is the case's. Returns BuildKit's log."""
    targets = {}
    for name, case in cases.items():
        path = folder / f"{name}.Dockerfile"
        path.write_text(case.text, encoding="utf-8", newline="")
        targets[name] = {
            "context": str(folder),
            "dockerfile": str(path),
            "args": dict(case.args),
            "contexts": dict(case.contexts),
            "platforms": [case.platform],
            "target": case.target or "",
            "output": [output.format(name=name)],
            "attest": ["type=provenance,disabled=true"],
        }
    definition = {"group": {"default": {"targets": list(targets)}}, "target": targets}
    done = buildx(engine, "bake", "-f", "-", "--progress=plain", stdin=json.dumps(definition))
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def built(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    bake(engine, {**BUILT, "runs": Case(RUNS)}, folder, f"type=oci,dest={folder}/{{name}}.tar")
    return folder


@pytest.mark.parametrize("name", BUILT)
def test_an_image_is_what_the_reader_expects(name: str, built: Path) -> None:
    actual, _ = exported(built / f"{name}.tar")
    expected = imagined(BUILT[name])
    assert (actual.env, actual.files) == (expected.env, expected.files)
    assert actual.config == {key: value for key, value in expected.config.items() if value}


def test_a_run_is_given_the_text_that_the_reader_expects(built: Path) -> None:
    _, steps = exported(built / "runs.tar")
    actual = [step for step in steps if step.startswith("RUN ")]
    assert actual == list(history(Case(RUNS)))


@pytest.fixture(scope="module")
def refusals(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What BuildKit says to each refused Dockerfile ("" if it builds it)."""
    folder = tmp_path_factory.mktemp("refused")

    def attempt(text: str) -> str:
        words = ["--target", NO_TARGET.target] if NO_TARGET.target and text == NO_TARGET.text else []
        done = buildx(engine, "build", "-q", "--output=type=cacheonly", *words, "-", stdin=text)
        return done.stderr if done.returncode else ""

    texts = [text for text, *_ in REFUSED] + [NO_TARGET.text]
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(texts, pool.map(attempt, texts), strict=True))


@pytest.mark.parametrize(("text", "ours", "theirs"), REFUSED)
def test_what_buildkit_refuses_is_refused(
    text: str, ours: str, theirs: str, refusals: Mapping[str, str]
) -> None:
    assert theirs in refusals[text]
    with pytest.raises(ConfigError, match=re.escape(ours)):
        imagined(Case(text))


def test_a_stage_without_a_name_is_no_target(refusals: Mapping[str, str]) -> None:
    assert "could not be found" in refusals[NO_TARGET.text]
    with pytest.raises(ConfigError, match='no target "1"'):
        imagined(NO_TARGET)


def asked(case: Case) -> tuple[Source, ...]:
    dockerfile = read(case.text, "Dockerfile")
    return sources(dockerfile, case.target, case.args, case.platform, PLATFORM, case.contexts)


def test_the_images_that_buildkit_asks_for_are_the_sources(engine: Engine, tmp_path: Path) -> None:
    host = f"{tmp_path.name.replace('_', '-')}.invalid".lower()
    cases = {
        name: Case(
            case.text.replace("{R}", host),
            case.args,
            case.target,
            case.platform,
            {key.replace("{R}", host): value for key, value in case.contexts.items()},
        )
        for name, case in ASKED.items()
    }
    tags = [f"{host}/{number}:{name}" for number in ("one", "two", "three", "four") for name in cases]
    seed = ["build", "-q", "--load", *(f"--tag={tag}" for tag in tags), "-"]
    seeded = buildx(engine, *seed, stdin="FROM scratch\nCOPY <<X /x\nx\nX\n")
    assert seeded.returncode == 0, seeded.stderr
    try:
        log = bake(engine, cases, tmp_path, "type=cacheonly")
    finally:
        subprocess.run(["docker", "image", "rm", *tags], env=engine.env, check=True, capture_output=True)
    loaded = set(re.findall(rf"load metadata for ({re.escape(host)}/\S+)", log))
    found = [source for case in cases.values() for source in asked(case)]
    assert loaded == {familiar(s.reference) for s in found if s.context is None and host in s.reference}
    assert {name for case in cases.values() for name in case.contexts} == {
        s.context for s in found if s.context
    }
