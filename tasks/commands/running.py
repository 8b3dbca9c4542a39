"""A Plan carried out in front of a person: live progress, the table, the exit code.

It joins engine and report for the tasks that build; the tasks themselves only say what is asked.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ArgosyError, BuildError, ConfigError
from .asking import Asked

if TYPE_CHECKING:
    from python_on_whales import DockerClient

    from ..engine.results import Results
    from ..planning.plan import Plan


def carry_out(asked: Asked, *, keep_going: bool, json: bool, overwrite: bool = False) -> None:
    """Builds, moves names if the plan says so, and shows what came of it.

    The results are shown whatever happens; the error that ended it comes after them.
    """
    from ..engine import docker

    client = docker.client()
    if not asked.plan.linked:
        _refuse_absent(asked.plan, client)
    if asked.plan.output == "push":
        results, error = _push(asked, client, keep_going=keep_going, overwrite=overwrite)
    else:
        results, error = _build(asked, client, keep_going=keep_going)
    show(_measured(results, client), json=json)
    if error:
        raise error


def _push(
    asked: Asked, client: DockerClient, *, keep_going: bool, overwrite: bool
) -> tuple[Results, ArgosyError | None]:
    """Asks every repository for permission, builds, then moves the names if all was built."""
    from ..engine import images, pushing

    plan = asked.plan
    clients = pushing.remotes(plan)
    pushing.check_permission(plan, clients)
    results, error = _build(asked, client, keep_going=keep_going)
    with ThreadPoolExecutor(1) as pool:
        # The engine's own builder keeps what it pushes under the names it was pushed by: nobody wants those.
        if asked.facts.engine and asked.facts.engine.driver == "docker":
            pool.submit(images.remove, client, pushing.staged(plan))
        if error:
            return results, error
        try:
            moved = pushing.name_all(plan, results, clients, overwrite=overwrite)
        except ArgosyError as raised:
            return results, raised
    named = tuple(
        replace(result, output="pushed") if plan[result.image].publish else result
        for result in results.images
    )
    return replace(results, images=named, moved=moved), None


def _build(
    asked: Asked, client: DockerClient, *, keep_going: bool
) -> tuple[Results, ArgosyError | None]:
    """Builds with live progress; returns the results, and the error if not all was built."""
    from ..engine import building, state
    from ..planning.bakefile import closure
    from ..planning.batches import bound
    from ..report.live import live

    plan = asked.plan
    shown = closure(plan, [image.name for image in plan.selected])
    builds = [(image.name, platform) for image in shown for platform in image.platforms]
    log_file = state.new_log(plan.root, plan.output)
    try:
        with live(builds, sys.stderr) as watcher:
            results = building.build(
                client,
                plan,
                most=bound(asked.project.parallel, os.cpu_count()),
                log_file=log_file,
                keep_going=keep_going,
                builder=asked.project.builder.name,
                watcher=watcher,
            )
    except building.Unfinished as unfinished:
        return unfinished.results, unfinished.error
    failed = [result.image for result in results.images if result.verdict.value == "failed"]
    if not failed:
        return results, None
    count = f"{len(failed)} of {len(results.images)} images failed"
    unnamed = "; no name was moved" if plan.output == "push" else ""
    return results, BuildError(f"{count}: {', '.join(failed)}{unnamed}")


def show(results: Results, *, json: bool) -> None:
    """Shows results to whoever asked: a person, a program, and CI's summary page."""
    from ..report import listing, summary
    from ..report import results as tables

    if json:
        listing.print_json(tables.as_json(results))
    else:
        tables.show(results)
    summary.append_summary(results, os.environ)


def _measured(results: Results, client: DockerClient) -> Results:
    """Adds what the engine says of the loaded images' sizes, in one question."""
    from ..engine import images

    first = {result.image: result.references[0] for result in results.images if result.output == "loaded"}
    about = images.inspect(client, list(first.values()))
    known = {name: about[reference] for name, reference in first.items() if reference in about}
    return replace(
        results,
        images=tuple(
            replace(
                result,
                size=int(known[result.image].get("Size", 0)),
                digest=result.digest or known[result.image].get("Id", ""),
            )
            if result.image in known
            else result
            for result in results.images
        ),
    )


def _refuse_absent(plan: Plan, client: DockerClient) -> None:
    """With --no-deps, says at once which sibling is not there, instead of asking Docker Hub for it."""
    from ..engine import images

    inside = {image.name for image in plan.images}
    needs = {n.reference: (n, image) for image in plan.images for n in image.needs if n.image not in inside}
    for reference in images.missing(client, list(needs)):
        need, image = needs[reference]
        raise ConfigError(
            f"{reference} is not in the engine, and {image.name} stands on {need.image} ({need.because}). "
            f"Build it first (inv build --images {need.image}) or drop --no-deps."
        )
