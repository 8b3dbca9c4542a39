"""What is looked for in built images: foreign programs, secrets' bytes, what looks like a credential."""

from __future__ import annotations

import base64
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tasks.checks import credentials, leaks, processors
from tasks.checks.leaks import SecretBytes
from tasks.engine import secrets
from tests.evidences import elf, evidence
from tests.layers import member

SECRET = b"hunter2-of-the-seven-seas"
NETRC = b"machine git.example.com\nlogin robot\npassword s3cr3t-Pa55word\n"


def leaked(folder: Path, *members: tuple[tarfile.TarInfo, bytes], value: bytes = SECRET, **more) -> list[str]:
    """The places in which a secret is found."""
    found = leaks.check(
        evidence(folder, ("COPY . .", [member("etc/motd", b"ahoy"), *members]), **more),
        [SecretBytes("token", value)],
    )
    for one in found:
        assert one.error
        assert "token" in one.detail
        assert value.strip().decode() not in repr(found)
    return [one.where for one in found]


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    assert leaked(tmp_path, member("a", b"hunter2-of-the-seven-sea")) == []


def test_a_secret_is_found_in_a_file_and_in_what_a_later_layer_hides(tmp_path: Path) -> None:
    image = evidence(
        tmp_path,
        ("RUN fetch", [member("root/.netrc", b"x" + SECRET + b"y")]),
        ("RUN rm /root/.netrc", [member("root/.wh..netrc")]),
    )
    (found,) = leaks.check(image, [SecretBytes("token", SECRET + b"\n")])
    assert found.where == "/root/.netrc"
    assert "in the layer of: RUN fetch" in found.detail


def test_a_secret_is_found_across_the_blocks_it_is_read_in(tmp_path: Path) -> None:
    for before in ((1 << 20) - 10, (1 << 20) - len(SECRET), (1 << 20) - 1, (1 << 20)):
        folder = tmp_path / str(before)
        folder.mkdir()
        assert leaked(folder, member("big", bytes(before) + SECRET + bytes(5))) == ["/big"], before


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(3))
@pytest.mark.parametrize("code", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_found_in_base64_wherever_it_begins(
    tmp_path: Path, before: int, after: int, code
) -> None:
    coded = code(b"\xff" * before + SECRET + b"\xfe" * after)
    assert leaked(tmp_path, member("auth.json", b'{"auth": "' + coded + b'"}')) == ["/auth.json"]


def test_a_secret_is_found_in_names_configuration_and_history(tmp_path: Path) -> None:
    text = SECRET.decode()
    cases: list[tuple[list[tuple[tarfile.TarInfo, bytes]], dict[str, Any]]] = [
        ([member(f"run/{text}", b"")], {}),
        ([member("link", kind=tarfile.SYMTYPE, linkname=f"/{text}")], {}),
        ([], {"config": {"Env": [f"A=1{text}"]}}),
        ([], {"config": {"Labels": {"a": f'"quoted" {text}'}}}),
    ]
    for number, (members, more) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert leaked(folder, *members, **more), number
    image = evidence(tmp_path, (f"RUN |1 T={text} curl", [member("a", SECRET)]))
    found = leaks.check(image, [SecretBytes("token", SECRET)])
    assert {one.where for one in found} == {"the configuration", "/a"}
    assert text not in repr(found), "the line that made the layer holds it too, and is shown"


def test_of_a_file_of_several_words_the_telling_one_is_enough(tmp_path: Path) -> None:
    assert leaked(tmp_path, member("a", b"x s3cr3t-Pa55word x"), value=NETRC) == ["/a"]
    assert leaked(tmp_path, member("etc/hosts", b"git.example.com robot login machine"), value=NETRC) == []


def test_a_line_of_a_key_gives_it_away_and_its_heading_does_not(tmp_path: Path) -> None:
    line = b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    key = b"-----BEGIN PRIVATE KEY-----\n" + line + b"\nQ" + line[::-1] + b"\n-----END PRIVATE KEY-----\n"
    assert leaked(tmp_path, member("doc", b"-----BEGIN PRIVATE KEY-----"), value=key) == []
    assert leaked(tmp_path, member("key", b"  " + line + b"\n"), value=key) == ["/key"]


def test_a_secret_too_short_to_be_told_from_other_text_is_not_looked_for() -> None:
    assert secrets.forms(b"abc\n") == set()
    assert SECRET not in repr(SecretBytes("token", SECRET)).encode()


def test_programs_for_another_processor_are_an_error_that_names_the_layer(tmp_path: Path) -> None:
    steps = (
        ("COPY base / # buildkit", [member("bin/sh", elf(183), mode=0o755)]),
        (
            "COPY api /app/api # buildkit",
            [member("app/api", elf(62), mode=0o755), member("app/data", elf(62))],
        ),
    )
    assert processors.check(evidence(tmp_path, *steps[1:])) == []
    (found,) = processors.check(evidence(tmp_path, *steps, platform="linux/arm64"))
    assert found.error
    assert "a program in an image for linux/arm64 was built for amd64: /app/api." in found.detail
    assert found.detail.endswith("The layer: COPY api /app/api")


def test_a_program_that_a_later_layer_replaces_is_none_of_the_image(tmp_path: Path) -> None:
    steps = [("one", [member("app", elf(62), mode=0o755)]), ("two", [member("app", elf(183), mode=0o755)])]
    assert processors.check(evidence(tmp_path, *steps, platform="linux/arm64")) == []


def told(folder: Path, *history: str, **config: object) -> list[str]:
    return [
        one.where
        for one in credentials.check(
            evidence(folder, *[(line, ()) for line in history], config=config).configuration
        )
    ]


@pytest.mark.parametrize(
    "line",
    [
        "ARG API_TOKEN=4711-0815-abc",
        "RUN |1 DB_PASSWORD=swordfish /bin/sh -c make # buildkit",
        "RUN |2 A=1 GITHUB_TOKEN=abcdefgh /bin/sh -c make",
        "ARG X=ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "RUN /bin/sh -c curl https://robot:swordfish@example.com/x # buildkit",
        'COPY <<EOF /key "-----BEGIN RSA PRIVATE KEY-----"',
    ],
)
def test_a_credential_in_the_history_is_found_and_not_repeated(tmp_path: Path, line: str) -> None:
    (found,) = credentials.check(evidence(tmp_path, (line, ())).configuration)
    assert found.error
    for value in ("4711", "swordfish", "abcdefgh", "ghp_", "BEGIN"):
        assert value not in found.detail
    assert "--mount=type=secret" in found.detail


@pytest.mark.parametrize(
    "line",
    [
        "ARG API_TOKEN",
        "ARG API_TOKEN=",
        "ARG TOKEN_FILE=/run/secrets/token",
        "ARG TOKEN_URL=https://example.com/token",
        "ENV PASSWORD=${PASSWORD}",
        "RUN |1 USE_TOKEN=true /bin/sh -c make",
        "RUN |1 API_TOKEN= /bin/sh -c make --password-file=/x",
        "ARG MONKEY=banana",
        "ARG COMPASS=north-by-northwest",
        "RUN /bin/sh -c curl https://example.com/a@b",
    ],
)
def test_what_is_no_credential_is_left_alone(tmp_path: Path, line: str) -> None:
    assert told(tmp_path, line) == []


def test_the_environment_labels_and_command_are_looked_at(tmp_path: Path) -> None:
    assert told(tmp_path, Env=["PATH=/bin", "DB_PASSWORD=swordfish"]) == ["ENV DB_PASSWORD"]
    assert told(tmp_path, Labels={"a.token": "x", "b": "glpat-abcdefghij0123456789"}) == ["LABEL b"]
    assert told(tmp_path, Cmd=["server", "--db=postgres://me:swordfish@db/x"]) == ["CMD"]


def test_arguments_that_build_toml_gives_are_looked_at_before_anything_is_built() -> None:
    (found,) = credentials.said({"GO": "1.26", "NPM_TOKEN": "swordfish"}, "images.api.args")
    assert found.where == "images.api.args.NPM_TOKEN"
    assert not found.error
    assert "swordfish" not in found.detail
