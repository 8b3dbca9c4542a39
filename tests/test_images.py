"""What the engine is asked of many images at once: each answer belongs to its own reference."""

from __future__ import annotations

import tarfile

import pytest

from tasks.engine import images
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine


def test_many_are_asked_for_at_once_and_each_has_its_own_answer(
    real: Fleet, engine: PrivateEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Absent ones stand among the others: an answer that slipped by one would be another image's."""
    for name, value in engine.env.items():
        monkeypatch.setenv(name, value)
    with tarfile.open(real.root / "empty.tar", "w"):
        pass
    references = [f"{real.registry}/{real.owner}/image-{number}:1" for number in range(13)]
    there = [reference for number, reference in enumerate(references) if number % 3]
    for reference in there:
        engine.docker("import", "--change", f"LABEL is={reference}", str(real.root / "empty.tar"), reference)
    found = images.inspect("docker", references)
    assert {reference: about["Config"]["Labels"]["is"] for reference, about in found.items()} == {
        reference: reference for reference in there
    }
    assert images.missing("docker", references) == tuple(references[::3])
    assert images.inspect("docker", []) == {}
