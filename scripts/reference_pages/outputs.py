"""docs/reference/json.md: what the tasks print for programs, each key with its meaning, from values made here.

A key without a meaning in MEANINGS, or a meaning without its key, is an error: the page cannot forget one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tasks.checks.check import Check, Checks, Outcome
from tasks.contents.setting import Change
from tasks.engine.examination import Observation
from tasks.engine.results import Result, Results, Verdict
from tasks.model import Moved, Reference
from tasks.planning.plan import Need, Plan, PlannedImage
from tasks.report import checks, listing, results, setting

from .markdown import code, note, table

HEAD = """\
# JSON outputs

For programs: `--json`, and `inv plan --format json`. It is the only thing on stdout; progress and errors go to stderr,
and the [exit code](exit-codes.md) is the same as without it. `schema` is a number that changes when a key
changes its meaning or goes; new keys may come at any time, so a reader passes over what it does not know.
"""

MEANINGS = {
    "schema": "the number of this form",
    "project": "the project's name",
    "version": "the fleet's version; of an image: its own or the fleet's",
    "version.value": "the version itself",
    "version.source": "the source that gave it",
    "output": "where images go: `load`, `push` or `none`; of a result: in words",
    "origins": "settings that did not come from build.toml: key path -> where from",
    "images": "one entry each, after all that it stands on; of `inv version`: versions other than the fleet's",
    "images.name": "its name",
    "images.version": "its own version, or the fleet's",
    "images.references": "all names it gets in the engine, the published ones first",
    "images.repository": "the first repository it is published to",
    "images.dockerfile": "relative to build.toml",
    "images.context": "relative to build.toml, or a URL",
    "images.target": 'the stage, "" for the last',
    "images.args": "build arguments, expanded",
    "images.contexts": "named contexts, expanded",
    "images.labels": "labels, expanded",
    "images.platforms": "os/arch list",
    "images.needs": "the siblings it stands on: `image`, and `because`, the instruction or key that says so",
    "images.groups": "the groups it says it belongs to",
    "images.publish": "false: never pushed",
    "images.selected": "false: here only because another stands on it; it gets no name",
    "images.output": "where it goes",
    "images.action": "what is done with it; `unknown` where no engine was asked",
    "images.reason": "why, in words",
    "images.address": 'the address of its content over all its platforms, `""` where it has none',
    "images.notes": "what is worth knowing of how its inputs were read",
    "images.verdict": "how it ended: " + ", ".join(code(verdict.value) for verdict in Verdict),
    "images.digest": "the digest of what was made, as far as the engine or registry says it",
    "images.size": "bytes, as the engine counts them; null where it is not loaded",
    "images.seconds": "how long its steps took",
    "images.steps": "BuildKit's steps",
    "images.cached": "how many of them came from the cache",
    "images.where": "the Dockerfile and line that failed",
    "images.log": "the end of the failing step's output",
    "ok": "true if everything was built; of checks: if none failed",
    "seconds": "how long the run took",
    "log": "the file that holds the full log",
    "moved": "names in registries",
    "moved.reference": "the name",
    "moved.old": 'the digest behind it before, "" for none',
    "moved.new": "the digest behind it now",
    "moved.change": "`new`, `moved` or `unchanged`",
    "checks": "what was looked at",
    "checks.name": "the check",
    "checks.found": "what was found",
    "checks.remedy": "what to do about it",
    "checks.failed": "true makes the exit code 3",
    "counts": "how many checks there are of each outcome",
    "checks.image": "the image",
    "checks.platform": 'the platform it was looked at on, "" where it is the same for all',
    "checks.digest": "the digest of the platform's own manifest, never an index's",
    "checks.reference": "the name and digest of what was looked at",
    "checks.outcome": "how it ended: " + ", ".join(code(outcome.value) for outcome in Outcome),
    "checks.detail": "what was found, or why it was not looked at",
    "checks.where": "the file and line it is about",
    "checks.seconds": "how long it took",
    "checks.log": "the end of what a failed test's container wrote",
    "source": "the source that gave the version",
    "changes": "the places that were rewritten",
    "changes.file": "relative to build.toml",
    "changes.line": "its line",
    "changes.old": "what stood there",
    "changes.new": "what stands there now",
}


def page() -> str:
    """Returns the whole page. Raises LookupError for a key without a meaning, or a meaning without a key."""
    parts = [note("what the code prints"), HEAD]
    used: set[str] = set()
    for title, value in values().items():
        rows = []
        for path in paths(value):
            if path not in MEANINGS:
                raise LookupError(f"{title} has a key {path}; say what it means in {__file__}, MEANINGS")
            used.add(path)
            rows.append((code(path), MEANINGS[path]))
        example = json.dumps(value, indent=2)
        parts += [f"## {title}\n", table(("key", "meaning"), rows), f"```json\n{example}\n```\n"]
    if unused := MEANINGS.keys() - used:
        raise LookupError(f"no output has the keys {sorted(unused)}; take them out of {__file__}, MEANINGS")
    return "\n".join(parts)


def paths(value: dict[str, Any], prefix: str = "") -> list[str]:
    """Returns the key paths of a value, down to those whose keys a user chose (args, origins)."""
    found = []
    for key, inner in value.items():
        path = prefix + key
        found.append(path)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict) and key != "needs":
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
    return {
        "inv list --json": listing.list_json(plan),
        "inv plan --format json": plan.as_json(),
        "inv build --json and inv push --json": results.as_json(Results((result,), moved, 3.5, log)),
        "inv test --json": checks.as_json(Checks((looked,), 2.5)),
        "inv doctor --json": {"schema": 1, "checks": [seen.as_json()]},
        "inv version --json": {
            "schema": 1,
            "version": "0.1.0",
            "source": "git describe",
            "images": {"api": "2.0.0"},
        },
        "inv version --set --json": setting.changes_json([Change("VERSION", 1, "0.1.0", "0.2.0")]),
    }
