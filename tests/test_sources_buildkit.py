"""The references that the reader finds against the images that BuildKit asks for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tasks.planning.dockerfile import read
from tasks.planning.familiar import familiar
from tasks.planning.sources import Source, sources
from tests.buildkit import PLATFORM, Case, bake, buildx
from tests.conftest import PrivateEngine

pytestmark = pytest.mark.engine

# {R} is a place in the registry, where all these images are: what BuildKit loads is what was asked for.
ASKED = {
    "all": Case(
        "ARG X=one\nFROM {R}/${X}:all AS a\nFROM busybox:stable\nCOPY --from=a / /a\nCOPY --from={R}/two:all / /b\n"
        "RUN --mount=from={R}/three:all,target=/t --mount=type=tmpfs,from={R}/four:all,target=/u true\n"
    ),
    "target": Case(
        "FROM {R}/one:target AS a\nFROM {R}/two:target AS b\nCOPY --from=a / /\nFROM {R}/three:target AS c\nFROM b\n",
        target="b",
    ),
    "arguments": Case(
        "ARG X=one\nARG V=arguments\nARG I={R}/${X}:${V}\nFROM ${I}\nARG X=three\nFROM $I\nCOPY --from=0 / /\n",
        {"X": "two"},
    ),
    "numbers": Case(
        "FROM {R}/one:numbers\nFROM {R}/two:numbers AS two\nFROM {R}/three:numbers\nFROM scratch\nCOPY --from=1 / /\n"
    ),
    "contexts": Case(
        "FROM {R}/one:contexts AS a\nFROM {R}/two:contexts\nCOPY --from=a / /\nCOPY --from=extra / /\n",
        contexts={"{R}/one:contexts": "docker-image://scratch", "extra": "docker-image://scratch"},
    ),
    "familiar": Case(
        "FROM docker.io/library/a1:latest AS a\nFROM index.docker.io/b1 AS b\nFROM docker.io/c/c AS c\n"
        "FROM library/d:2 AS d\n"
        "FROM scratch\n" + "".join(f"COPY --from={stage} / /\n" for stage in "abcd"),
        contexts=dict.fromkeys(["a1", "b1", "c/c", "d:2"], "docker-image://scratch"),
    ),
    "scratch": Case("FROM scratch\nCOPY --from=scratch / /\n"),
}  # fmt: skip


def asked(case: Case) -> tuple[Source, ...]:
    dockerfile = read(case.text, "Dockerfile")
    return sources(dockerfile, case.target, case.args, case.platform, PLATFORM, case.contexts)


def placed(case: Case, place: str) -> Case:
    contexts = {key.replace("{R}", place): value for key, value in case.contexts.items()}
    return Case(case.text.replace("{R}", place), case.args, case.target, case.platform, contexts)


def test_the_images_that_buildkit_asks_for_are_the_sources(engine: PrivateEngine, tmp_path: Path) -> None:
    place = f"{engine.registry}/argosy-reader"
    cases = {name: placed(case, place) for name, case in ASKED.items()}
    found = [source for case in cases.values() for source in asked(case)]
    outside = {familiar(source.reference) for source in found if source.context is None}
    tags = sorted(reference for reference in outside if reference.startswith(place))
    seed = ["build", "-q", "--push", "--provenance=false", *(f"--tag={tag}" for tag in tags), "-"]
    seeded = buildx(engine, *seed, stdin="FROM scratch\nCOPY <<X /x\nx\nX\n")
    assert seeded.returncode == 0, seeded.stderr
    remove = ["docker", "image", "rm", *tags]
    subprocess.run(remove, env=engine.env, check=False, capture_output=True)
    log = bake(engine, cases, tmp_path, "type=cacheonly")
    loaded = re.findall(rf"load metadata for ({re.escape(place)}/\S+)", log)
    assert sorted(set(loaded)) == tags
    assert {name for case in cases.values() for name in case.contexts} == {
        s.context for s in found if s.context
    }
