"""The Dockerfile reader against BuildKit itself: what one builds, refuses and asks for, the other must say.

What BuildKit understood is read from the image it makes: its configuration, its history, the files of its
layers. From scratch nothing can run, but heredocs of COPY are expanded, and so show what a stage sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.errors import ConfigError
from tests.buildkit import Case, bake, buildx, exported
from tests.conftest import PrivateEngine
from tests.imagined import history, imagined

pytestmark = pytest.mark.engine


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
        '#   EsCaPe  =  `  \nFROM scratch\nENV A=1 `\n  B=C:\\d C=`$A D="`$A" E=a`\\b\nCOPY <<X /x\n\\$A `$A `\nX\n'
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
        'ENV V=v\nWORKDIR /$V/w\nUSER $V:"$V"\nEXPOSE 80/tcp ${P:-81}\nVOLUME /$V /b\nSTOPSIGNAL ${S:-9}\n'
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
        "ARG TARGETARCH\nFROM scratch AS on-mips\nENV A=mips\nFROM on-${TARGETARCH}\nARG TARGETARCH\n"
         "ARG TARGETOS=none\n" + shown("A", "TARGETARCH", "TARGETOS"),
        {"TARGETARCH": "mips"},
    ),
    "onbuild-runs": Case(
        "FROM scratch AS a\nONBUILD ARG A=1\nONBUILD ENV B=$A\nONBUILD COPY <<X /triggered\n$B\nX\n"
        "FROM a AS b\nFROM b AS c\n" + shown("A", "B"),
        target="c",
    ),
    # Stages.
    "stage-by-argument": Case(
        'ARG KIND=slow\nFROM scratch AS fast\nENV A=fast\nFROM scratch AS Slow\nENV A=slow\n'
        'FROM "${KIND}"\n' + shown("A"),
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
        "FROM scratch AS a\nENV A=1\nFROM a\n" + shown("A", "B"),
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
    "ARG A=1\nENV E=2\nARG B\nARG C=$A$E\n"
    "RUN true $A\n"
)

# Newer BuildKits refuse them, for they take a blank into a heredoc's name; older ones, and we, do not.
BLANKS = ("RUN echo $((1 << 2)) > /seen\n", "RUN <<'one two'\ntrue\none two\n")

# (Dockerfile, words of the reader's refusal, words of BuildKit's, of this version or that). A Dockerfile without any
# FROM is not tried: BuildKit 0.13 runs into a fault of its own.
REFUSED = [
    ("FROM scratch\nRUNN x\n", "unknown instruction", "unknown instruction"),
    ("ENV A=1\nFROM scratch\n", "before the first FROM", "no build stage"),
    ("FROM scratch AS a-\n", "cannot name a stage", "invalid context name"),
    ("FROM scratch\nENV A=1 B\n", "NAME=value", "name=value"),
    ("FROM scratch\nCOPY a\n", "source and a destination", "at least two arguments"),
    ("FROM scratch\nCOPY a <<X\nX\n", "destination", "cannot accept a heredoc"),
    ("FROM scratch\nCOPY <<X /x\nno end\n X\n", "never ended", "unterminated heredoc"),
    ("FROM scratch\nONBUILD onbuild RUN x\n", "as its trigger", "isn't allowed"),
    ("FROM scratch\nONBUILD ENV A\n", "needs a value", "must have two arguments"),
    ('FROM scratch\nCMD ["a", 1]\n', "more than strings", "strings only"),
    ("# escape=x\nFROM scratch\n", "escape can be", "invalid escape token"),
    ("FROM scratch\nENV A=${B:-x\n", "missing }", "missing '}'"),
    ("FROM scratch\nENV A=${B?because}\n", "B: because", "B: because"),
    ("ARG X\nFROM ${X}\n", "ARG X has no value", "should not be blank"),
    ("FROM scratch\nARG X=y\nFROM $X AS b\nFROM scratch\n", "not declared before the first", "should not be blank"),
    ("FROM scratch AS base\nFROM Base\n", 'Base" is no image reference', "must be lowercase"),
    ("FROM /x AS unreached\nFROM scratch\n", "no image reference", "invalid reference format"),
    ("FROM --platform=a/b/c/d scratch\n", "is no platform", "failed to parse platform"),
    ("ARG X=a\nFROM scratch AS a\nFROM scratch\nCOPY --from=$X / /\n", "not expanded",
     "failed to parse stage name|variable expansion is not supported for --from"),
    ("FROM scratch\nRUN --mount=from=${X} x\n", "not expanded", "doesn't support variable expansion"),
    ("FROM scratch\nCOPY --from=1 / /\n", "no such stage", "invalid stage index"),
    ("FROM scratch AS a\nCOPY --from=a / /\nFROM scratch\n", "cannot stand on itself", "circular dependency"),
    ("FROM scratch AS b\nCOPY --from=c / /\nFROM scratch AS c\nFROM b\n", "comes later", "needs to be defined before"),
    ("FROM scratch AS b\nRUN --mount=from=c x\nFROM scratch AS c\nFROM b\n", "comes later",
     "needs to be defined before"),
    ("FROM scratch AS x\nFROM scratch AS y\nCOPY --from=x / /\nFROM scratch AS x\nFROM y\n", "comes later",
     "needs to be defined before"),
]  # fmt: skip

NO_TARGET = Case("FROM scratch AS a\nFROM scratch\n", target="1")


@pytest.fixture(scope="module")
def built(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
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


@pytest.mark.parametrize("line", BLANKS)
def test_a_blank_after_what_begins_a_heredoc_is_read_as_by_one_buildkit_and_refused_by_the_next(
    line: str, engine: PrivateEngine, tmp_path: Path
) -> None:
    case = Case(f"FROM busybox:stable\n{line}")
    output = f"--output=type=oci,dest={tmp_path}/one.tar"
    done = buildx(engine, "build", "-q", "--provenance=false", output, "-", stdin=case.text)
    if done.returncode:
        assert "unterminated heredoc" in done.stderr
    else:
        _, steps = exported(tmp_path / "one.tar")
        assert [step for step in steps if step.startswith("RUN ")] == list(history(case))


@pytest.fixture(scope="module")
def refusals(engine: PrivateEngine) -> dict[str, str]:
    """What BuildKit says to each refused Dockerfile ("" if it builds it)."""

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
    assert any(words in refusals[text] for words in theirs.split("|"))
    with pytest.raises(ConfigError, match=re.escape(ours)):
        imagined(Case(text))


def test_a_stage_without_a_name_is_no_target(refusals: Mapping[str, str]) -> None:
    assert "could not be found" in refusals[NO_TARGET.text]
    with pytest.raises(ConfigError, match='no target "1"'):
        imagined(NO_TARGET)
