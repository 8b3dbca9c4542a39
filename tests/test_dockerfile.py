"""Reading a Dockerfile's text; every rule here is also tried against BuildKit in test_dockerfile_buildkit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import ConfigError
from tasks.planning.dockerfile import Dockerfile, Heredoc, Instruction, read, targets


def dockerfile(text: str) -> Dockerfile:
    return read(text, "docker/api/Dockerfile")


def only(line: str) -> Instruction:
    """The one instruction of a stage."""
    [instruction] = dockerfile(f"FROM scratch\n{line}").stages[0].instructions
    return instruction


def words(text: str) -> list[tuple[str, ...]]:
    return [(i.keyword, *i.arguments) for i in dockerfile(text).stages[0].instructions]


def test_a_whole_file_is_read_into_stages() -> None:
    found = dockerfile(
        "# syntax=docker/dockerfile:1\n# check=skip=all\n\nARG BASE=debian:trixie-slim\n"
        "FROM --platform=$BUILDPLATFORM golang:1.24 AS Build\nARG VERSION\nRUN make\n"
        "from ${BASE}\ncopy --from=build /out /\n"
    )
    assert found.directives == {"syntax": "docker/dockerfile:1", "check": "skip=all"}
    assert [i.pairs() for i in found.globals] == [(("BASE", "debian:trixie-slim"),)]
    build, final = found.stages
    assert (build.name, build.label, build.base, build.platform) == (
        "build",
        "build",
        "golang:1.24",
        "$BUILDPLATFORM",
    )
    assert (final.name, final.label, final.base, final.platform) == ("", "stage-1", "${BASE}", "")
    assert [(i.keyword, i.line) for i in build.instructions] == [("ARG", 6), ("RUN", 7)]
    assert final.instructions[0].flag("from") == "build"
    assert (build.line, final.line, found.place(8)) == (5, 8, "docker/api/Dockerfile:8")
    assert targets(found) == ("build",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM x\nRUN a \\\n  b\n", [("RUN", "a   b")]),
        ("FROM x\nRUN a \\  \t\n b\n", [("RUN", "a  b")]),
        ("FROM x\nRUN a \\\n# note\n\n   # note\n  b\nRUN c\n", [("RUN", "a   b"), ("RUN", "c")]),
        ("FROM x\nRUN a \\\n", [("RUN", "a")]),
        ("FROM x\nRUN a\\\\\nRUN b\n", [("RUN", r"a\\"), ("RUN", "b")]),
        ("FROM x\n\\\nRUN a", [("RUN", "a")]),
        ("FROM x\n# RUN a \\\nRUN b # c\n", [("RUN", "b # c")]),
        ("\ufeff  FROM x\r\nRUN a \\\r\n b\r\n", [("RUN", "a  b")]),
        ("# escape=`\nFROM x\nRUN a `\n b \\\nRUN c\n", [("RUN", "a  b \\"), ("RUN", "c")]),
        ("\n# escape=`\nFROM x\nRUN a \\\n b\n", [("RUN", "a  b")]),
        ("#!/shebang\n# escape=`\nFROM x\nRUN a \\\n b\n", [("RUN", "a  b")]),
        ("FROM x\n\trun\ta\f\n", [("RUN", "a")]),
    ],
)
def test_lines_are_joined_and_comments_dropped(text: str, expected: list[tuple[str, ...]]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("line", "exec_form", "arguments"),
    [
        ('CMD ["a", "b c"]', True, ("a", "b c")),
        ("CMD [ 'a' ]", False, ("[ 'a' ]",)),
        ('CMD ["a"] && b', False, ('["a"] && b',)),
        ("CMD [NaN]", False, ("[NaN]",)),
        ("CMD", False, ()),
        ('COPY ["a b", "c"]', True, ("a b", "c")),
        ("COPY a   b\tc", False, ("a", "b", "c")),
        ("RUN  a   b ", False, ("a   b",)),
        ("EXPOSE 80  443/udp", False, ("80", "443/udp")),
        ('HEALTHCHECK --interval=5s cmd ["a"]', True, ("CMD", "a")),
        ("HEALTHCHECK   none", False, ("NONE",)),
        ("HEALTHCHECK CMD  curl  x", False, ("CMD", "curl  x")),
        ("ENV A=1 B=\"x y\" C='z' D=a\\ b", False, ("A=1", 'B="x y"', "C='z'", "D=a\\ b")),
        ("ENV A  one two", False, ("A=one two",)),
        ("ARG A B=1 C=", False, ("A", "B=1", "C=")),
        ("WORKDIR /a  b", False, ("/a  b",)),
    ],
)
def test_arguments_are_split_as_each_keyword_wants(
    line: str, exec_form: bool, arguments: tuple[str, ...]
) -> None:
    found = only(line)
    assert (found.exec_form, found.arguments) == (exec_form, arguments)


def test_flags_come_off_the_front_without_their_quotes() -> None:
    found = only('RUN --mount=type=bind,from=a --mount="type=cache,target=/c d" --network=none -- --x')
    assert found.flag_values("mount") == ("type=bind,from=a", "type=cache,target=/c d")
    assert (found.flag("network"), found.flag("security")) == ("none", None)
    assert found.arguments == ("--x",)
    assert only("COPY --link --chown=1:2 a b").flags == (("link", ""), ("chown", "1:2"))


def test_arg_without_a_value_differs_from_an_empty_one() -> None:
    assert only("ARG A B= C=a=b").pairs() == (("A", None), ("B", ""), ("C", "a=b"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("RUN <<X\n# kept\n\\X\nX\n", [Heredoc("X", "# kept\n\\X\n", expand=True, chomp=False)]),
        ("COPY <<X <<-'Y' /d/\nY\nX\n\ta\n\tY\n", [("X", "Y\n", True, False), ("Y", "\ta\n", False, True)]),
        ('RUN cat 3<<"a b"\n1\na b\n', [("a b", "1\n", False, False)]),
        ("RUN <<\\X\nX\n", [("X", "", True, False)]),
        ("RUN <<$X\n$X\n", [("$X", "", True, False)]),
        ("RUN <<eo'f'\neof\n", [("eof", "", False, False)]),
        ("RUN cat << X\n1\nX\n", [("X", "1\n", True, False)]),
        ("ADD <<X \\\n # note\n /x\n1\r\nX\r\n", [("X", "1\r\n", True, False)]),
        ("RUN echo $((1 << 2))", []),
        ("RUN echo '<<X' \"<<X\" <<<X", []),
        ('RUN ["<<X"]', []),
        ("ENV A=<<X", []),
        ("RUN it's <<X", []),
        ("ONBUILD COPY <<X /x\n1\nX\n", [("X", "1\n", True, False)]),
    ],
)
def test_heredocs_are_found(line: str, expected: list[object]) -> None:
    found = only(line)
    assert found.heredocs == tuple(e if isinstance(e, Heredoc) else Heredoc(*e) for e in expected)  # type: ignore[misc]


def test_leading_tabs_go_only_where_the_heredoc_says_so() -> None:
    chomped, kept = only("COPY <<-X <<Y /d/\n\t\ta\n b\n\tX\n\tc\nY\n").heredocs
    assert (chomped.text, kept.text) == ("a\n b\n", "\tc\n")


def test_the_lines_of_a_heredoc_belong_to_its_instruction() -> None:
    run, copy = dockerfile("FROM x\nRUN a \\\n <<X\nCOPY b c\nX\nCOPY d e").stages[0].instructions
    assert (run.line, run.end, copy.line, copy.end) == (2, 5, 6, 6)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RUN a", "run   a"),
        ("RUN a b", "RUN a \\\n# note\nb"),
        ("COPY a b", "COPY   a\tb"),
        ('CMD ["a","b"]', 'CMD [ "a", "b" ]'),
        ("ENV A=1 B=2", "ENV A=1    B=2"),
        ("HEALTHCHECK CMD a", "HEALTHCHECK   cmd   a"),
    ],
)
def test_what_does_not_matter_is_not_in_the_text(one: str, other: str) -> None:
    assert only(one).text == only(other).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RUN a  b", "RUN a b"),
        ('COPY --chown="a b" c d', "COPY --chown=a b c d"),
        ("ENV A b C=d", "ENV A=b C=d"),
        ("CMD a b", 'CMD ["a", "b"]'),
        ("RUN <<X\na\nX", "RUN <<X\nb\nX"),
        ("RUN <<X\na\nX", "RUN <<'X'\na\nX"),
        ("ONBUILD RUN a", "ONBUILD run a"),
    ],
)
def test_what_matters_is_in_the_text(one: str, other: str) -> None:
    assert only(one).text != only(other).text


def test_onbuild_keeps_what_it_will_run_unchecked() -> None:
    found = only("ONBUILD COPY --from=build a b")
    assert found.trigger is not None
    assert (found.trigger.keyword, found.trigger.flag("from"), found.trigger.line) == ("COPY", "build", 2)
    assert found.arguments == ("COPY --from=build a b",)
    unknown = only("ONBUILD FROBNICATE it").trigger
    assert unknown is not None
    assert unknown.keyword == "FROBNICATE"


def test_a_later_stage_of_the_same_name_hides_the_earlier_one() -> None:
    found = dockerfile("FROM x AS a\nFROM y AS b\nFROM z AS A\n")
    assert found.named("a") is found.stages[2]
    assert found.named("a", before=2) is found.stages[0]
    assert found.named("c") is None
    assert targets(found) == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^docker/api/Dockerfile: the Dockerfile is empty"),
        ("# nothing\n\n", r"^docker/api/Dockerfile: there is no FROM"),
        ("ARG A\n", "no FROM"),
        (
            "FROM x\n\nRUNN a\n",
            r'Dockerfile:3: unknown instruction "RUNN" .did you mean "RUN".*VOLUME, WORKDIR',
        ),
        ("FROM x\nzzz\n", r'unknown instruction "zzz"\. Available instructions: ADD, ARG'),
        ("FROM x\n\\\n", 'unknown instruction ""'),
        ("RUN a\nFROM x\n", "Dockerfile:1: RUN before the first FROM"),
        ("FROM\n", "FROM takes"),
        ("FROM a b\n", "FROM takes one image"),
        ("FROM a IS b\n", "FROM takes one image"),
        ("FROM a AS 1b\n", '"1b" cannot name a stage'),
        ("FROM a AS b-\n", '"b-" cannot name a stage'),
        ("FROM x\nRUN <<X\nX \n", r'Dockerfile:2: the heredoc "X" is never ended'),
        ("FROM x\nCOPY a <<X\nX\n", "needs a destination"),
        ("FROM x\nCOPY a\n", "COPY needs a source and a destination"),
        ("FROM x\nENV A\n", "ENV needs a value for A"),
        ("FROM x\nENV A=1 B\n", 'ENV has "B" where'),
        ("FROM x\nLABEL\n", "LABEL needs an argument"),
        ("FROM x\nARG =1\n", "ARG has a value without a name"),
        ("FROM x\nWORKDIR\n", "WORKDIR needs an argument"),
        ("FROM x\nSHELL sh\n", "SHELL needs a JSON list"),
        ("FROM x\nSHELL []\n", "SHELL needs an argument"),
        ("FROM x\nCMD [1]\n", "more than strings"),
        ('FROM x\nVOLUME [""]\n', "VOLUME cannot have an empty path"),
        ("FROM x\nHEALTHCHECK CMD\n", "either CMD with a command, or NONE alone"),
        ("FROM x\nHEALTHCHECK NONE x\n", "either CMD with a command, or NONE alone"),
        ("FROM x\nONBUILD\n", "ONBUILD needs an argument"),
        ("FROM x\nONBUILD FROM y\n", "ONBUILD cannot have FROM as its trigger"),
        ("FROM x\nONBUILD ENV A\n", "ENV needs a value"),
        ("# escape=/\nFROM x\n", "Dockerfile:1: escape can be"),
        ("# syntax=a\n# Syntax=b\nFROM x\n", "Dockerfile:2: the syntax directive can be given only once"),
    ],
)
def test_what_buildkit_refuses_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dockerfile(text)


LINES = (
    "FROM x",
    "RUN <<X",
    "X",
    "\\",
    "COPY <<-'Y' \\",
    "ENV A",
    "ENV A=1 'b",
    "# c",
    "",
    "ONBUILD RUN [",
    "\ufeff",
)


@given(st.lists(st.sampled_from(LINES) | st.text(alphabet="RUN <X\\'\"[]#-=\t\r", max_size=9)))
def test_any_text_is_read_or_refused(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        found = dockerfile(text)
    except ConfigError as refused:
        assert "docker/api/Dockerfile" in str(refused)  # noqa: PT017 - both outcomes are right
    else:
        ends = [i.end for stage in found.stages for i in stage.instructions]
        assert ends == sorted(ends)
        assert all(end <= len(lines) for end in ends)
