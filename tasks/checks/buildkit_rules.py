"""BuildKit's own checks of a Dockerfile, where client and builder have them; nothing is built.

buildx has them from 0.15 on and the Dockerfile frontend from 1.8 on. Both are asked, not assumed: one that lacks
them is a reason to skip. https://docs.docker.com/build/checks/
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..engine import docker, processes
from ..planning.meanings import DOCKER_IMAGE
from ..planning.plan import PlannedImage
from .finding import Finding

PART = "buildkit"
_HAS = "--call"
# How a frontend without checks says so (moby/buildkit, frontend/dockerfile/builder/subrequests.go).
_LACKING = ("unknown flag", "unsupported", "not supported", "subrequest", "unknown API")


def lacking() -> str:
    """Returns why the client has no checks; "" if it has."""
    done = docker.ask("docker", "buildx", "build", "--help")
    if _HAS in done.out:
        return ""
    version = docker.ask("docker", "buildx", "version").out.split()
    return f"buildx {version[1] if len(version) > 1 else ''} has no checks; 0.15 and newer have"


def check(image: PlannedImage, root: Path, builder: str = "") -> list[Finding] | str:
    """Returns what BuildKit (of a builder, or of the engine itself) finds for one image, or why it cannot tell."""
    done = processes.run(command(image, builder), folder=root)
    if found := _read(done.out):
        return findings(found, image.dockerfile)
    lines = [line for line in done.err.splitlines() if line.strip()]
    said = lines[-1].removeprefix("ERROR: ") if lines else f"status {done.status}"
    if any(word in said for word in _LACKING):
        newer = "`# syntax=docker/dockerfile:1` in a Dockerfile brings a newer one"
        return f"this builder's Dockerfile frontend has no checks ({said}); {newer}"
    return f"BuildKit could not check it: {said}"


def command(image: PlannedImage, builder: str = "") -> list[str]:
    """Returns what is run for one image, in the project's folder: it asks whom a build asks, and reaches no further."""
    words = [
        docker.program("docker"),
        "buildx",
        "build",
        "--call=check,format=json",
        *([f"--builder={builder}"] if builder else []),
        f"--file={image.dockerfile}",
    ]
    words += [f"--target={image.target}"] if image.target else []
    words += [f"--build-arg={name}={value}" for name, value in image.args.items()]
    words += [f"--build-context={name}={value}" for name, value in image.contexts.items() if ":" not in value]
    words += [f"--build-context={base}={DOCKER_IMAGE}{place}" for base, place in image.mirror.items()]
    return [*words, image.context]


def findings(found: dict[str, Any], dockerfile: str) -> list[Finding]:
    """Returns the findings of what `--call=check,format=json` prints."""
    every = [
        Finding(
            str(one.get("ruleName") or "BuildKit"),
            " ".join(filter(None, [str(one.get("detail") or one.get("description") or ""), _link(one)])),
            f"{dockerfile}:{_line(one)}",
        )
        for one in found.get("warnings") or ()
    ]
    if wrong := found.get("buildError"):
        every.append(Finding("BuildKit", str(wrong.get("message", wrong)), dockerfile, error=True))
    return every


def _read(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and "warnings" in value else {}


def _link(one: dict[str, Any]) -> str:
    return f"({one['url']})" if one.get("url") else ""


def _line(one: dict[str, Any]) -> int:
    ranges = (one.get("location") or {}).get("ranges") or [{}]
    return int((ranges[0].get("start") or {}).get("line") or 1)
