"""Plan -> Results: the plan's images baked, batch after batch, until all is built or the first has failed.

It decides what a failure stops. It does not know how results are shown, nor where names go afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..planning.bakefile import bakefile, closure, target
from ..planning.batches import batches
from ..planning.plan import Plan, PlannedImage
from . import bake
from .failure import Failure
from .progress import Progress, Watcher
from .results import Result, Results, Verdict
from .steps import Target

if TYPE_CHECKING:
    from python_on_whales import DockerClient

OUTCOME = {"load": "loaded", "push": "pushed", "none": "not loaded, not pushed"}


class Stopped(Exception):  # noqa: N818 - it is no error, it carries what was done until Ctrl-C
    """Ctrl-C was pressed; `results` says what was done until then."""

    def __init__(self, results: Results) -> None:
        super().__init__("interrupted")
        self.results = results


@dataclass(slots=True)
class _Run:
    """What is known so far."""

    docker: DockerClient
    plan: Plan
    builder: str
    watcher: Watcher | None
    log: TextIO
    done: dict[str, Result] = field(default_factory=dict)

    def finish(self, image: PlannedImage, verdict: Verdict, **known: Any) -> None:
        self.done[image.name] = Result(
            image=image.name,
            verdict=verdict,
            platforms=image.platforms,
            references=tuple(str(reference) for reference in image.references),
            **known,
        )


def build(
    docker: DockerClient,
    plan: Plan,
    *,
    most: int,
    log_file: Path,
    keep_going: bool = False,
    builder: str = "",
    watcher: Watcher | None = None,
) -> Results:
    """Builds the plan's selected images and all that they stand on.

    `most` bounds how many image platforms run at once. A failed build is a result, not an exception; Ctrl-C
    raises Stopped.
    """
    started = time.monotonic()
    with log_file.open("w", encoding="utf-8", buffering=1) as log:
        run = _Run(docker, plan, builder, watcher, log)
        stopped = False
        try:
            for batch in batches(plan, [image.name for image in plan.selected], most):
                _batch(run, list(batch), keep_going=keep_going)
                if not keep_going and not all(run.done.values()):
                    break
        except KeyboardInterrupt:
            stopped = True
    broken = next((result.image for result in run.done.values() if result.verdict is Verdict.FAILED), "")
    for image in plan.selected:
        if image.name not in run.done:
            reason = "interrupted" if stopped else f"stopped when {broken} failed"
            run.finish(image, Verdict.STOPPED if stopped else Verdict.SKIPPED, reason=reason)
    results = Results(
        images=tuple(run.done[image.name] for image in plan.images if image.name in run.done),
        seconds=time.monotonic() - started,
        log_file=log_file,
    )
    if stopped:
        raise Stopped(results)
    return results


def _batch(run: _Run, names: list[str], *, keep_going: bool) -> None:
    """Bakes one batch; with `keep_going` again without what failed and what stands on it, until it is through.

    bake cancels everything at the first failure, so what else was under way is baked again, from the cache.
    """
    while names := [name for name in names if name not in run.done]:
        broken = _stands_on_failed(run, names)
        if broken:
            continue
        images = closure(run.plan, names)
        progress = Progress([_target(image) for image in images], run.watcher, _writer(run.log))
        baked = bake.run(run.docker, bakefile(run.plan, names), run.plan.root, progress, run.builder)
        if baked.succeeded:
            for name in names:
                _built(run, run.plan[name], progress, baked.metadata)
            return
        failure = progress.failure()
        _failed(run, failure, images, names)
        if not keep_going:
            return


def _stands_on_failed(run: _Run, names: list[str]) -> bool:
    """Marks what stands on a failed image as skipped; tells whether there was any."""
    found = False
    for name in names:
        below = [image.name for image in closure(run.plan, [name]) if image.name != name]
        failed = [other for other in below if other in run.done and run.done[other].verdict is Verdict.FAILED]
        if failed:
            run.finish(run.plan[name], Verdict.SKIPPED, reason=f"stands on {failed[0]}, which failed")
            found = True
    return found


def _built(run: _Run, image: PlannedImage, progress: Progress, metadata: Mapping[str, Any]) -> None:
    cached, steps = progress.cached(image.name)
    run.finish(
        image,
        Verdict.BUILT,
        output=OUTCOME[image.output],
        digest=metadata.get(target(image.name), {}).get("containerimage.digest", ""),
        seconds=progress.seconds(image.name),
        steps=steps,
        cached=cached,
    )


def _failed(run: _Run, failure: Failure | None, images: tuple[PlannedImage, ...], names: list[str]) -> None:
    """Writes a failure to the image it belongs to; one that belongs to none stops the whole batch."""
    if failure is None or failure.image not in {image.name for image in images}:
        message = failure.message if failure else "buildx ended without saying why"
        for name in names:
            run.finish(
                run.plan[name],
                Verdict.FAILED,
                reason=_worded(message, failure),
                log=failure.log if failure else (),
            )
        return
    image = run.plan[failure.image]
    run.finish(
        image, Verdict.FAILED, reason=_worded(failure.message, failure), log=failure.log, where=failure.where
    )
    if not image.selected:
        run.done[image.name] = replace(run.done[image.name], references=())


def _worded(message: str, failure: Failure | None) -> str:
    first = message.strip().splitlines()[0] if message.strip() else "failed"
    return f"{first}\n{failure.remedy}" if failure and failure.remedy else first


def _target(image: PlannedImage) -> Target:
    return Target(target(image.name), image.name, image.platforms, image.dockerfile, image.context)


def _writer(log: TextIO) -> Any:
    def write(line: str) -> None:
        log.write(f"{line}\n")

    return write
