"""A release from the command line to its end: preflight, build, gates, and then the transaction.

It joins asking, running, release and report for the tasks of releasing.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import RefusedError
from .berths import Berth, berth

if TYPE_CHECKING:
    from ..planning.plan import Plan
    from ..registries.registry import Remote
    from ..release.gates import Gate
    from ..release.journal import Move
    from ..release.order import Source
    from .asking import Asked
    from .releasing import Releasing


def release(choice: Releasing, gates: Sequence[Gate] = ()) -> None:
    """Releases: preflight, lock, build, gates, plan of names, transaction, git tag.

    Raises RefusedError (nothing has changed), IncompleteError (a journal is left), or what ended the build.
    """
    from ..release.lock import locked
    from ..report import releasing
    from .asking import ask

    here = berth(choice.tag, choice)
    _local(here, choice)
    asked = ask(choice, output="push", release=choice.tag)
    with locked(here.project.root, here.folder, choice.tag, releasing.step):
        _remote(here, asked.plan)
        _sail(here, asked, choice, gates)


def _local(here: Berth, choice: Releasing) -> None:
    """What can be refused without asking anybody: the version, the tree."""
    from ..planning import versions
    from ..release import preflight
    from ..report import releasing

    answers = ((source, versions.answer(source, here.facts)) for source in here.project.version)
    source, stands = next(((source, text) for source, text in answers if text), (None, ""))
    is_file = source is not None and source.kind == "file"
    preflight.version(here.tag, str(source), (stands or "") if is_file else "")
    said = preflight.tree(here.project.root, here.facts.git, here.tag, dirty=choice.dirty)
    releasing.step("preflight", f"{here.tag}, {said}")


def _remote(here: Berth, plan: Plan) -> None:
    """What registries can be asked before anything is built."""
    from ..model import HUB
    from ..release import preflight, transaction
    from ..release.content import Place
    from ..report import releasing

    references = [reference for image in plan.selected if image.publish for reference in image.published]
    places = [
        here.home,
        *(Place(reference.registry or HUB, reference.repository) for reference in references),
    ]
    found = preflight.harbours(places, here.clients)
    preflight.order(here.tag, [tag for one in found for tag in one.tags])
    transaction.unfinished(here.voyage(), here.home)
    releasing.step("preflight", preflight.told(found))


def _sail(here: Berth, asked: Asked, choice: Releasing, set_gates: Sequence[Gate]) -> None:
    """Builds, gates, and carries the transaction out."""
    from ..release import gates, order, transaction
    from ..release.content import content
    from ..report import listing, releasing
    from . import running
    from .asking import confirm, weigh

    asked = weigh(asked)
    settled, clients = running.put(asked)
    contents = content(settled)
    gated = gates.platforms(contents)
    releasing.step("build", f"{len(contents)} images, {len(gated)} platforms are at their addresses")
    passed = gates.passed(set_gates, gated)
    releasing.step(
        "gates", ", ".join(f"{name}: {told}" for name, told in passed.items()) or "skipped: none is set"
    )
    made = order.order(
        asked.plan,
        here.tag,
        _source(here),
        here.home,
        contents,
        gates=passed,
        overwrite=choice.overwrite,
        permanent=frozenset(here.project.release.permanent),
    )
    voyage = here.voyage({**here.clients, **clients})
    planned = transaction.survey(made, voyage)
    if not choice.json:
        releasing.show_names(planned)
    if not choice.plan:
        if sys.stdin.isatty():
            confirm(f"Release {here.tag}?", yes=choice.yes)
        transaction.publish(made, planned, voyage)
        _tag(here)
    if choice.json:
        listing.print_json(releasing.names_json(here.tag, planned, done=not choice.plan))


def _source(here: Berth) -> Source:
    from ..engine import gitrefs
    from ..release.order import Source

    root = here.project.root
    revision = here.facts.git.sha if here.facts.git else ""
    return Source(revision, gitrefs.committed(root), gitrefs.web(gitrefs.origin(root)))


def _tag(here: Berth) -> None:
    """Tags the commit. The release has happened: what fails here is said and undoes nothing."""
    from ..engine import gitrefs
    from ..report import releasing

    root, git = here.project.root, here.facts.git
    if git is None or here.project.release.git == "off":
        releasing.step("git tag", 'skipped: release.git is "off"' if git else "skipped: no git repository")
        return
    if not gitrefs.tagged(root, here.tag) and not gitrefs.tag(root, here.tag, git.sha):
        releasing.step("git tag", f"git does not take it. By hand: git tag {here.tag} {git.sha}")
        return
    if here.project.release.git == "tag":
        releasing.step("git tag", f'{here.tag} at {git.sha[:12]}; not pushed: release.git is "tag"')
    elif not gitrefs.origin(root):
        releasing.step("git tag", f"{here.tag} at {git.sha[:12]}; not pushed: there is no remote")
    elif gitrefs.push_tag(root, here.tag):
        releasing.step("git tag", f"{here.tag} at {git.sha[:12]}, pushed to origin")
    else:
        releasing.step(
            "git tag", f"{here.tag} at {git.sha[:12]}; origin does not take it: git push origin {here.tag}"
        )


def resume(here: Berth) -> None:
    """Completes a release that did not end."""
    from ..release import keeping, transaction
    from ..release.lock import locked
    from ..report import releasing

    journal = keeping.find(here.folder, here.clients, here.home)
    if journal is None:
        raise RefusedError(
            f"no release is under way: there is no journal in {here.folder} or at {here.home}."
        )
    _same(here, journal.tag)
    with locked(here.project.root, here.folder, here.tag, releasing.step, over=True):
        transaction.resume(journal, here.voyage(_all(here, journal.moves)))
        if here.facts.git and journal.revision:
            _tag(replace(here, facts=replace(here.facts, git=replace(here.facts.git, sha=journal.revision))))


def roll_back(here: Berth, *, yes: bool) -> None:
    """Takes back a release that did not end, or moves the floating names of one that did."""
    from ..release import keeping, transaction
    from ..release.lock import locked
    from ..report import releasing

    journal = keeping.find(here.folder, here.clients, here.home)
    if journal is not None:
        _same(here, journal.tag)
    with locked(here.project.root, here.folder, here.tag, releasing.step, over=journal is not None):
        if journal is not None:
            transaction.roll_back(journal, here.voyage(_all(here, journal.moves)))
        else:
            _return(here, yes=yes)


def _return(here: Berth, *, yes: bool) -> None:
    """Moves the floating names of a release that ended back."""
    from ..release import record, rolling, transaction
    from ..report import releasing
    from .asking import confirm

    found = here.record()
    clients = here.clients_for(record.hosts(found))
    planned = rolling.names(found, clients)
    releasing.show_names(planned)
    if not any(name.moves for name in planned):
        releasing.step("move", "no name is to go back")
        return
    if sys.stdin.isatty():
        confirm(f"Move these names back from {here.tag}?", yes=yes)
    transaction.carry_out(lambda: rolling.journal(found, planned, here.home, clients), here.voyage(clients))


def _all(here: Berth, moves: Iterable[Move]) -> dict[str, Remote]:
    return here.clients_for({move.reference.registry for move in moves})


def _same(here: Berth, tag: str) -> None:
    if tag != here.tag:
        raise RefusedError(f"the release that did not end is {tag}, not {here.tag}. Say --tag {tag}.")
