"""A release from the command line to its end: preflight, build, gates, and then the transaction.

It joins asking, running, release and report for the tasks of releasing.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from . import gating, tagging
from .bumping import bump
from .ledger import Ledger, ledger

if TYPE_CHECKING:
    from ..planning.plan import Plan
    from ..release.lock import Lock
    from ..release.names import Name
    from ..release.order import Source
    from ..release.sealing import Seals
    from .asking import Asked
    from .releasing import ReleaseChoice


def release(choice: ReleaseChoice) -> None:
    """Releases: preflight, lock, build, gates, plan of names, transaction, git tag.

    Raises RefusedError (nothing has changed), IncompleteError (a journal is left), or what ended the build.
    """
    from ..engine.inquiry import Inquiry
    from .asking import ask

    with Inquiry() as inquiry:  # answers while all that needs no engine is looked at
        here = _ready(choice)
        asked = ask(choice, output="push", release=choice.tag, inquiry=inquiry)
    with _seals(here) as seals, here.locked() as lock:
        _remote(here, asked.plan, choice, lock)
        _sail(here, asked, choice, seals, lock)


def _ready(choice: ReleaseChoice) -> Ledger:
    """Returns where the release will be kept, when all that can be refused without an engine was looked at."""
    from ..report import releasing

    here = ledger(choice.tag, choice)
    gating.ready(here.project)
    if choice.bump:
        bump(here, choice)
        here = ledger(choice.tag, choice)  # it is the commit that was just made which is released
    else:
        releasing.step("bump", "skipped: no --bump")
    _local(here, choice)
    return here


def _local(here: Ledger, choice: ReleaseChoice) -> None:
    """What can be refused without asking anybody: the source, the version, the tree."""
    from ..contents import lockstep
    from ..planning import versions
    from ..release import preflight
    from ..report import releasing

    lockstep.require(here.project, here.facts, here.tag)
    answers = ((source, versions.answer(source, here.facts)) for source in here.project.version)
    source, stands = next(((source, text) for source, text in answers if text), (None, ""))
    is_file = source is not None and source.kind == "file"
    where = versions.place(source, here.facts) if source is not None and is_file else ""
    preflight.version(here.tag, where, (stands or "") if is_file else "")
    branches = here.project.release.branches
    repeated = len(here.project.lockstep)
    releasing.step("lockstep", f"{repeated} agree" if repeated else "skipped: build.toml has no [[lockstep]]")
    said = preflight.tree(
        here.project.root, here.facts.git, here.tag, branches, _beside(here), dirty=choice.dirty
    )
    releasing.step("preflight", f"{here.tag}, {said}")


@contextmanager
def _seals(here: Ledger) -> Iterator[Seals]:
    """Finds what the release is to be sealed with: a key that cannot be used is told before anything is built."""
    from ..engine import sboms, signing
    from ..release.sealing import Seals

    wanted = here.project.release
    syft = sboms.program() if wanted.sbom else ""
    with signing.signer(wanted.sign, here.project.root) if wanted.sign else nullcontext() as signer:
        yield Seals(signer, syft, provenance=wanted.provenance != "off")


def _remote(here: Ledger, plan: Plan, choice: ReleaseChoice, lock: Lock) -> None:
    """What registries can be asked before anything is built; --plan goes on to show names that stand already."""
    from ..release import foreseen, preflight, transaction
    from ..release.content import Place
    from ..report import releasing

    references = [reference for image in plan.selected if image.publish for reference in image.published]
    places = [
        here.home,
        *(Place(reference.host, reference.repository) for reference in references),
    ]
    found = preflight.harbours(places, here.clients)
    foreseen.order(plan, here.tag, here.home, found, here.clients)
    transaction.unfinished(here.voyage(lock), here.home)
    if not choice.plan:
        about = (found, here.clients, here.project.release.permanent)
        foreseen.check(plan, here.tag, _source(here).revision, *about, overwrite=choice.overwrite)
    releasing.step("preflight", preflight.told(found))
    releasing.step("preflight", preflight.disks(here.project))


def _sail(here: Ledger, asked: Asked, choice: ReleaseChoice, seals: Seals, lock: Lock) -> None:
    """Builds, gates, and carries the transaction out."""
    from ..engine import publishing
    from ..release import gates, order, preflight, provenance, transaction
    from ..release.content import content
    from ..report import listing, releasing
    from . import preparing, running
    from .asking import ask, confirm, weigh

    asked = preparing.prepared(asked, lambda: ask(choice, output="push", release=choice.tag))
    asked = weigh(asked, choice)
    if not choice.dirty:
        preflight.still(here.project.root, here.facts.git, _beside(here))
    settled, clients = running.put(asked)
    contents = content(settled)
    if seals.provenance:
        contents = provenance.attested(contents, clients)
    gated = gates.platforms(contents)
    releasing.step("build", f"{len(contents)} images, {len(gated)} platforms are at their addresses")
    own = [*gating.gates(asked, clients), *([seals.gate(clients)] if seals.syft else [])]
    passed = gates.passed(own, gated)
    releasing.step(
        "gates", ", ".join(f"{name}: {told}" for name, told in passed.items()) or "skipped: none is set"
    )
    made = order.order(
        asked.plan,
        here.tag,
        _source(here),
        here.home,
        contents,
        publishing.plain(asked.plan, settled, clients),
        gates=passed,
        seals=seals.names,
        overwrite=choice.overwrite,
        permanent=frozenset(here.project.release.permanent),
    )
    gates.same(made.named, gated)
    voyage = here.voyage(lock, {**here.clients, **clients})

    def shown(planned: tuple[Name, ...]) -> None:
        if not choice.json:
            releasing.show_names(planned)
        elif choice.plan:
            listing.print_json(releasing.names_json(here.tag, planned, done=False))

    planned = transaction.survey(made, voyage, shown)
    if not choice.plan:
        if sys.stdin.isatty() and any(name.moves for name in planned):
            confirm(f"Release {here.tag}?", yes=choice.yes)
        transaction.publish(made, planned, voyage, seals.fix)
        tagging.tag(here)
        stand = [name for name in planned if not name.stays]
        images = len({name.image for name in stand})
        told = f"{images} image{'s' * (images != 1)} under {len(stand)} name{'s' * (len(stand) != 1)}"
        releasing.step("done", f"{here.tag} is released: {told}")
        if choice.json:
            listing.print_json(releasing.names_json(here.tag, planned, done=True))


def _beside(here: Ledger) -> tuple[str, ...]:
    """Returns what images are made of outside the project's own folder."""
    images = here.project.images.values()
    paths = (path for one in images for path in (one.dockerfile, one.context, *one.contexts.values()))
    return tuple(dict.fromkeys(path for path in paths if path.startswith(("..", "/"))))


def _source(here: Ledger) -> Source:
    from ..engine import gitrefs
    from ..release.order import Source

    root = here.project.root
    revision = here.facts.git.sha if here.facts.git else ""
    return Source(revision, gitrefs.committed(root, revision), gitrefs.web(gitrefs.origin(root)))
