"""Which version is newer, which name means one of them for ever, which names a release leaves alone."""

from __future__ import annotations

import pytest

from tasks.errors import RefusedError
from tasks.release import preflight, versions


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
    assert versions.is_immutable(tag) is immutable
    assert versions.is_rolling(tag) is rolling


@pytest.mark.parametrize(
    ("release", "existing", "moved"),
    [
        ("v1.3.0", ["1.2.0"], True),
        ("v1.3.0", ["2.0.0"], False),
        ("v1.3.0-rc.1", ["1.2.0"], False),
        ("v1.3.0", ["2.0.0-rc.1"], True),
        ("v1.10.0", ["1.9.0"], True),
        ("v1.3.0", ["latest", "1.3", "argosy-release-v9.0.0"], True),
    ],
)
def test_only_the_newest_moves_the_names_people_pull_by(
    release: str, existing: list[str], *, moved: bool
) -> None:
    version = versions.full(release)
    assert version
    said = [versions.stays(tag, version, versions.newest(existing)) for tag in ("latest", "1", "1.3")]
    assert [not one for one in said] == [moved] * 3
    assert not versions.stays(release, version, versions.newest(existing))


@pytest.mark.parametrize(
    ("tag", "existing", "next_one"),
    [
        ("v1.2.2", ["v1.2.3"], "v1.2.4"),
        ("v1.2.3-rc.2", ["v1.2.3"], "v1.2.4"),
    ],
)
def test_a_release_goes_forward_within_its_line(tag: str, existing: list[str], next_one: str) -> None:
    with pytest.raises(RefusedError, match=next_one):
        preflight.order(tag, existing)


@pytest.mark.parametrize(
    ("tag", "existing"),
    [("v1.2.3", ["v1.2.3"]), ("v1.1.9", ["v1.2.3"]), ("v1.2.3", ["v1.2.3-rc.9"]), ("v1.2.4", ["1.2.4-dev"])],
)
def test_the_same_version_an_older_line_and_the_end_of_a_pre_release_are_forward(
    tag: str, existing: list[str]
) -> None:
    preflight.order(tag, existing)


def test_a_tag_that_is_no_version_is_refused() -> None:
    with pytest.raises(RefusedError, match="semver"):
        preflight.version("tomorrow", "", "")
