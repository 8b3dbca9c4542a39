"""The engine calls that a system's own scripts made, and what a plan says differently: by name, nothing passed over.

A line of calls.jsonl is one call: {"argv0": "docker", "cwd": "SYSTEM/…", "argv": ["build", "-t", …]}.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from tests.scenario import ROOT


@dataclass(frozen=True)
class Build:
    """One recorded `build`: paths are relative to the system's root; no platforms: the machine's own."""

    references: tuple[str, ...]
    dockerfile: str
    context: str
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """What a system's scripts asked of the engine."""

    builds: tuple[Build, ...]
    pushed: tuple[str, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, system: str, file: str = "calls.jsonl") -> Recording:
        """Reads a system's calls."""
        text = (ROOT / "tests" / "systems" / system / file).read_text()
        builds, pushed, others = [], [], []
        for call in map(json.loads, text.splitlines()):
            words = [word for word in call["argv"] if word not in {"buildx", "image"}]
            folder = PurePosixPath(*PurePosixPath(call["cwd"]).parts[1:])
            if words[0] == "build":
                builds.append(_build(words[1:], folder))
            elif words[0] == "push":
                pushed.append(words[-1])
            else:
                others.append(" ".join(call["argv"]))
        return cls(tuple(builds), tuple(pushed), tuple(others))

    def differences(self, plan: Mapping[str, Any], names: Mapping[str, str] | None = None) -> set[str]:
        """Returns every difference to a plan (the JSON of `plan --format json`), each as one line.

        `names` gives the planned image for a recorded repository's last part where they are called differently.
        """
        planned = {image["name"]: image for image in plan["images"]}
        found: set[str] = set()
        met = set()
        for build in self.builds:
            recorded = _name(build.references[0])
            image = planned.get((names or {}).get(recorded, recorded))
            if image is None:
                found.add(f"{recorded}: not planned")
                continue
            met.add(image["name"])
            found.update(f"{image['name']}: {line}" for line in _compared(build, image))
        found.update(f"{name}: not recorded" for name in planned.keys() - met)
        published = {ref for image in planned.values() if image["publish"] for ref in image["references"]}
        found.update(f"push of {reference}: not planned" for reference in set(self.pushed) - published)
        return found


def _compared(build: Build, image: Mapping[str, Any]) -> Iterator[str]:
    for key in ("dockerfile", "context", "target"):
        said, planned = getattr(build, key), image[key]
        if said != planned:
            yield f"{key} {said or 'none'} -> {planned or 'none'}"
    yield from _sets("reference", build.references, image["references"])
    yield from _sets("argument", _pairs(build.args), _pairs(image["args"]))
    if build.platforms:
        yield from _sets("platform", build.platforms, image["platforms"])
    elif len(image["platforms"]) != 1:
        yield f"platforms the machine's own -> {', '.join(image['platforms'])}"


def _sets(noun: str, recorded: Iterable[str], planned: Iterable[str]) -> Iterator[str]:
    yield from (f"{noun} {one} -> none" for one in set(recorded) - set(planned))
    yield from (f"{noun} none -> {one}" for one in set(planned) - set(recorded))


def _pairs(args: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in args.items()]


def _name(reference: str) -> str:
    return reference.rpartition("/")[2].partition(":")[0]


def _build(words: list[str], folder: PurePosixPath) -> Build:
    # allow_abbrev would take a flag that is not listed here for another one; an unknown flag must fail.
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-t", "--tag", action="append", default=[])
    parser.add_argument("-f", "--file", default="")
    parser.add_argument("--target", default="")
    parser.add_argument("--build-arg", action="append", default=[])
    parser.add_argument("--platform", default="")
    parser.add_argument("--progress")
    parser.add_argument("context")
    said = parser.parse_args(words)
    context = folder / said.context
    return Build(
        references=tuple(dict.fromkeys(said.tag)),
        dockerfile=str(folder / said.file if said.file else context / "Dockerfile"),
        context=str(context),
        target=said.target,
        args=dict(arg.split("=", 1) for arg in said.build_arg),
        platforms=tuple(filter(None, said.platform.split(","))),
    )
