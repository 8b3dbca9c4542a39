"""A Plan carried out in front of a person: live progress, the table, the exit code.

It joins engine and report for the tasks that build; the tasks themselves only say what is asked.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import BuildError, ConfigError, StoppedError
from .asking import Asked

if TYPE_CHECKING:
    from python_on_whales import DockerClient

    from ..engine.results import Results
    from ..planning.plan import Plan


def carry_out(asked: Asked, *, keep_going: bool, json: bool, overwrite: bool = False) -> None:
    """Builds, moves names if the plan says so, and shows what came of it.

    For a push every repository is asked for permission before the first build second.
    """
    from ..engine import pushing

    pushes = asked.plan.output == "push"
    clients = pushing.remotes(asked.plan) if pushes else {}
    if pushes:
        pushing.check_permission(asked.plan, clients)
    results = build(asked, keep_going=keep_going, json=json)
    if pushes:
        moved = pushing.name_all(asked.plan, results, clients, overwrite=overwrite)
        results = replace(results, moved=moved)
    show(results, json=json)


def build(asked: Asked, *, keep_going: bool, json: bool) -> Results:
    """Builds and returns the results.

    Raises BuildError where an image failed, StoppedError on Ctrl-C, both after showing what was done.
    """
    from ..engine import building, docker, state
    from ..planning.bakefile import closure
    from ..planning.batches import bound
    from ..report.live import live

    plan, client = asked.plan, docker.client()
    if not plan.linked:
        _refuse_absent(plan, client)
    shown = closure(plan, [image.name for image in plan.selected])
    builds = [(image.name, platform) for image in shown for platform in image.platforms]
    try:
        with live(builds, sys.stderr) as watcher:
            results = building.build(
                client,
                plan,
                most=bound(asked.project.parallel),
                log_file=state.new_log(plan.root, "build"),
                keep_going=keep_going,
                builder=asked.project.builder.name,
                watcher=watcher,
            )
    except building.Stopped as stopped:
        show(stopped.results, json=json)
        raise StoppedError("interrupted: the build was stopped and nothing was pushed") from None
    if not results:
        show(results, json=json)
        failed = [result.image for result in results.images if result.verdict.value == "failed"]
        raise BuildError(f"{len(failed)} of {len(results.images)} images failed: {', '.join(failed)}")
    return _with_sizes(results, plan, client)


def show(results: Results, *, json: bool) -> None:
    """Shows results to whoever asked: a person, a program, and CI's summary page."""
    from ..report import listing, summary
    from ..report import results as tables

    if json:
        listing.print_json(tables.as_json(results))
    else:
        tables.show(results)
    summary.append_summary(results, os.environ)


def _with_sizes(results: Results, plan: Plan, client: DockerClient) -> Results:
    """Adds what the engine says of the sizes of loaded images, in one question."""
    from ..engine import images

    if plan.output != "load":
        return results
    first = {result.image: result.references[0] for result in results.images if result.references}
    sizes = images.sizes(client, list(first.values()))
    known = (replace(result, size=sizes.get(first.get(result.image, ""))) for result in results.images)
    return replace(results, images=tuple(known))


def _refuse_absent(plan: Plan, client: DockerClient) -> None:
    """With --no-deps, says at once which sibling is not there, instead of asking Docker Hub for it."""
    from ..engine import images

    selected = {image.name for image in plan.selected}
    needs = {n.reference: (n, image) for image in plan.images for n in image.needs if n.image not in selected}
    for reference in images.missing(client, list(needs)):
        need, image = needs[reference]
        raise ConfigError(
            f"{reference} not found: {image.name} stands on {need.image} ({need.because}). "
            f"Build it (inv build --images {need.image}) or drop --no-deps."
        )
