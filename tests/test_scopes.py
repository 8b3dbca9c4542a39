"""Which variables an instruction sees; BuildKit's own answers are in test_dockerfile_buildkit."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.planning.dockerfile import read
from tasks.planning.scopes import global_scope, visible


def seen(
    text: str, args: Mapping[str, str] | None = None, contexts: tuple[str, ...] = (), **base_env: str
) -> dict[str, str]:
    """The variables at the last instruction of the last stage."""
    dockerfile = read(text, "Dockerfile")
    scope = global_scope(dockerfile, None, args or {}, "linux/arm/v7", "linux/amd64")
    steps = list(visible(dockerfile, dockerfile.stages[-1], scope, args or {}, contexts, base_env))
    return dict(steps[-1][1])


def test_from_sees_the_platforms_and_the_global_arguments() -> None:
    dockerfile = read("ARG A=1\nARG B=${A}$TARGETARCH\nARG C\nARG TARGETOS\nFROM x AS final\n", "Dockerfile")
    scope = global_scope(dockerfile, None, {"A": "2", "TARGETVARIANT": "v6"}, "linux/arm/v7", "linux/amd64")
    assert scope["B"] == "2arm"
    assert "C" not in scope
    assert (scope["TARGETPLATFORM"], scope["TARGETOS"], scope["TARGETVARIANT"]) == (
        "linux/arm/v7",
        "linux",
        "v6",
    )
    assert (scope["BUILDPLATFORM"], scope["BUILDVARIANT"], scope["TARGETSTAGE"]) == (
        "linux/amd64",
        "",
        "final",
    )


def test_a_stage_sees_what_it_declares_and_nothing_else() -> None:
    text = "ARG A=1\nARG B=2\nFROM x\nARG A\nARG C=${A}3 D\nARG TARGETARCH\nRUN y\n"
    assert seen(text, {"D": "4", "E": "5"}) == {"A": "1", "C": "13", "D": "4", "TARGETARCH": "arm"}


def test_what_comes_later_is_not_seen_and_env_of_one_line_sees_what_was_before() -> None:
    assert seen("FROM x\nENV A=1\nENV A=2 B=$A\nRUN y\n") == {"A": "2", "B": "1"}
    assert seen("FROM x\nRUN y\nENV A=1\n") == {}


def test_a_stage_inherits_what_its_base_saw_and_env_has_the_last_word() -> None:
    text = "FROM x AS a\nARG A=arg\nENV B=env\nARG B=arg\nFROM y AS other\nENV C=1\nFROM a\nRUN z\n"
    assert seen(text, PATH="/bin") == {"A": "arg", "B": "env", "PATH": "/bin"}


def test_onbuild_of_an_earlier_stage_runs_once_and_first() -> None:
    text = "FROM x AS a\nONBUILD ENV A=1\nFROM a AS b\nENV B=$A\nFROM b\nRUN y\n"
    assert seen(text) == {"A": "1", "B": "1"}


def test_a_stage_that_a_context_replaces_leaves_nothing() -> None:
    assert seen("FROM x AS a\nENV A=1\nONBUILD ENV B=1\nFROM a\nRUN y\n", contexts=("a",)) == {}
