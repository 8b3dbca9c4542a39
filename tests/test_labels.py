"""Labels on the image itself, as `docker inspect` shows them."""

from __future__ import annotations

import json

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine

OCI = "org.opencontainers.image."
LABELS = """
[defaults.labels]
"org.opencontainers.image.title" = "{image}"
"org.opencontainers.image.version" = "{version}"
"org.opencontainers.image.revision" = "{revision}"
"org.opencontainers.image.created" = "{created}"
"org.opencontainers.image.source" = "https://example.com/{owner}/fleet"
"org.opencontainers.image.url" = "https://example.com"
[images.api]
"""


def labels(real: Fleet, engine: PrivateEngine) -> dict[str, str]:
    name = f"{real.registry}/{real.owner}/api:0.1.0"
    found = json.loads(engine.docker("image", "inspect", "--format", "{{json .Config.Labels}}", name))
    return {key.removeprefix(OCI): value for key, value in found.items()}


def test_the_six_of_the_specification_are_seen_and_cost_a_build_at_every_commit(
    real: Fleet, engine: PrivateEngine
) -> None:
    real.image("api")
    real.toml(LABELS)
    first = real.commit()
    real.inv("build").ok()
    found = labels(real, engine)
    assert found == {
        "title": "api",
        "version": "0.1.0",
        "revision": first,
        "created": real.git("log", "-1", "--format=%cI"),
        "source": f"https://example.com/{real.owner}/fleet",
        "url": "https://example.com",
    }
    real.commit("nothing that the image holds")
    (image,) = real.inv("plan --format json").ok().json["images"]
    assert image["action"] == "build"
    assert f"label {OCI}revision changed" in image["reason"]


def test_those_that_no_commit_changes_cost_nothing(real: Fleet) -> None:
    real.image("api")
    real.toml('[images.api.labels]\n"org.opencontainers.image.title" = "{image}"\n')
    real.commit()
    real.inv("build").ok()
    real.commit("nothing that the image holds")
    (image,) = real.inv("plan --format json").ok().json["images"]
    assert image["action"] == "reuse"
