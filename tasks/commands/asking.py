"""From the command line to a Plan: flags read, project loaded, facts gathered, and what a person is asked first.

What every task begins with; nothing is built here.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .choice import Choice

if TYPE_CHECKING:
    from ..config.given import Override
    from ..contents.addressing import Survey
    from ..contents.setting import Change
    from ..engine.inquiry import Inquiry
    from ..model import Project
    from ..planning.facts import Facts
    from ..planning.plan import Plan
    from ..planning.request import Request


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to a command line: the project, the facts, the plan."""

    project: Project
    facts: Facts
    plan: Plan
    survey: Survey | None = None


def ask(
    choice: Choice | None = None,
    *,
    engine: bool = True,
    required: bool = True,
    output: str = "",
    release: str = "",
    builds: bool = True,
    inquiry: Inquiry | None = None,
) -> Asked:
    """Loads the project with what was chosen laid over it and plans; `output` instead of what was chosen.

    With `since` only images whose inputs have changed since that commit are selected (none may be left).

    `engine` asks the engine (an `inquiry` has asked it already); where it does not answer that is an error if
    `required`, else a reason in the plan. Where nothing is built (`builds`) the builder need not be able to.
    Raises ConfigError or SurroundingsError.
    """
    from ..engine.inquiry import Inquiry

    choice = choice or Choice()
    # The engine takes as long to answer as all this takes to be loaded and read, so it is asked first.
    with inquiry or (Inquiry() if engine else contextlib.nullcontext()) as answers:
        from ..planning import planner
        from ..podman import lacks

        request = _request(choice, output or choice.output, release, builds=builds)
        project, facts = look(choice, answers, required=required)
    plan = planner.make(project, facts, request)
    if plan.client == "podman":
        lacks.check(project, facts, plan, release if required else "")  # to look at its names is no release
    if choice.since:
        plan = _since(project, facts, plan, request, choice)
    if project.release.permanent and plan.output == "push":
        plan = _staged(plan, project.release.permanent)
    return Asked(project, facts, plan)


def _request(choice: Choice, output: str, release: str, *, builds: bool) -> Request:
    """Returns what is wanted of the plan. Raises ConfigError for what cannot be meant."""
    from ..errors import ConfigError, nearest
    from ..planning.request import Request, words

    outputs = ("auto", "load", "push", "none")
    if output not in outputs:
        raise ConfigError(f'--output "{output}"{nearest(output, outputs)}; it is one of load, push, none')
    named = {
        flag: tuple(word for text in texts for word in words(text))
        for flag, texts in (("images", choice.images), ("group", choice.group))
        if texts
    }
    for flag, wanted in named.items():
        if not wanted:  # an unset variable of a script must not mean the whole fleet
            raise ConfigError(f"--{flag} names nothing. Leave it out to mean what tasks take by themselves.")
    return Request(
        images=named.get("images", ()),
        groups=named.get("group", ()),
        deps=not choice.no_deps,
        output=output,  # type: ignore[arg-type]  # checked above
        release=release,
        builds=builds,
    )


def _staged(plan: Plan, hosts: Sequence[str]) -> Plan:
    """Returns the plan with a tag of this run's own for what is pushed where every tag stays."""
    import uuid

    from ..planning import bakefile

    return bakefile.staged(plan, hosts, uuid.uuid4().hex[:12])


def _since(project: Project, facts: Facts, plan: Plan, request: Request, choice: Choice) -> Plan:
    """Returns the plan for those of its selected images that have changed, each with the reason."""
    from .. import config
    from ..config import lock
    from ..engine import since
    from ..planning import planner

    def load(folder: Path) -> Project:
        return config.load(folder, os.environ, overrides(choice))

    ref = choice.since
    reasons = since.changed(plan, facts, lock.read(project.root), ref, load)
    chosen = tuple(image.name for image in plan.selected if image.name in reasons)
    if not chosen:
        return replace(plan, images=())
    narrowed = planner.make(project, facts, replace(request, images=chosen, groups=()))
    images = (
        replace(image, notes=(*image.notes, f"since {ref}: {reasons[image.name]}"))
        if image.name in reasons
        else image
        for image in narrowed.images
    )
    return replace(narrowed, images=tuple(images))


def weigh(asked: Asked, choice: Choice, *, keep: bool = True) -> Asked:
    """Finds addresses and decides what is built and what reused; without an engine nothing can be told.

    `keep` writes build.lock. Raises as considering.consider.
    """
    from ..engine.considering import Wish, consider

    if asked.facts.engine is None:
        return asked
    if asked.plan.client == "podman":
        from ..podman import lacks

        return replace(asked, plan=lacks.decided(asked.plan, pull=choice.pull, locked=choice.locked))
    wish = Wish(rebuild=choice.rebuild, pull=choice.pull, locked=choice.locked, keep=keep)
    plan, survey = consider(asked.project, asked.facts, asked.plan, wish)
    return replace(asked, plan=plan, survey=survey)


def look(choice: Choice, inquiry: Inquiry | None = None, *, required: bool = True) -> tuple[Project, Facts]:
    """Loads the project and gathers the facts, what the engine says among them where it was asked (as `ask`)."""
    from ..contents import reading
    from ..engine import facts

    project = reading.project(Path.cwd(), os.environ, overrides(choice))
    return project, facts.gather(project, os.environ, inquiry=inquiry, required=required)


def set_everywhere(wanted: Mapping[str, str]) -> tuple[Change, ...]:
    """Gives "version" or constants these values in every place that says them, or in none, and returns the places.

    It is build.toml as it stands that is changed, whatever the environment says. Raises ConfigError for what cannot
    be set, SurroundingsError for a file that cannot be written.
    """
    from .. import config
    from ..contents.setting import setting
    from ..engine import facts

    project = config.load(Path.cwd(), {})
    made = setting(project.root, facts.gather(project, {}), wanted)
    made.write()
    return made.changes


def agree(asked: Asked) -> None:
    """Raises ConfigError where the source does not repeat what build.toml says (`[[lockstep]]`)."""
    from ..contents import lockstep

    lockstep.require(asked.project, asked.facts)


def overrides(choice: Choice) -> list[Override]:
    """Returns what was chosen for settings of build.toml, to be laid over it."""
    from ..config.given import Override

    return [Override(path, text, f"--{name}") for name, path, text in choice.settings()]


def confirm(question: str, *, yes: bool) -> None:
    """Asks before something is taken away. Raises ConfigError for a no, or where nobody can answer."""
    from ..errors import ConfigError

    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} Nobody is here to answer; say it with --yes. Nothing was done.")
    # Programs read stdout; Ctrl-D is no answer.
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise ConfigError("nothing was done")
