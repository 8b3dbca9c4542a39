"""Gates: what is named has passed, and one that says nothing has not passed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from tasks.errors import CheckError
from tasks.release.content import Child, Place
from tasks.release.gates import Gate, Platform, passed, platforms

CONTENTS = {
    "api": {
        Place(host, "acme/api"): tuple(
            Child(f"sha256:{number:064x}", "application/vnd.oci.image.manifest.v1+json", 9, platform)
            for number, platform in enumerate(["linux/amd64", "linux/arm64"])
        )
        for host in ("one.example.com", "two.example.com")
    }
}


def says(findings: Mapping[str, Sequence[str]]) -> Gate:
    """A gate that reports what it is told to, by platform."""
    return Gate(
        "size", lambda gated: {one: findings[one.platform] for one in gated if one.platform in findings}
    )


def test_every_platform_is_gated_once_by_its_digest() -> None:
    gated = platforms(CONTENTS)
    assert [one.platform for one in gated] == ["linux/amd64", "linux/arm64"]
    assert gated[0].reference == f"one.example.com/acme/api@sha256:{0:064x}"
    assert passed([says({"linux/amd64": [], "linux/arm64": []})], gated) == {"size": "2 platforms passed"}


def test_all_findings_are_told_with_the_digest_they_are_of() -> None:
    with pytest.raises(CheckError) as caught:
        passed([says({"linux/amd64": ["too large"], "linux/arm64": ["far too large"]})], platforms(CONTENTS))
    assert "api linux/amd64 (one.example.com/acme/api@sha256:" in str(caught.value)
    assert "far too large" in str(caught.value)


def test_a_missing_report_is_a_failure() -> None:
    with pytest.raises(CheckError, match=r"linux/arm64 .*there is no report"):
        passed([says({"linux/amd64": []})], platforms(CONTENTS))


def test_a_gate_sees_platforms_not_images() -> None:
    seen: list[Platform] = []
    passed([Gate("looks", lambda gated: {one: seen.append(one) or [] for one in gated})], platforms(CONTENTS))  # type: ignore[func-returns-value]
    assert {one.digest for one in seen} == {child.digest for child in next(iter(CONTENTS["api"].values()))}
