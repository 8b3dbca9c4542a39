"""Plan -> Results: the plan's images baked, batch after batch, until all is built or the first has failed.

It decides what a failure stops. It does not know how results are shown, nor where names go afterwards.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from ..buildkit.builds import Watcher
from ..buildkit.progress import Progress
from ..buildkit.steps import Step, Target
from ..errors import BuildError
from ..planning.bakefile import bakefile, closure, links, target
from ..planning.batches import batches
from ..planning.plan import Plan, PlannedImage
from . import bake, docker, inquiry, secrets
from .results import OUTCOME, Result, Results, Verdict
from .tally import Tally

SLIP = re.compile(
    r"moby-dangling@sha256:[0-9a-f]+.*already exists|^DeadlineExceeded: context deadline exceeded$"
    r"|during commit: snapshot \S+ does not exist: not found$"
)
MOST_SLIPS = 5


@dataclass(slots=True)
class _Run:
    """What goes with one build from call to call."""

    plan: Plan
    tally: Tally
    builder: str
    watcher: Watcher | None
    log: TextIO
    straight: bool = False
    slips: int = 0


def build(
    plan: Plan,
    *,
    most: int,
    log_file: Path,
    keep_going: bool = False,
    builder: str = "",
    watcher: Watcher | None = None,
    straight: bool = False,
) -> Results:
    """Builds the plan's selected images, what is reused left out, and all that they stand on.

    `most` bounds how many image platforms run at once; for
    `straight` see bakefile. An image that fails is a result, not an exception. Raises Unfinished on Ctrl-C, and
    where engine or machine (a full disk) end the build.
    """
    tally = Tally(plan, log_file)
    tally.done |= {image.name: Result.reused(image) for image in plan.selected if image.action == "reuse"}
    wanted = [image.name for image in plan.selected if image.action != "reuse"]
    with tally.under_way(), tally.log() as log:
        run = _Run(plan, tally, builder, watcher, log, straight)
        for batch in batches(plan, wanted, most):
            _batch(run, batch, keep_going=keep_going)
            if tally.failed() and not keep_going:
                break
    return tally.results()


def _batch(run: _Run, batch: Sequence[str], *, keep_going: bool) -> None:
    """Bakes one batch; with `keep_going` again without what failed and what stands on it, until it is through.

    bake cancels everything at the first failure, so what else was under way is baked again, from the cache.
    """
    run.slips = 0
    tally = run.tally
    while names := [name for name in batch if name not in tally.done and not tally.stands_on_failed(name)]:
        images = closure(run.plan, names)
        targets = _targets(run.plan, images)
        watcher = _Calm(run.watcher) if run.watcher else None
        progress = Progress(targets.values(), watcher, _writer(run.log), run.plan.root)
        file = bakefile(run.plan, names, straight=run.straight)
        try:
            baked = bake.run(docker.client(), file, run.plan.root, progress, run.builder)
        except KeyboardInterrupt:
            _take(run, names, progress, None)
            raise
        _take(run, names, progress, baked)
        if not baked.succeeded and not _is_slip(run, progress):
            # An engine that is gone, or a buildx that is too old, is no image's failure: this raises.
            inquiry.serves()
            _failed(run, progress, images)
            if not keep_going:
                return


class _Calm:
    """Tells a watcher everything but the engine's own slips, which are made good at once."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.update = watcher.update
        self.line = watcher.line

    def step(self, step: Step) -> None:
        if not SLIP.search(step.error):
            self._watcher.step(step)


def _is_slip(run: _Run, progress: Progress) -> bool:
    """Whether it was the engine's own slip, which one more call (from the cache) makes good.

    Engine 26 writes each content under a nameless name first, and refuses whoever writes the same at the same
    moment; on a busy machine it misses its own deadline for noting down that a build has ended; and where one build
    fails it may drop what another one has just made of a step.
    """
    failure = progress.failure()
    slipped = failure is not None and SLIP.search(failure.message) is not None
    run.slips += slipped
    return slipped and run.slips <= MOST_SLIPS


def _take(run: _Run, names: Sequence[str], progress: Progress, baked: bake.Baked | None) -> None:
    """Writes down what was built: all of a call that succeeded, else what was loaded before it ended."""
    for name in names:
        image = run.plan[name]
        if baked and baked.succeeded:
            _built(run, image, progress, baked.metadata)
        elif image.output == "load" and progress.done(target(name)):
            _built(run, image, progress, {})


def _built(run: _Run, image: PlannedImage, progress: Progress, metadata: Mapping[str, Any]) -> None:
    cached, steps = progress.cached(image.name)
    run.tally.finish(
        image,
        Verdict.BUILT,
        output=OUTCOME[image.output],
        digest=metadata.get(target(image.name), {}).get("containerimage.digest", ""),
        seconds=progress.seconds(image.name),
        steps=steps,
        cached=cached,
    )


def _failed(run: _Run, progress: Progress, images: tuple[PlannedImage, ...]) -> None:
    """Writes a failure to the image it belongs to. Raises BuildError for one that belongs to none."""
    failure = progress.failure()
    image = next((image for image in images if failure and image.name == failure.image), None)
    if failure is None or image is None:
        said = failure.reason if failure else "\n".join(progress.plain[-5:]) or "it said nothing"
        raise BuildError(f"buildx failed: {said}")
    run.tally.finish(
        image,
        Verdict.FAILED,
        reason=failure.reason,
        log=failure.log,
        dropped=failure.dropped,
        where=failure.where,
        seconds=progress.seconds(image.name),
    )


def _targets(plan: Plan, images: Sequence[PlannedImage]) -> dict[str, Target]:
    """Returns all targets of the bake file: each image's, and those that stand in for a sibling."""
    found: dict[str, Target] = {}
    for image in images:
        linked = links(image, plan)
        found[target(image.name)] = _target(
            target(image.name), image, [link.target for link in linked], plan.root
        )
    for image in images:
        for link in links(image, plan):
            if link.target not in found:
                # By standing on the image, what it repeats of it is told and counted as that one's.
                of = plan[link.need.image] if target(link.need.image) in found else image
                needs = [target(of.name)] if of is not image else []
                found[link.target] = replace(_target(link.target, of, needs, plan.root), aside=True)
    return found


def _target(name: str, image: PlannedImage, needs: Sequence[str], root: Path) -> Target:
    platforms, hidden = image.building or image.platforms, secrets.hidden(image, root, os.environ)
    return Target(name, image.name, platforms, image.dockerfile, image.context, tuple(needs), hidden)


def _writer(log: TextIO) -> Callable[[str], None]:
    def write(line: str) -> None:
        log.write(f"{line}\n")

    return write
