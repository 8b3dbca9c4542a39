"""Builds against the real engine: what is built is there, runs, and stands on its siblings."""

from __future__ import annotations

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine


def test_a_child_stands_on_the_sibling_just_built_whatever_tag_its_dockerfile_says(
    real: Fleet, engine: PrivateEngine
):
    real.image("base", "FROM busybox:stable\nRUN echo fresh > /mark\n")
    real.image("api", f'FROM {real.owner}/base:9.9\nCMD ["cat", "/mark"]\n')
    real.toml("[images.api]\n[images.base]\n")
    ran = real.inv("build").ok()
    reference = f"{real.registry}/{real.owner}/api:0.1.0"
    assert engine.docker("run", "--rm", reference) == "fresh"
    assert "2 built" in ran.out


def test_a_failing_image_is_named_with_its_dockerfile_line_and_log(real: Fleet):
    real.image("api", "FROM busybox:stable\n\nRUN echo about to fail && exit 7\n")
    real.toml("[images.api]\n")
    ran = real.inv("build").failed(4)
    assert "docker/api/Dockerfile:3" in ran.out
    assert "about to fail" in ran.out
    assert "api" in ran.err
