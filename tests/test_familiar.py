"""The familiar form of references: the rule of https://github.com/distribution/reference."""

from __future__ import annotations

import pytest

from tasks.model import Reference
from tasks.planning.familiar import familiar


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("debian", "debian"),
        ("debian:latest", "debian"),
        ("debian:trixie-slim", "debian:trixie-slim"),
        ("docker.io/library/debian:latest", "debian"),
        ("index.docker.io/debian", "debian"),
        ("library/debian:12", "debian:12"),
        ("docker.io/acme/base", "acme/base"),
        ("library/a/b", "library/a/b"),
        ("localhost/x", "localhost/x"),
        ("localhost:5000/x:latest", "localhost:5000/x"),
        ("GHCR/x", "GHCR/x"),
        ("ghcr.io/acme/x:1@sha256:" + "a" * 64, "ghcr.io/acme/x:1@sha256:" + "a" * 64),
        ("x:latest@sha256:" + "a" * 64, "x:latest@sha256:" + "a" * 64),
    ],
)
def test_a_reference_has_one_familiar_form(reference: str, expected: str) -> None:
    assert familiar(reference) == expected


@pytest.mark.parametrize(
    "text", ["", "Debian", "a b", "/x", "x/", "x:", "a..b", "x@sha256:abc", "$X", "a" * 64]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no image reference"):
        familiar(text)


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "ghcr.io", "GHCR"])
def test_what_is_a_host_here_is_one_to_whoever_splits_references(host: str) -> None:
    assert familiar(f"{host}/x") == f"{host}/x"
    assert Reference.parse(f"{host}/x").registry == host
    assert Reference.parse("acme/x").registry == ""
