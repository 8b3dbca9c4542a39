"""Gates: what is named has passed, and one that says nothing has not passed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tasks.checks.check import Check, Outcome
from tasks.errors import CheckError, SurroundingsError
from tasks.registries.registry import Manifest
from tasks.release.content import Child, Place
from tasks.release.gates import Gate, Platform, of_checks, passed, platforms, same
from tasks.release.order import Named

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


def looked(outcome: Outcome, digest: str, platform: str = "linux/amd64", image: str = "api") -> Check:
    return Check(image, "user", outcome, "root, not 1000", platform=platform, digest=digest)


def test_a_gate_of_checks_takes_a_digest_s_own_check_for_its_report_and_a_skipped_one_for_none() -> None:
    amd, arm = platforms(CONTENTS)
    fine = looked(Outcome.PASSED, arm.digest, "linux/arm64")
    assert passed([of_checks("contract", lambda _: [looked(Outcome.WAIVED, amd.digest), fine])], (amd, arm))
    for outcome, said in ((Outcome.FAILED, "root, not 1000"), (Outcome.SKIPPED, "there is no report")):
        gate = of_checks("contract", lambda _, outcome=outcome: [looked(outcome, amd.digest), fine])  # type: ignore[misc]
        with pytest.raises(CheckError, match=f"contract: api linux/amd64 .*{said}"):
            passed([gate], (amd, arm))
    # A check of another digest says nothing of this one; one of the files is a fault of all platforms.
    with pytest.raises(CheckError, match="there is no report"):
        passed([of_checks("contract", lambda _: [looked(Outcome.PASSED, "sha256:other"), fine])], (amd, arm))
    whole = looked(Outcome.FAILED, "", platform="")
    with pytest.raises(CheckError, match="linux/arm64") as caught:
        passed([of_checks("lint", lambda _: [whole, looked(Outcome.PASSED, amd.digest), fine])], (amd, arm))
    assert "linux/amd64" in str(caught.value)


def test_what_is_found_of_an_image_that_is_not_released_itself_is_not_passed_over() -> None:
    """Images of one Dockerfile: its findings are told once, under the first of them, which may be a test's target."""
    amd, arm = platforms(CONTENTS)
    found = replace(looked(Outcome.FAILED, "", platform=""), image="api-check")
    own = [looked(Outcome.PASSED, one.digest, one.platform) for one in (amd, arm)]
    with pytest.raises(CheckError, match=r"lint: api linux/amd64 .*root, not 1000"):
        passed([of_checks("lint", lambda _: [found, *own])], (amd, arm))


def test_a_gate_that_cannot_look_has_not_let_anything_pass() -> None:
    def look(_: Sequence[Platform]) -> list[Check]:
        raise SurroundingsError("the scanner is not there")

    with pytest.raises(CheckError, match=r"scan: it could not look.*the scanner is not there"):
        passed([of_checks("scan", look)], platforms(CONTENTS))


def test_what_is_named_must_be_what_was_gated() -> None:
    [(place, children), *_] = CONTENTS["api"].items()
    named = Named("api", place, Manifest.of(b"{}", ""), children, ("1",))
    gated = platforms(CONTENTS)
    same([named], gated)
    with pytest.raises(CheckError, match="not what was gated"):
        same([named], gated[:1])
    other = Child("sha256:other", "", 9, "linux/amd64")
    with pytest.raises(CheckError, match="sha256:other"):
        same([Named("api", place, named.index, (*children[:1], other), ("1",))], gated)
