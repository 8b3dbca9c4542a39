"""What the engine is asked of many images at once: each answer belongs to its own reference."""

from __future__ import annotations

import shutil

import pytest

from tasks.engine import images
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine


def test_many_are_asked_for_at_once_and_each_has_its_own_answer(real: Fleet, asked: PrivateEngine) -> None:
    """Absent ones stand among the others: an answer that slipped by one would be another image's."""
    references = [f"{real.registry}/{real.owner}/image-{number}:1" for number in range(13)]
    there = [reference for number, reference in enumerate(references) if number % 3]
    for reference in there:
        asked.imported(reference, f"is={reference}")
    found = images.inspect("docker", references)
    assert {reference: about["Config"]["Labels"]["is"] for reference, about in found.items()} == {
        reference: reference for reference in there
    }
    assert images.missing("docker", references) == tuple(references[::3])
    assert images.inspect("docker", []) == {}


def test_a_listing_that_an_image_went_away_under_is_asked_for_again(
    real: Fleet, engine: PrivateEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker 28 says what it misses, and lists nothing. Its words are put before the real engine's answer here."""
    reference = f"{real.registry}/{real.owner}/image:1"
    engine.imported(reference)
    real.file(
        ".bin/docker",
        f"""\
        #!/bin/sh
        if [ "$2" = ls ] && mkdir {real.root}/asked 2>/dev/null; then
            echo "Error response from daemon: NotFound: content digest sha256:0: not found" >&2
            exit 1
        fi
        exec {shutil.which("docker", path=engine.env["PATH"])} "$@"
        """,
        0o755,
    )
    for name, value in {**engine.env, "PATH": f"{real.root}/.bin:{engine.env['PATH']}"}.items():
        monkeypatch.setenv(name, value)
    assert images.listed("docker", [f"{real.registry}/{real.owner}/image"]) == (reference,)
    assert (real.root / "asked").is_dir()
