"""What a target reaches: stages, and references to something outside. BuildKit's view: test_dockerfile_buildkit."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tasks.errors import ConfigError
from tasks.planning.dockerfile import read
from tasks.planning.sources import Source, reached, sources

SHARED = """\
ARG GO=1.24
FROM --platform=$BUILDPLATFORM golang:${GO} AS build
RUN --mount=type=cache,target=/root/.cache --mount=type=bind,from=acme/tools:1,target=/t make
FROM debian:trixie-slim AS runtime
FROM runtime AS api
COPY --from=build /api /
FROM runtime AS worker
COPY --from=build /worker /
COPY --from=ghcr.io/acme/assets:2 / /
FROM node:22 AS unused
"""


def found(
    text: str,
    target: str | None = None,
    args: Mapping[str, str] | None = None,
    contexts: tuple[str, ...] = (),
    platform: str = "linux/arm64",
) -> tuple[Source, ...]:
    return sources(read(text, "Dockerfile"), target, args or {}, platform, "linux/amd64", contexts)


def references(text: str, target: str | None = None, **args: str) -> list[str]:
    return [source.reference for source in found(text, target, args)]


def stages(text: str, target: str | None = None, contexts: tuple[str, ...] = ()) -> list[str]:
    dockerfile = read(text, "Dockerfile")
    return [stage.label for stage in reached(dockerfile, target, {}, "linux/amd64", "linux/amd64", contexts)]


def test_a_target_of_a_shared_dockerfile_has_only_its_own_sources() -> None:
    assert found(SHARED, "worker", {"GO": "1.25"}) == (
        Source("golang:1.25", "FROM", "build", 2, "linux/amd64", "golang:${GO}"),
        Source("acme/tools:1", "RUN --mount", "build", 3, "linux/arm64", "acme/tools:1"),
        Source("debian:trixie-slim", "FROM", "runtime", 4, "linux/arm64", "debian:trixie-slim"),
        Source("ghcr.io/acme/assets:2", "COPY --from", "worker", 9, "linux/arm64", "ghcr.io/acme/assets:2"),
    )
    assert references(SHARED, "runtime") == ["debian:trixie-slim"]
    assert references(SHARED) == ["node:22"]


def test_the_stages_reached_come_in_file_order() -> None:
    assert stages(SHARED, "API") == ["build", "runtime", "api"]
    assert stages(SHARED) == ["unused"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM scratch\nCOPY --from=scratch / /\n", []),
        ("ARG B\nARG R=ghcr.io/\nARG I=${R}x:${B:-1}\nFROM $I\n", ["ghcr.io/x:1"]),
        ("ARG K=fast\nFROM a AS slow\nFROM b AS fast\nFROM ${K}\n", ["b"]),
        ("FROM a AS x-arm64\nFROM b AS x-amd64\nFROM x-$TARGETARCH\n", ["a"]),
        ("FROM a\nFROM b\nCOPY --from=0 / /\n", ["a", "b"]),
        ("FROM a AS B\nFROM c\nCOPY --from=b / /\n", ["a", "c"]),
        ("FROM a AS x\nFROM x AS x\nFROM x\n", ["a"]),
        ("FROM a AS x\nFROM b\nRUN --mount=type=bind,FROM=X,target=/t y\n", ["a", "b"]),
        ("FROM a\nFROM b\nRUN --mount=from=0,target=/t y\n", ["b", "0"]),
        ("FROM a\nRUN --mount=type=tmpfs,from=b,target=/t y\n", ["a", "b"]),
        ("FROM a\nCOPY . /\nRUN --mount=target=/t y\nADD x y\n", ["a"]),
        ("FROM a\nRUN <<X\nFROM b\nCOPY --from=c / /\nX\n", ["a"]),
        ("FROM a AS x\nONBUILD COPY --from=b / /\nFROM x AS y\nFROM y\n", ["a", "b"]),
        ("FROM a AS x\nONBUILD COPY --from=b / /\n", ["a"]),
        ("FROM a\nRUN --mount=from=c,from=d,target=/t y\n", ["a", "d"]),
        ("FROM a AS scratch\nFROM scratch\n", ["a"]),
        ("FROM x@sha256:" + "a" * 64 + "\n", ["x@sha256:" + "a" * 64]),
    ],
)
def test_references_are_found(text: str, expected: list[str]) -> None:
    assert references(text) == expected


def test_from_sees_global_arguments_only_and_their_values_may_be_given() -> None:
    text = "ARG A=one\nARG A2=${A}-two\nFROM ${A2}\nARG A=local\nFROM $A\nCOPY --from=0 / /\n"
    assert references(text) == ["one-two", "one"]
    assert references(text, A="given", OTHER="x") == ["given-two", "given"]


def test_a_named_context_takes_the_place_of_an_image() -> None:
    text = "FROM docker.io/acme/base:latest\nCOPY --from=extra / /\nCOPY --from=debian:12 / /\n"
    contexts = ("acme/base", "extra", "debian:13")
    assert [(s.reference, s.context) for s in found(text, contexts=contexts)] == [
        ("docker.io/acme/base:latest", "acme/base"),
        ("extra", "extra"),
        ("debian:12", None),
    ]


def test_a_named_context_takes_the_place_of_a_stage_and_of_all_it_stands_on() -> None:
    contexts = ("build",)
    assert [(s.reference, s.kind, s.stage, s.context) for s in found(SHARED, "api", contexts=contexts)] == [
        ("debian:trixie-slim", "FROM", "runtime", None),
        ("build", "COPY --from", "api", "build"),
    ]
    assert stages(SHARED, "api", contexts) == ["runtime", "api"]
    assert [(s.reference, s.context) for s in found(SHARED, "build", contexts=contexts)] == [
        ("build", "build")
    ]
    assert stages(SHARED, "build", contexts) == []


def test_no_context_takes_the_place_of_scratch() -> None:
    assert found("FROM scratch AS context\nFROM context\n", contexts=("scratch", "context")) == ()


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("", "linux/arm/v7"),
        ("--platform=$BUILDPLATFORM", "linux/amd64"),
        ("--platform=aarch64", "linux/arm64"),
    ],
)
def test_a_base_is_wanted_for_the_platform_that_from_names(platform: str, expected: str) -> None:
    [source] = found(f"FROM {platform} a\n", platform="linux/arm")
    assert source.platform == expected


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        (
            SHARED,
            "workr",
            r'^Dockerfile: no target "workr" .did you mean "worker".*: build, runtime, api, worker, unused',
        ),
        ("FROM a\n", "0", r'no target "0"\. There are no targets'),
        ("ARG A\nFROM $A\n", None, r"^Dockerfile:2: FROM \$A names nothing: ARG A has no value"),
        ("FROM a\nARG A=b\nFROM $A\n", None, "Dockerfile:3: .* ARG A is not declared before the first FROM"),
        (
            "FROM ${A:?set} AS unreached\nFROM b\n",
            None,
            r"Dockerfile:1: cannot expand \${A:\?set}: A: set",
        ),
        ("ARG A=${B!}\nFROM a\n", None, "Dockerfile:1: cannot expand"),
        (
            "FROM a AS base\nFROM Base\n",
            None,
            'Dockerfile:2: FROM Base: "Base" is no image .*did you mean "base"',
        ),
        ("FROM --platform=a/b/c/d x\n", None, "Dockerfile:1: --platform=a/b/c/d: .* is no platform"),
        (
            "ARG A=x\nFROM a\nCOPY --from=$A / /\n",
            None,
            r"Dockerfile:3: COPY --from=\$A: variables .* FROM \$A AS",
        ),
        ("FROM a\nRUN --mount=from=${A} x\n", None, r"RUN --mount=from=\${A}: variables are not expanded"),
        ("FROM a\nCOPY --from=2 / /\n", None, "no such stage; they count from 0 to 0"),
        ("FROM a\nCOPY --from=-1 / /\n", None, "no such stage"),
        ("FROM a\nCOPY --from=0 / /\nFROM b\n", None, "stage-0 cannot stand on itself"),
        (
            "FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nFROM x\n",
            None,
            "x cannot stand on a stage that comes later",
        ),
        ("FROM a AS x\nFROM b AS y\nCOPY --from=x / /\nFROM c AS x\nFROM y\n", None, "y cannot stand on"),
    ],
)
def test_what_buildkit_would_refuse_is_refused_with_its_place(
    text: str, target: str | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        found(text, target)
