"""From the command line to a Plan: flags read, project loaded, facts gathered. What every task begins with.

It prints nothing and builds nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config.overlay import Override
    from ..contents.addressing import Survey
    from ..model import Project
    from ..planning.facts import Facts
    from ..planning.plan import Plan
    from ..planning.request import Request

HELP = {
    "images": "which images: names or globs, comma-separated; may be given several times (all if left out)",
    "group": "a group of build.toml; may be given several times",
    "platforms": "platforms for every image, comma-separated: linux/amd64,linux/arm64",
    "registry": "another registry (host or host/path) instead of project.registry",
    "owner": "another owner instead of project.owner",
    "tags": "other tags instead of tags.build, comma-separated",
    "output": "load, push or none (build everything, keep only the cache)",
    "since": "only images whose inputs have changed since this commit or branch (its merge base with HEAD)",
    "no-deps": "build only what is named; what it stands on must be in the engine already",
    "keep-going": "build the rest when an image fails; the table shows each verdict",
    "json": "print the result as JSON (with a schema number) on stdout",
    "rebuild": "build also what is there already, unchanged",
    "pull": "ask anew where the outside bases stand, and write that to build.lock",
    "locked": "refuse to change build.lock (for CI)",
    "overwrite": "also move names that a release made",
    "yes": "do not ask",
}

SETTINGS = {
    "registry": "project.registry",
    "owner": "project.owner",
    "tags": "tags.build",
    "platforms": "defaults.platforms",
}
"""The flags that are settings of build.toml said on the command line, for all images."""


def flags(*names: str, **own: str) -> dict[str, str]:
    """Returns the help of a task's flags, shared wording from one place."""
    return {name: HELP[name] for name in names} | own


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to a command line: the project, the facts, the plan."""

    project: Project
    facts: Facts
    plan: Plan
    survey: Survey | None = None


def ask(
    images: Sequence[str] | None = None,
    group: Sequence[str] | None = None,
    *,
    engine: bool = True,
    required: bool = True,
    no_deps: bool = False,
    output: str = "auto",
    release: str = "",
    since: str = "",
    **settings: str,
) -> Asked:
    """Loads the project with `settings` (registry, owner, tags, platforms) laid over it and plans.

    With `since` only images whose inputs have changed since that commit are selected (none may be left).

    `engine` asks the engine; where it does not answer that is an error if `required`, else a reason in the
    plan. Raises ConfigError or SurroundingsError.
    """
    from ..errors import ConfigError, nearest
    from ..planning import planner
    from ..planning.request import Request, words

    outputs = ("auto", "load", "push", "none")
    if output not in outputs:
        raise ConfigError(f'--output "{output}"{nearest(output, outputs)}; it is one of load, push, none')
    project, facts = look(engine=engine, required=required, **settings)
    request = Request(
        images=tuple(word for text in images or () for word in words(text)),
        groups=tuple(word for text in group or () for word in words(text)),
        deps=not no_deps,
        output=output,  # type: ignore[arg-type]  # checked above
        release=release,
    )
    plan = planner.make(project, facts, request)
    if since:
        plan = _since(project, facts, plan, request, since, settings)
    return Asked(project, facts, plan)


def _since(
    project: Project, facts: Facts, plan: Plan, request: Request, ref: str, settings: Mapping[str, str]
) -> Plan:
    """Returns the plan for those of its selected images that have changed since `ref`, each with the reason."""
    from .. import config
    from ..config import lock
    from ..engine import since
    from ..planning import planner

    def load(folder: Path) -> Project:
        return config.load(folder, os.environ, overrides(settings))

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


def weigh(
    asked: Asked, *, rebuild: bool = False, pull: bool = False, locked: bool = False, keep: bool = True
) -> Asked:
    """Finds addresses and decides what is built and what reused; without an engine nothing can be told.

    `keep` writes build.lock. Raises as considering.consider.
    """
    from ..engine.considering import Wish, consider

    if asked.facts.engine is None:
        return asked
    wish = Wish(rebuild=rebuild, pull=pull, locked=locked, keep=keep)
    plan, survey = consider(asked.project, asked.facts, asked.plan, wish)
    return replace(asked, plan=plan, survey=survey)


def look(*, engine: bool = True, required: bool = True, **settings: str) -> tuple[Project, Facts]:
    """Loads the project and gathers the facts; the words are those of `ask`."""
    from .. import config
    from ..engine import facts

    project = config.load(Path.cwd(), os.environ, overrides(settings))
    return project, facts.gather(project, os.environ, engine=engine, required=required)


def overrides(settings: Mapping[str, str]) -> list[Override]:
    """Returns what flags lay over build.toml; a flag left empty says nothing."""
    from ..config.overlay import Override

    return [Override(SETTINGS[name], text, f"--{name}") for name, text in settings.items() if text]


def confirm(question: str, *, yes: bool) -> None:
    """Asks before something is taken away. Raises ConfigError for a no, or where nobody can answer."""
    from ..errors import ConfigError

    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} Nobody is here to answer; say it with --yes. Nothing was done.")
    if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ConfigError("nothing was done")
