"""A Plan carried out in front of a person: live progress, the table, the exit code.

It joins engine and report for the tasks that build; the tasks themselves only say what is asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ArgosyError, BuildError, CheckError, RefusedError
from . import leaking
from .asking import Asked
from .choice import Choice

if TYPE_CHECKING:
    from ..engine.publishing import Clients, Content
    from ..engine.results import Results
    from ..model import Reference
    from ..planning.plan import Plan


def carry_out(asked: Asked, choice: Choice) -> None:
    """Builds, moves names if the plan says so, and shows what came of it.

    The results are shown whatever happens; the error that ended it comes after them.
    """
    results, error = (_push if asked.plan.output == "push" else _load)(asked, choice)
    show(results, json=choice.json)
    if error:
        raise error


def _load(asked: Asked, choice: Choice) -> tuple[Results, ArgosyError | None]:
    """Builds what is to be built, looks for secrets in it, and gives what is reused its names."""
    from ..contents import pending
    from ..engine import reuse

    with pending.unsure(asked.plan.root, [*reuse.addressed(asked.plan).values()]) as sure:
        return _loaded(asked, choice, sure)


def _loaded(asked: Asked, choice: Choice, sure: Callable[[], None]) -> tuple[Results, ArgosyError | None]:
    """`sure` is called when every address that was given is that of what was built."""
    from concurrent.futures import ThreadPoolExecutor

    from ..engine import images, reuse
    from ..engine.processes import unbroken

    results, error = _build(asked, keep_going=choice.keep_going)
    # Before all else: what was built stands at its address, whatever became of the rest.
    error = leaking.in_engine(asked, results, error)
    if error and not isinstance(error, (BuildError, CheckError)):
        with suppress(ArgosyError):  # an engine that is gone is told already
            _settled(asked, results)
            sure()
        return results, error
    try:
        with unbroken(), ThreadPoolExecutor(1) as pool:
            # The engine is asked for sizes while files are looked at once more.
            measured = pool.submit(images.measured, results, asked.plan.client)
            _settled(asked, results)
            sure()
            results = measured.result()
        if not error:
            reuse.name(asked.plan)
            results = images.measured(results, asked.plan.client)
    except ArgosyError as raised:
        error = error or raised
    return results, error


def _push(asked: Asked, choice: Choice) -> tuple[Results, ArgosyError | None]:
    """Asks for every permission, builds, then moves the names if all was built.

    Where nothing is to be built, only those repositories are asked in which a name moves.
    """
    from ..engine import publishing, pushing

    plan = asked.plan
    clients = publishing.remotes(plan)
    if any(image.action != "reuse" for image in plan.selected):
        pushing.foresee(plan, clients, overwrite=choice.overwrite)
    results, error = _build(asked, keep_going=choice.keep_going)
    try:
        plan, _ = _settled(asked, results)
        if error:
            return results, error
        contents = publishing.settle(plan, results, clients)
        leaking.in_registries(asked, contents, clients)
        moved = pushing.name_all(plan, contents, clients, overwrite=choice.overwrite)
    except ArgosyError as raised:
        return results, error or raised
    finally:
        _unstaged(asked, results)
    named = tuple(
        replace(result, output="pushed") if plan[result.image].publish else result
        for result in results.images
    )
    return replace(results, images=named, moved=moved), None


def _settled(asked: Asked, results: Results) -> tuple[Plan, Collection[str]]:
    """Returns the plan as it stands after the build, and which images changed while they were built.

    Where all was reused nothing is looked at again.
    """
    from ..engine import considering
    from ..engine.results import Verdict

    built = {result.image: result.digest for result in results.images if result.verdict is Verdict.BUILT}
    if not built or asked.survey is None:
        return asked.plan, ()
    return considering.once_built(asked.project, asked.facts, asked.plan, asked.survey, built)


def _unstaged(asked: Asked, results: Results) -> None:
    """An engine's own builder that does not push straight keeps what it pushes under the tag it was pushed by."""
    from ..engine import images
    from ..engine.results import Verdict
    from ..planning.bakefile import pushed_under

    built = [asked.plan[result.image] for result in results.images if result.verdict is Verdict.BUILT]
    if built and asked.facts.engine and asked.facts.engine.driver == "docker" and not _straight(asked):
        images.remove(asked.plan.client, [name for image in built for name in pushed_under(image)])


def _straight(asked: Asked) -> bool:
    """Whether the builder pushes by itself, past the engine's image store (see bakefile)."""
    engine = asked.facts.engine
    return engine is not None and (engine.driver, engine.store) == ("docker", "containerd")


def _build(asked: Asked, *, keep_going: bool) -> tuple[Results, ArgosyError | None]:
    """Builds with live progress; returns the results, and the error if not all was built."""
    from ..engine.results import Result, Results

    plan = asked.plan
    if all(image.action == "reuse" for image in plan.selected):
        return Results(tuple(map(Result.reused, plan.selected))), None

    from ..contents import state
    from ..engine import building, secrets
    from ..engine.tally import Unfinished
    from ..planning.bakefile import closure
    from ..planning.batches import bound
    from ..report.live import live

    plan = secrets.settled(plan, os.environ)
    shown = closure(plan, [image.name for image in plan.selected])
    for image in shown:
        for warning in (*image.warnings, *leaking.suspected(asked, image)):
            print(f"warning: {image.name}: {warning}", file=sys.stderr)
    builds = [(i.name, platform) for i in shown for platform in i.building or i.platforms]
    log_file = state.new_log(plan.root, plan.output)
    try:
        with live(builds, sys.stderr) as watcher:
            if plan.client == "podman":
                from ..podman.building import build

                results = build(plan, asked.facts, log_file=log_file, keep_going=keep_going, watcher=watcher)
            else:
                results = building.build(
                    plan,
                    most=bound(asked.project.parallel, os.cpu_count()),
                    log_file=log_file,
                    keep_going=keep_going,
                    builder=asked.project.builder.name,
                    watcher=watcher,
                    straight=_straight(asked),
                )
    except Unfinished as unfinished:
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
        # At a terminal the live screen has just shown a failing step's output, all of it.
        tables.show(results, logs=not (sys.stdout.isatty() and sys.stderr.isatty()))
    summary.append_summary(results, os.environ)


def put(asked: Asked) -> tuple[dict[str, dict[Reference, Content]], Clients]:
    """Builds what is not at its address yet and pushes it there: no name moves.

    Returns what every image is in each of its repositories. A failed build is shown and raised. Raises
    RefusedError where files changed while they were built: what came of them is of no commit.
    """
    from ..engine import publishing
    from ..report import results as tables

    clients = publishing.remotes(asked.plan)
    results, error = _build(asked, keep_going=False)
    try:
        if error:
            tables.show(results, sys.stderr)
            with suppress(ArgosyError):  # what was built until then is remembered, if it can be
                _settled(asked, results)
            raise error
        plan, changed = _settled(asked, results)
        contents = publishing.settle(plan, results, clients)
        if changed:
            raise RefusedError(
                f"files of {', '.join(sorted(changed))} changed while they were built, so what was built is of no "
                "commit. It got neither a name nor an address. Release again when nothing writes there any more."
            )
        leaking.in_registries(asked, contents, clients)
    finally:
        _unstaged(asked, results)
    return contents, clients
