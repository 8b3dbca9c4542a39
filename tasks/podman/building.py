"""Plan -> Results with podman: image after image, each after what it stands on.

The verdicts are those of every other build (engine/results.py); names in registries are moved elsewhere.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ..buildkit.builds import Watcher
from ..buildkit.remedy import remedy
from ..buildkit.steps import Target, quiet
from ..engine import secrets
from ..engine.docker import ask, explain
from ..engine.following import follow
from ..engine.publishing import places
from ..engine.results import OUTCOME, Results, Verdict
from ..engine.tally import Tally
from ..errors import SurroundingsError
from ..planning.bakefile import closure
from ..planning.facts import Facts
from ..planning.plan import Plan, PlannedImage
from . import calls, leftovers
from .output import Output, line_of


@dataclass(slots=True)
class _Run:
    """What goes with one build from image to image."""

    plan: Plan
    facts: Facts
    tally: Tally
    word: str
    watcher: Watcher | None
    log: TextIO


def build(
    plan: Plan,
    facts: Facts,
    *,
    log_file: Path,
    keep_going: bool = False,
    watcher: Watcher | None = None,
) -> Results:
    """Builds the plan's selected images and all that they stand on; pushes them if the plan says so, under no name.

    An image that fails is a result, not an exception. Raises Unfinished on Ctrl-C, and where podman or the machine
    end the build.
    """
    tally = Tally(plan, log_file)
    wanted = closure(plan, [image.name for image in plan.selected])
    with tally.under_way(), tally.log() as log, ExitStack() as stack:
        run = _Run(plan, facts, tally, leftovers.word(), watcher, log)
        leftovers.remove(plan)
        for image in wanted:
            stack.callback(ask, "podman", *calls.forget(image, plan, run.word))
        for image in wanted:
            if not keep_going and tally.failed():
                break
            if not tally.stands_on_failed(image.name):
                _one(run, image)
    return tally.results()


def _one(run: _Run, image: PlannedImage) -> None:
    """Builds one image, and names or pushes it."""
    hidden = secrets.hidden(image, run.plan.root, os.environ)
    target = Target(image.name, image.name, image.platforms, image.dockerfile, image.context, hidden=hidden)
    output = Output(target, run.watcher, lambda line: print(line, file=run.log))
    command = calls.build(image, run.plan, run.facts, run.word)
    print(quiet(f"$ podman {' '.join(command)}", hidden), file=run.log)
    succeeded = False
    try:
        succeeded = follow(["podman", *command], output.line, run.plan.root) == 0
    finally:
        output.close(succeeded=succeeded)
    if not succeeded:
        _failed(run, image, output)
    elif image.selected:
        for call in calls.names(image, run.plan, run.word):
            _must(*call)
        digest = _pushed(run, image) if image.output == "push" else ""
        cached, steps = output.counted
        run.tally.finish(
            image,
            Verdict.BUILT,
            output=OUTCOME[image.output],
            digest=digest,
            seconds=output.seconds,
            steps=steps,
            cached=cached,
        )


def _pushed(run: _Run, image: PlannedImage) -> str:
    """Pushes an image to its repositories and returns the digest it has there, the same in all of them."""
    digests: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
        file = Path(folder, "digest")
        for place in places(image):
            _must(*calls.push(image, run.plan, place, str(file), run.word))
            digests[place.name] = file.read_text(encoding="utf-8").strip()
    if len(set(digests.values())) > 1:
        lines = "\n".join(f"  {name}: {digest}" for name, digest in digests.items())
        raise SurroundingsError(
            f"podman pushed {image.name} under different digests; no name was moved:\n{lines}"
        )
    return next(iter(digests.values()), "")


def _failed(run: _Run, image: PlannedImage, output: Output) -> None:
    step = output.failed
    log = tuple(step.lines) if step else ()
    message = output.message or "podman said nothing"
    said = remedy("\n".join((message, *log[-50:])), image.context).replace("docker login", "podman login")
    text = run.facts.files[image.dockerfile]
    run.tally.finish(
        image,
        Verdict.FAILED,
        reason="\n".join(filter(None, (step.label if step else "", message, said))),
        log=log,
        where=line_of(step, text, image.dockerfile) if step else "",
        seconds=output.seconds,
    )


def _must(*call: str) -> None:
    done = ask("podman", *call)
    if not done:
        raise explain(done)
