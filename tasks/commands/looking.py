"""Tasks that look and change nothing: list, plan."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace

from .choice import Choice, command, flag


@command("images", "group", "platforms", "registry", "owner", "tags", "json", name="list")
def list_(choice: Choice) -> None:
    """List the fleet: images, targets, platforms, references. Needs no engine.

    All images are listed, also those that a bare `build` leaves out.
    """
    from ..report import listing
    from .asking import ask

    asked = ask(choice.whole(), engine=False)
    if choice.json:
        listing.print_json(listing.list_json(asked.plan))
    else:
        listing.show_list(asked.plan)


@dataclass(frozen=True, kw_only=True)
class Planning(Choice):
    """The flags of `plan`."""

    pull: bool = flag(
        False,
        "look up the digests of outside bases again, and write nothing: what has moved, what would be rebuilt",
    )
    tag: str = flag("", "show the names a release of this tag would get")
    why: str = flag(
        "",
        "list everything that goes into this image, with digests, and what of it has changed since it was last built "
        "(--format json to compare machines)",
    )
    format: str = flag("table", "table, json, or bake (a bake file for `docker buildx bake -f -`)")


@command("images", "group", "platforms", "registry", "owner", "tags", "output", "since", "no_deps", "rebuild")
def plan(choice: Planning) -> None:
    """Show what would be built, in which order, from what, under which names, and why.

    Needs no engine: without one each action is "unknown", with the reason.
    """
    from ..engine import secrets
    from ..errors import ConfigError, available, nearest
    from ..planning.bakefile import bakefile
    from ..report import listing
    from .asking import ask, weigh

    form, formats = choice.format, ("table", "json", "bake")
    if form not in formats:
        raise ConfigError(f'--format "{form}"{nearest(form, formats)}; it is one of {", ".join(formats)}')
    if choice.why:
        choice = replace(choice, images=(choice.why,))
    asked = ask(choice, required=False, release=choice.tag)
    if choice.why and choice.why not in asked.project.images:  # a glob: an unknown name was told already
        known = available("images", list(asked.project.images))
        raise ConfigError(f'--why "{choice.why}": the inputs of one image are shown. {known}')
    if choice.why and not asked.plan.images:
        print(f"{choice.why} has not changed since {choice.since}", file=sys.stderr)
        return
    # A bake file is for builds elsewhere: whoever reads it has nothing to reuse.
    asked = weigh(asked, replace(choice, rebuild=choice.rebuild or form == "bake"), keep=False)
    if choice.why:
        from ..contents import records
        from ..report.why import explain

        before = records.before(asked.plan.root, choice.why, asked.plan[choice.why].platforms)
        explain(asked.plan, asked.survey, choice.why, before, json=form == "json")
        return
    if form == "bake":
        listing.print_json(bakefile(secrets.settled(asked.plan, os.environ, required=False)))
    elif form == "json":
        listing.print_json(asked.plan.as_json())
    else:
        listing.show_plan(asked.plan)
