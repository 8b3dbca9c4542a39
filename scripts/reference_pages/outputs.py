"""docs/reference/json.md: what the tasks print for programs, each key with its meaning, from values made here.

A key without a meaning in meanings.py, or a meaning without its key, is an error: the page cannot forget one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tasks.checks.check import Check, Checks, Outcome
from tasks.contents.setting import Change
from tasks.engine.examination import Observation
from tasks.engine.extracting import Extracted
from tasks.engine.handover import Packed
from tasks.engine.results import Result, Results, Verdict
from tasks.model import Moved, Reference
from tasks.planning.address import address
from tasks.planning.plan import Need, Plan, PlannedImage
from tasks.planning.versions import Version
from tasks.registries.registry import INDEX, Manifest
from tasks.release.names import Name
from tasks.release.record import Entry, Record
from tasks.release.verifying import Finding
from tasks.report import checks, handing_over, listing, releasing, results, setting, why

from .markdown import code, note, table
from .meanings import MEANINGS, OTHERWISE

HEAD = """\
# JSON outputs

For programs: `--json`, and `inv plan --format json`. It is the only thing on stdout; progress and errors go to stderr,
and the [exit code](exit-codes.md) is the same as without it. `schema` is a number that changes when a key
changes its meaning or goes; new keys may come at any time, so a reader passes over what it does not know.
"""


def page() -> str:
    """Returns the whole page. Raises LookupError for a key without a meaning, or a meaning without a key."""
    parts = [note("what the code prints"), HEAD]
    used: set[str] = set()
    for title, value in values().items():
        rows = []
        for path in paths(value):
            if path not in MEANINGS:
                raise LookupError(f"{title} has a key {path}; say what it means in meanings.py, MEANINGS")
            used.add(path)
            rows.append((code(path), OTHERWISE.get((title, path), MEANINGS[path])))
        example = json.dumps(value, indent=2)
        parts += [f"## {title}\n", table(("key", "meaning"), rows), f"```json\n{example}\n```\n"]
    if unused := MEANINGS.keys() - used:
        raise LookupError(f"no output has the keys {sorted(unused)}; take them out of meanings.py")
    return "\n".join(parts)


def paths(value: dict[str, Any], prefix: str = "") -> list[str]:
    """Returns the key paths of a value, down to those whose keys a user chose (args, origins)."""
    found = []
    for key, inner in value.items():
        path = prefix + key
        found.append(path)
        if (
            isinstance(inner, list)
            and inner
            and isinstance(inner[0], dict)
            and key not in {"needs", "releases"}
        ):
            found += paths(inner[0], f"{path}.")
        elif isinstance(inner, dict) and path == "version":
            found += paths(inner, f"{path}.")
    return found


def values() -> dict[str, dict[str, Any]]:
    """Returns one small real value for each output."""
    names = (Reference("ghcr.io", "acme/api", "0.1.0"), Reference("ghcr.io", "acme/api", "latest"))
    need = Need("base", "FROM acme/base (docker/api/Dockerfile:1)", "ghcr.io/acme/base:0.1.0", "acme/base")
    image = PlannedImage(
        name="api",
        version="0.1.0",
        dockerfile="docker/api/Dockerfile",
        context="docker/api",
        target="",
        platforms=("linux/amd64",),
        args={"GO_VERSION": "1.26"},
        published=names,
        needs=(need,),
        reason="asked for",
    )
    plan = Plan(
        project="harbour",
        root=Path("/repository"),
        version="0.1.0",
        version_source="project.version",
        images=(image,),
        output="load",
        origins={"project.registry": "environment variable DOCKER_REGISTRY"},
    )
    digest = "sha256:" + "4b" * 32
    result = Result(
        image="api",
        verdict=Verdict.BUILT,
        platforms=image.platforms,
        references=tuple(map(str, names)),
        output="pushed",
        digest=digest,
        size=4261534,
        seconds=1.25,
        steps=5,
        cached=2,
    )
    moved = tuple(Moved(str(name), "", digest) for name in names)
    log = Path("/home/me/.local/state/argosy/harbour-1f2e3d4c5b/logs/20260102-030405-678-push.log")
    seen = Observation("registry ghcr.io", "reachable")
    looked = Check(
        image="api",
        name="http /health",
        outcome=Outcome.PASSED,
        detail="200 at port 8080/tcp",
        platform="linux/amd64",
        digest=digest,
        reference=f"ghcr.io/acme/api@{digest}",
        seconds=1.5,
    )
    found = address({"argument GO_VERSION": "1.26"}, {"docker/api/main.go": "0644 file 9f86d081  "})
    packed = Packed(
        "api", "api.tar", 4261534, "9f" * 32, tuple(map(str, names)), (digest,), {"linux/amd64": digest}
    )
    taken = Extracted("api", "linux/amd64", (Path("out/api/server"),))
    index = Manifest(INDEX, digest, b"{}")
    name = Name(names[0], "api", None, index, immutable=True)
    entry = Entry(str(names[0]), "api", digest, "", immutable=True)
    when = "2026-01-02T03:04:05Z"
    record = Record(
        id="1f2e3d4c",
        project="harbour",
        tag="v0.1.0",
        revision="4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        created=when,
        released=when,
        entries=(entry,),
        platforms={"api": {"linux/amd64": digest}},
        gates={"contract": "1 platform passed"},
        seals=("signature",),
        versions={"api": "0.1.0"},
    )
    stands = Finding(entry, digest, "as released", sealed=("signature (cosign verifies it)",))
    return {
        "inv list --json": listing.list_json(plan),
        "inv plan --format json": plan.as_json(),
        "inv build --json and inv push --json": results.as_json(Results((result,), moved, 3.5, log)),
        "inv plan --why --format json": why.inputs_json("api", {"linux/amd64": found}),
        "inv test, inv lint and inv scan --json": checks.as_json(Checks((looked,), 2.5)),
        "inv doctor --json": {"schema": 1, "checks": [seen.as_json()]},
        "inv version --json": listing.versions_json(
            Version("0.1.0", "git describe"), {"api": Version("2.0.0", "images.api.version")}
        ),
        "inv version --set --json": setting.changes_json([Change("VERSION", 1, "0.1.0", "0.2.0")]),
        "inv save --json and inv load --json": handing_over.packed_json([packed]),
        "inv extract --json": handing_over.extracted_json([taken]),
        "inv release --json": releasing.names_json("v0.1.0", [name], done=True),
        "inv verify --json": releasing.findings_json(record, [stands]),
        "inv history --json": releasing.history_json([record]),
    }
