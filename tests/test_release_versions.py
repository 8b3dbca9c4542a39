"""Which version is newer, which name means one of them for ever, which names a release leaves alone."""

from __future__ import annotations

import pytest

from tasks.errors import ConfigError, RefusedError
from tasks.release import preflight, versions
from tasks.release.record import Record


@pytest.mark.parametrize(
    ("tag", "immutable", "rolling"),
    [
        ("v1.2.3", True, False),
        ("1.2.3-rc.1", True, False),
        ("1.2", False, True),
        ("v1", False, True),
        ("latest", False, True),
        ("sha-1234567", False, False),
        ("stable", False, False),
    ],
)
def test_a_full_version_is_immutable_and_short_ones_roll(tag: str, *, immutable: bool, rolling: bool) -> None:
    release = versions.full("0.2.0")
    assert release
    assert versions.scheme(["0.2.0"], release).is_immutable(tag) is immutable
    assert versions.is_rolling(tag) is rolling


@pytest.mark.parametrize(
    ("release", "newer", "moved"),
    [
        ("v1.3.0", None, True),
        ("v1.3.0", "2.0.0", False),
        ("v1.3.0-rc.1", None, False),
        ("v1.10.0", "1.9.0", True),
    ],
)
def test_only_the_newest_moves_the_names_people_pull_by(
    release: str, newer: str | None, *, moved: bool
) -> None:
    version = versions.full(release)
    assert version
    other = versions.full(newer) if newer else None
    said = [versions.stays(tag, version, other) for tag in ("latest", "1", "1.3")]
    assert [not one for one in said] == [moved] * 3
    assert not versions.stays(release, version, other)


@pytest.mark.parametrize(
    ("tags", "own", "read"),
    [
        (("v0.2.0", "0.2", "latest"), "0.2.0", {"0.3.0": "0.3.0", "latest": "", "0.3.0-slim": "0.3.0-slim"}),
        (("0.2.0-slim", "latest-slim"), "0.2.0", {"v0.3.0-slim": "0.3.0", "0.3.0": "", "latest-slim": ""}),
        (
            ("api-0.2.0", "api-latest"),
            "0.2.0",
            {"api-v0.3.0": "0.3.0", "web-0.4.0": "", "0.3.0": "", "api-": ""},
        ),
        (("3.0.0", "fleet-v0.2.0", "latest"), "3.0.0", {"3.1.0": "3.1.0", "fleet-v0.3.0": ""}),
        (("x10.2.0", "1.0.2.0"), "0.2.0", {"x10.3.0": "", "0.3.0": "0.3.0"}),
        (("0.2.0", "0.2.0-slim"), "0.2.0", {"0.3.0": "0.3.0", "0.3.0-slim": "0.3.0"}),
        (("3.0.0", "3.0", "latest"), "3.0.0", {"3.1.0": "3.1.0"}),
        (("latest", "sha-1234567"), "0.2.0", {"0.3.0": "0.3.0"}),
    ],
    ids=[
        "the release's",
        "with an ending",
        "with a beginning",
        "its own beside the release",
        "part of a number",
        "with and without",
        "its own",
        "none",
    ],
)
def test_an_image_s_own_tags_say_how_its_version_is_written(
    tags: tuple[str, ...], own: str, read: dict[str, str]
) -> None:
    release = versions.full("v0.2.0")
    assert release
    scheme = versions.scheme(tags, release)
    assert scheme.version == versions.full(own)
    assert {tag: str(scheme.read(tag) or "") for tag in read} == read


@pytest.mark.parametrize(
    ("tags", "read"),
    [
        (("db-3.0.0", "db-latest"), {"db-3.1.0": "3.1.0", "db-latest": "", "3.1.0": ""}),
        (("3.0.0-slim", "latest-slim"), {"3.1.0-slim": "3.1.0", "3.1.0": ""}),
        (("v0.2.0-db",), {"v0.3.0-db": "0.3.0"}),
    ],
    ids=["with a beginning", "with an ending", "only the release's"],
)
def test_a_version_of_its_own_is_known_and_not_guessed(tags: tuple[str, ...], read: dict[str, str]) -> None:
    release = versions.full("v0.2.0")
    assert release
    scheme = versions.scheme(tags, release, "3.0.0")
    assert all(scheme.is_immutable(tag) is ("latest" not in tag) for tag in tags)
    assert {tag: str(scheme.read(tag) or "") for tag in read} == read


def test_a_release_goes_forward_within_its_line() -> None:
    with pytest.raises(RefusedError, match=r"v1\.2\.4 would be the next"):
        preflight.order("v1.2.2", versions.full("1.2.3"))
    preflight.order("v1.2.3", None)


@pytest.mark.parametrize(
    ("other", "release", "is_of_it"),
    [
        ("1.2.9", "1.2.3", True),
        ("1.3.0", "1.2.3", False),
        ("1.2.4-rc.1", "1.2.3", False),
        ("1.2.4-rc.1", "1.2.4-rc.2", True),
        ("1.2.4", "1.2.4-rc.2", True),
    ],
)
def test_a_line_is_a_major_and_a_minor_number(other: str, release: str, *, is_of_it: bool) -> None:
    one, two = versions.full(other), versions.full(release)
    assert one
    assert two
    assert versions.is_of_line(one, two) is is_of_it


def test_of_two_releases_in_one_second_the_greater_version_is_the_later() -> None:
    def record(tag: str, when: str) -> Record:
        return Record("1", "fleet", tag, "", "", f"2026-01-01T10:00:0{when}Z", (), {}, {})

    first, second, third = record("v0.10.0", "1"), record("v0.9.0", "2"), record("v0.10.1", "2")
    assert sorted([third, first, second], key=lambda one: one.moment) == [first, second, third]


def test_a_tag_that_is_no_version_is_refused() -> None:
    with pytest.raises(ConfigError, match="semver"):
        preflight.version("tomorrow", "", "")
