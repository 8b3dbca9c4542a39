"""What goes into an image: found in its Dockerfile, and widened where it cannot be told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.errors import ConfigError
from tasks.model import Secret
from tasks.planning.dockerfile import read
from tasks.planning.plan import Need, PlannedImage
from tasks.planning.recipe import Recipe, recipe
from tasks.planning.taking import Taken

IMAGE = PlannedImage(
    name="api", version="1", dockerfile="Dockerfile", context=".", target="", platforms=("linux/amd64",)
)


def of(
    text: str,
    image: PlannedImage = IMAGE,
    platform: str = "linux/amd64",
    environ: dict[str, str] | None = None,
) -> Recipe:
    return recipe(image, read(text, "Dockerfile"), platform, "linux/amd64", environ or {})


def test_a_copy_takes_its_sources_and_nothing_else() -> None:
    found = of("FROM scratch\nCOPY --chown=1:1 a.txt b/ *.go /dst/\n")
    assert found.taken == (Taken("", ("a.txt", "b/", "*.go"), ("chown",)),)
    assert not found.bases


def test_only_the_stages_that_the_target_reaches_count() -> None:
    text = "FROM a:1 AS one\nCOPY one /\nFROM b:1 AS two\nCOPY two /\n"
    found = of(text, replace(IMAGE, target="one"))
    assert found.bases == (("a:1", "linux/amd64"),)
    assert found.taken == (Taken("", ("one",)),)


def test_a_declared_argument_counts_even_where_nothing_names_it() -> None:
    text = "FROM scratch\nARG VERSION=dev\nCOPY x /\n"
    assert of(text).fixed["argument VERSION"] == "dev"
    assert of(text, replace(IMAGE, args={"VERSION": "2"})).fixed["argument VERSION"] == "2"


def test_an_argument_that_only_selects_the_base_counts_by_the_base_alone() -> None:
    text = "ARG BASE=busybox:1\nFROM ${BASE}\n"
    found = of(text, replace(IMAGE, args={"BASE": "busybox:2"}))
    assert found.bases == (("busybox:2", "linux/amd64"),)
    assert "argument BASE" not in found.fixed


def test_an_argument_no_stage_declares_does_not_count() -> None:
    text = "FROM scratch\nCOPY x /\n"
    assert of(text).fixed == of(text, replace(IMAGE, args={"UNUSED": "1", "http_proxy": "x"})).fixed


def test_what_steers_buildkit_counts_without_being_declared() -> None:
    found = of(
        "FROM scratch\n",
        replace(IMAGE, args={"BUILDKIT_SANDBOX_HOSTNAME": "h"}),
        environ={"SOURCE_DATE_EPOCH": "1"},
    )
    assert found.fixed["argument BUILDKIT_SANDBOX_HOSTNAME"] == "h"
    assert found.fixed["environment SOURCE_DATE_EPOCH"] == "1"


def test_a_sibling_counts_by_its_address_never_by_the_name_it_is_called() -> None:
    text = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY --from=acme/assets:9 /x /x\n"
    recipes = [
        of(
            text.replace(":9", tag),
            replace(
                IMAGE,
                args={"BASE_IMAGE": f"ghcr.io/acme/base{tag}"},
                needs=(
                    Need("base", "", "", f"ghcr.io/acme/base{tag}"),
                    Need("assets", "", "", f"acme/assets{tag}"),
                ),
            ),
        )
        for tag in (":1.0", ":2.0")
    ]
    assert recipes[0].siblings == (("base", "linux/amd64"), ("assets", "linux/amd64"))
    assert recipes[0] == recipes[1]


def test_a_build_stage_for_the_building_machine_asks_for_its_platform() -> None:
    found = of(
        "FROM --platform=$BUILDPLATFORM golang:1 AS b\nFROM scratch\nCOPY --from=b /x /\n",
        platform="linux/arm64",
    )
    assert found.bases == (("golang:1", "linux/amd64"),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("FROM a:1\nCOPY $DIR/x /\n", "a variable of the base image"),
        ("FROM a:1\nARG X\nCOPY ${UNSAID}/x ${X} /\n", "a variable of the base image"),
        ("FROM a:1\nENV E=${DIR:-left}\nCOPY $E /\n", "a variable of the base image"),
        ("FROM a:1\nARG E=${DIR:-left} F=$E\nCOPY $F /\n", "a variable of the base image"),
        ("FROM a:1\nARG E=left\nENV $DIR=right\nCOPY $E /\n", "a variable of the base image"),
    ],
)
def test_what_is_not_understood_takes_the_whole_context_and_says_so(text: str, why: str) -> None:
    found = of(text)
    assert Taken("") in found.taken
    assert any(why in note for note in found.notes)


def test_a_variable_made_of_known_ones_is_known() -> None:
    text = "FROM a:1\nARG A=lib\nENV E=$UNSAID\nENV E=$A/x F=${A}\nARG G=$E H=$G\nCOPY $H $F /\n"
    assert of(text).taken == (Taken("", ("lib/x", "lib")),)


def test_a_bind_mount_without_a_source_takes_the_whole_context() -> None:
    assert of("FROM a:1\nRUN --mount=type=bind,target=/src make\n").taken == (Taken("", mounted=True),)
    assert of("FROM a:1\nRUN --mount=target=/src,source=lib make\n").taken == (
        Taken("", ("lib",), mounted=True),
    )
    assert of("FROM a:1\nRUN --mount=type=cache,target=/c make\n").taken == ()


def test_a_remote_file_without_checksum_makes_an_image_that_cannot_be_reused() -> None:
    assert "has no --checksum" in of("FROM scratch\nADD https://example.com/x /x\n").barrier
    pinned = "FROM scratch\nADD --checksum=sha256:" + "0" * 64 + " https://example.com/x /x\n"
    assert of(pinned).barrier == ""


def test_what_may_be_a_url_counts_as_one() -> None:
    below = "FROM scratch AS a\nENV URL=http://host/f\nFROM a\nADD $URL /f\n"
    assert "may be a URL" in of(below).barrier
    assert of(below.replace("ADD", "COPY")).barrier == ""
    assert of(below.replace("ADD", f"ADD --checksum=sha256:{'0' * 64}")).barrier == ""


@pytest.mark.parametrize("checksum", ["$SUM", "${SUM:-}", "$OF_THE_BASE", '""'])
def test_a_checksum_that_is_empty_or_unknown_is_none(checksum: str) -> None:
    text = "FROM a:1\nARG SUM=\nADD --checksum={} https://example.com/x /x\n"
    assert "has no --checksum" in of(text.format(checksum)).barrier
    given = replace(IMAGE, args={"SUM": f"sha256:{'0' * 64}"})
    assert of(text.format("$SUM"), given).barrier == ""
    assert of(text.format("$NO"), given).barrier


@pytest.mark.parametrize(
    ("word", "fetched"),
    [
        ("git@host.io:team/repo", True),
        ("deploy@build-host.io:repo.git#main", True),
        ("github.com/team/repo.git#v1:sub", True),
        ("ssh://host/repo", True),
        ("https://host/repo.git?ref=v1", True),
        ("lib/repo.git", False),
        ("a@b.txt", False),
    ],
)
def test_what_adds_git_forms_fetch_cannot_be_known(word: str, fetched: bool) -> None:
    found = of(f"FROM scratch\nADD {word} /x\n")
    assert bool(found.barrier) == fetched
    assert found.taken == (() if fetched else (Taken("", (word,)),))


def test_a_secret_is_named_as_left_out() -> None:
    found = of("FROM a:1\nRUN --mount=type=secret,id=netrc cat /run/secrets/netrc\n")
    assert "the content of secret netrc is no part of the address" in found.notes


def test_a_secret_or_key_counts_by_its_id_where_it_is_given_and_mounted() -> None:
    text = "FROM a:1\nRUN --mount=type=secret,target=/x/token --mount=type=ssh ls\n"
    secrets = (Secret("token", env="T"), Secret("other", env="O"))
    without, given = of(text), of(text, replace(IMAGE, secrets=secrets, ssh=("default=/a/key",)))
    assert dict(given.fixed.items() - without.fixed.items()) == {
        "secret token": "given",
        "ssh default": "given",
    }
    elsewhere = replace(IMAGE, secrets=(Secret("token", file="/t"), secrets[1]), ssh=("default",))
    assert of(text, elsewhere) == given


def test_a_cache_kept_in_the_image_counts_and_no_other() -> None:
    text = "FROM a:1\n"
    assert of(text, replace(IMAGE, cache_to=("type=inline",))).fixed != of(text).fixed
    assert of(text, replace(IMAGE, cache_to=("type=local,dest=/x",))) == of(text)


@pytest.mark.parametrize(
    "frontend",
    ["docker/dockerfile", "docker.io/docker/dockerfile:1.7", "docker/dockerfile-upstream@sha256:a"],
)
def test_dockers_own_frontends_are_understood(frontend: str) -> None:
    found = of(f"# syntax={frontend}\nFROM a:1\nCOPY x /\n")
    assert (found.taken, found.notes) == ((Taken("", ("x",)),), ())


def test_another_frontend_may_read_anything() -> None:
    text = "FROM a:1\nCOPY x /\n"
    image = replace(IMAGE, contexts={"vendor": "third"}, args={"A": "1"})
    for found in (
        of(f"# syntax=acme/frontend:1\n{text}", image),
        of(text, replace(image, args={"A": "1", "BUILDKIT_SYNTAX": "acme/frontend:1"})),
    ):
        assert {Taken(""), Taken("vendor")} <= set(found.taken)
        assert found.notes == ("the frontend acme/frontend:1 is not understood: the whole context counts",)
        assert found.fixed["argument A"] == "1"


def test_a_named_context_that_is_a_folder_is_taken_by_what_is_copied() -> None:
    image = replace(IMAGE, contexts={"vendor": "third/party"})
    assert of("FROM scratch\nCOPY --from=vendor lib /lib\n", image).taken == (
        Taken("vendor", ("lib",), ("from",)),
    )


def test_a_named_context_elsewhere_cannot_be_known() -> None:
    image = replace(IMAGE, contexts={"vendor": "https://example.com/x.git"})
    assert "no one here can know" in of("FROM scratch\nCOPY --from=vendor lib /lib\n", image).barrier


def test_comments_spacing_and_heredoc_bodies() -> None:
    plain = of("FROM a:1\nRUN make all\n").fixed
    assert of("# a comment\nFROM a:1\n\nRUN    make all\n").fixed == plain
    assert of("FROM a:1\nRUN <<E\none\nE\n").fixed != of("FROM a:1\nRUN <<E\ntwo\nE\n").fixed


def test_the_project_folder_is_no_part_of_it(tmp_path: Path) -> None:
    assert str(tmp_path) not in str(of("FROM a:1\nCOPY . .\n"))


TOKEN = replace(IMAGE, secrets=(Secret("tok", file="t"),))


@pytest.mark.parametrize(
    ("mount", "taken"),
    [
        ("--mount=type=$T,source=sub,target=/m", Taken("", ("sub",), mounted=True)),
        ("--mount=\"type='bind',source=sub,target=/m\"", Taken("", ("sub",), mounted=True)),
        ("--mount=\"source='sub',target=/m\"", Taken("", mounted=True)),
        ("--mount=type=cache,from=other,source=$T,target=/m", Taken("other", mounted=True)),
    ],
)
def test_a_mount_that_may_be_of_a_context_counts(mount: str, taken: Taken) -> None:
    image = replace(IMAGE, contexts={"other": "docker/other"})
    assert of(f"FROM a:1\nARG T=bind\nRUN {mount} ls\n", image).taken == (taken,)


@pytest.mark.parametrize("mount", ["type=secret,id=$I", "type=$T,id=tok", "type=secret,target=/run/'tok'"])
def test_a_secret_that_may_be_mounted_counts(mount: str) -> None:
    text = f"FROM a:1\nARG I=tok T=secret\nRUN --mount={mount} ls\n"
    assert of(text, TOKEN).fixed["secret tok"] == "given"
    assert "secret tok" not in of(text).fixed
    assert "secret tok" not in of("FROM a:1\nRUN --mount=type=secret,id=else ls\n", TOKEN).fixed


def test_the_last_of_a_mount_s_fields_counts_under_whichever_name() -> None:
    text = "FROM a:1\nRUN --mount=source=a,src=b,source=sub,target=/m ls\n"
    assert of(text).taken == (Taken("", ("sub",), mounted=True),)


def test_a_frontend_behind_a_shebang_is_seen_and_all_it_reads_counts() -> None:
    """BuildKit takes its frontend from there; what that makes of a comment no one here knows."""
    text = "#!/usr/bin/env x\n# syntax=acme/front\nFROM a:1\n#@ one\n"
    image = replace(IMAGE, args={"UNSEEN": "1"}, target="")
    found = of(text, image)
    assert found.taken == (Taken(""),)
    assert found.fixed != of(text.replace("one", "two"), image).fixed
    assert found.fixed != of(text.replace("front", "back"), image).fixed
    ours = "# syntax=docker/dockerfile:1\nFROM a:1\n#@ one\n"
    assert of(ours).fixed == of(ours.replace("one", "two")).fixed
    assert read("#!/x\n# escape=`\nFROM a:1\n", "Dockerfile").escape == "\\"


def test_separators_that_are_no_blanks_to_go_are_part_of_a_word() -> None:
    assert of("FROM a:1\nENV A=b\x1fC=d\n").fixed != of("FROM a:1\nENV A=b C=d\n").fixed
    assert of("FROM a:1\nENV SEP=\x1f\n").fixed != of("FROM a:1\nENV SEP=\n").fixed


def test_a_variable_of_the_base_may_have_any_letters() -> None:
    assert of("FROM a:1\nCOPY sub$äx /\n").taken == (Taken(""),)


def test_a_path_that_only_begins_like_a_heredoc_is_a_path() -> None:
    assert of("FROM a:1\nCOPY <<a<b x /d/\n").taken == (Taken("", ("<<a<b", "x")),)


@pytest.mark.parametrize("line", ["ENV P=${NEED:?must}/x", "ARG P=${NEED:?must}/x"])
def test_what_only_the_base_can_have_is_left_to_buildkit(line: str) -> None:
    of(f"FROM a:1\n{line}\nCOPY $P /\n")
    with pytest.raises(ConfigError, match="must"):
        of(f"FROM a:1\nENV NEED=\n{line}\n")


@pytest.mark.parametrize("line", ["ADD --from=7 a /x", "ADD --from=Nope! a /x", f"CMD {'[' * 5000}"])
def test_odd_instructions_are_buildkit_s_to_refuse(line: str) -> None:
    of(f"FROM a:1\n{line}\n")
