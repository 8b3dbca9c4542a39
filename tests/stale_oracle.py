"""Would BuildKit make the same image? Asked of BuildKit itself, uncached, many builds in one call.

Argosy's side is the real code up to the plan and its addresses; BuildKit is given the very bake file that Argosy
would give it, with other outputs. Times in images are set to one moment, so that equal images are equal bytes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks import config
from tasks.engine import facts
from tasks.engine.considering import Wish, consider
from tasks.errors import ConfigError
from tasks.planning import planner
from tasks.planning.bakefile import bakefile, target
from tasks.planning.plan import Plan
from tasks.planning.request import Request
from tests.imagined_fleets import BUSYBOX, PLAIN, TRIGGER, Imagined

BATCH = 24
"""Targets in one call of bake: more of them at once and BuildKit runs out of time."""
EPOCH = "1"
_BLAMED = re.compile(r"(?:^ > \[|target )(s\d+x\d+)-", re.MULTILINE)
"""Whose step it is that failed, or whose definition."""
CALLS: list[tuple[int, int, float]] = []
"""Each call of bake: its targets, its exit status, its seconds."""
BASES = {
    (PLAIN, "a"): "FROM busybox:stable\nENV PLACE=left\nRUN echo a > /which\n",
    (PLAIN, "b"): "FROM busybox:stable\nENV PLACE=right\nRUN echo b > /which\n",
    (TRIGGER, "a"): (
        "FROM busybox:stable\nONBUILD COPY data /on/\nONBUILD ARG FLAVOUR\nONBUILD ARG UNUSED\n"
        "ONBUILD RUN echo $FLAVOUR $UNUSED $A > /triggered\n"
    ),
    (TRIGGER, "b"): "FROM busybox:stable\nONBUILD COPY data lib /on/\n",
}


@dataclass(frozen=True)
class State:
    """A fleet written down, as Argosy sees it. `refused` says why Argosy plans nothing."""

    name: str
    root: Path
    plan: Plan | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    """The address of each image that has one."""
    refused: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


Wanted = tuple[State, Collection[str]]
"""A state, and which of its images are to be built."""


@dataclass(frozen=True)
class Outcome:
    """What BuildKit made of some images of a fleet: the digest of each, or why it failed."""

    digests: dict[str, str] = field(default_factory=dict)
    failed: str = ""


def bases(env: Mapping[str, str], registry: str, folder: Path) -> dict[tuple[str, str], str]:
    """Makes the outside bases, pushes them and returns the digests of all."""
    # The registry is the engine's mirror for Docker Hub; imagetools knows no mirrors.
    call = ["docker", "buildx", "imagetools", "inspect", f"{registry}/library/{BUSYBOX}"]
    found = {(BUSYBOX, "a"): str(json.loads(_run(env, [*call, "--format", "{{json .Manifest}}"]))["digest"])}
    for (name, where), text in BASES.items():
        file = folder / f"{where}.Dockerfile"
        file.write_text(text)
        metadata = folder / "metadata.json"
        reference = f"{registry}/{name.partition(':')[0]}:{where}"
        options = ["--provenance=false", "-f", str(file), "--metadata-file", str(metadata)]
        output = f"type=image,name={reference},push=true,oci-mediatypes=true"
        _run(
            {**env, "SOURCE_DATE_EPOCH": EPOCH},
            ["docker", "buildx", "build", "-q", *options, f"--output={output}", str(folder)],
        )
        found[name, where] = json.loads(metadata.read_text())["containerimage.digest"]
    return found


def _run(env: Mapping[str, str], call: Sequence[str]) -> str:
    done = subprocess.run(call, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(call)}\n{done.stderr}")
    return done.stdout


def state(name: str, fleet: Imagined, root: Path, digests: Mapping[tuple[str, str], str]) -> State:
    """Writes a fleet into a folder and asks Argosy for its plan and addresses."""
    fleet.write(root, digests)
    try:
        project = config.load(root, dict(fleet.environ), [])
        known = facts.gather(project, fleet.environ)
        made = planner.make(project, known, Request(output="none"))
        plan, survey = consider(project, known, made, Wish(locked=True))
    except ConfigError as error:
        return State(name, root, refused=str(error))
    addresses = {
        image.name: survey.addresses[image.name][image.platforms[0]].digest
        for image in plan.images
        if image.name not in survey.barriers
    }
    return State(name, root, plan, addresses, environ=fleet.environ)


def built(env: Mapping[str, str], wanted: Collection[Wanted], folder: Path) -> dict[str, Outcome]:
    """Builds the images wanted of each state, and returns what came of it by the state's name."""
    found: dict[str, Outcome] = {}
    batch: list[Wanted] = []
    size = 0
    for one, images in wanted:
        batch.append((one, images))
        size += len(_targets(one, images, folder)[0])
        if size >= BATCH:
            found |= _baked(env, batch, folder)
            batch, size = [], 0
    found |= _baked(env, batch, folder) if batch else {}
    # In a crowd a step now and then fails that does not fail alone.
    for one, images in wanted:
        if found[one.name].failed:
            found |= _baked(env, [(one, images)], folder)
    return found


def alike(env: Mapping[str, str], one: State, other: State, image: str, folder: Path) -> bool:
    """Builds an image of two states again, apart, until it comes out the same; three times at most.

    Two digests of one image are seen now and then where many builds run at once: that is noise, and no proof.
    """
    seen: tuple[set[str], set[str]] = (set(), set())
    for _ in range(3):
        for state, digests in zip((one, other), seen, strict=True):
            outcome = _baked(env, [(state, {image})], folder)[state.name]
            digests.add(outcome.digests.get(image, "failed"))
        if seen[0] & seen[1]:
            return True
    return False


def _baked(env: Mapping[str, str], batch: Collection[Wanted], folder: Path) -> dict[str, Outcome]:
    """Bakes a batch; a state that fails is left out and the rest is tried again."""
    failed: dict[str, Outcome] = {}
    while waiting := [(one, images) for one, images in batch if one.name not in failed]:
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        targets: dict[str, Any] = {}
        group: list[str] = []
        for one, images in waiting:
            added, asked = _targets(one, images, out)
            targets |= added
            group += asked
        definition = {"group": {"default": {"targets": group}}, "target": targets}
        began = time.monotonic()
        done = subprocess.run(
            # BuildKit may wait for ever where two dozen targets ask at once; a smaller batch does not.
            ["timeout", "240", "docker", "buildx", "bake", "-f", "-", "--progress=plain"],
            input=json.dumps(definition),
            env={**env, "BUILDX_BAKE_ENTITLEMENTS_FS": "0"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        CALLS.append((len(group), done.returncode, round(time.monotonic() - began, 1)))
        if done.returncode == 0:
            outcomes = {
                one.name: Outcome({image: _digest(out / f"{_named(one, image)}.tar") for image in images})
                for one, images in waiting
            }
            shutil.rmtree(out)
            return failed | outcomes
        last = next(
            (line for line in done.stderr.splitlines() if line.startswith("ERROR")), done.stderr[-400:]
        )
        names = set(_BLAMED.findall(done.stderr)) & {one.name for one, _ in waiting}
        if len(waiting) == 1:
            names = {one.name for one, _ in waiting}
        if "DeadlineExceeded" in done.stderr or not names:
            half = (len(waiting) + 1) // 2
            if len(waiting) == 1:
                raise RuntimeError(done.stderr[-3000:])
            found = _baked(env, waiting[:half], folder)
            return failed | found | _baked(env, waiting[half:], folder)
        failed |= {name: Outcome(failed=last) for name in names}
    return failed


def _named(one: State, image: str) -> str:
    return f"{one.name}-{target(image)}"


def _targets(one: State, images: Collection[str], out: Path) -> tuple[dict[str, Any], list[str]]:
    """Returns the bake targets of some images of a state under names of its own, and which are asked for."""
    assert one.plan is not None
    file = bakefile(one.plan, images)
    found: dict[str, Any] = {}
    asked = {target(image) for image in images}
    epoch = one.environ.get("SOURCE_DATE_EPOCH", EPOCH)
    for name, definition in file["target"].items():
        contexts = {
            key: f"target:{one.name}-{value.removeprefix('target:')}"
            if value.startswith("target:")
            else value
            for key, value in definition.get("contexts", {}).items()
        }
        # Packing layers took BuildKit a third of its time, and says nothing of what is in them.
        dest = f"type=oci,dest={out}/{one.name}-{name}.tar,rewrite-timestamp=true,compression=uncompressed"
        found[f"{one.name}-{name}"] = {
            **definition,
            "contexts": contexts,
            # What buildx makes of SOURCE_DATE_EPOCH in the environment, for each target apart.
            "args": {"SOURCE_DATE_EPOCH": epoch, **definition.get("args", {})},
            "no-cache": True,
            # No RUN of these fleets asks a network, and to make one takes longer than all of such a RUN.
            "network": "none",
            "output": [dest] if name in asked else ["type=cacheonly"],
        }
    return found, [f"{one.name}-{name}" for name in file["target"] if name in asked]


def _digest(archive: Path) -> str:
    """Returns the digest of the platform's manifest in an OCI archive."""
    with tarfile.open(archive) as tar:
        opened = tar.extractfile("index.json")
        assert opened is not None
        [manifest] = json.load(opened)["manifests"]
    return str(manifest["digest"])


def private_state(folder: Path) -> None:
    """Keeps what Argosy remembers between runs (digests of files) in a folder of the test's own."""
    os.environ["XDG_STATE_HOME"] = str(folder)
