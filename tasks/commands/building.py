"""Tasks for building the fleet and giving it its names: build, push, pull, clean."""

from __future__ import annotations

from dataclasses import dataclass

from .choice import Choice, command, flag

BUILDING = ("images", "group", "platforms", "registry", "owner", "tags", "since", "no_deps", "keep_going")
REUSING = ("rebuild", "pull", "locked")


@command(*BUILDING, *REUSING, "output", "json")
def build(choice: Choice) -> None:
    """Build images, and load them into the engine under their references.

    What is there already, unchanged, is not built again. One platform is loaded; several are loaded where
    the engine's image store holds them. What an image stands on is found in its Dockerfile and built first,
    in the same run.
    """
    from . import preparing, running
    from .asking import agree, ask, weigh

    asked = ask(choice)
    agree(asked)
    preparing.refuse_absent(asked)
    asked = preparing.prepared(asked, lambda: ask(choice))
    running.carry_out(weigh(asked, choice), choice)


@command(*BUILDING, *REUSING, "overwrite", "json")
def push(choice: Choice) -> None:
    """Build images and push them: no name moves before everything selected is built.

    Where something is to be built, every repository is asked for permission first. A name that a release made
    stays where it has the same content; over another one the push is refused, unless --overwrite.
    """
    from . import preparing, running
    from .asking import agree, ask, weigh

    asked = ask(choice, output="push")
    agree(asked)
    preparing.refuse_absent(asked)
    asked = preparing.prepared(asked, lambda: ask(choice, output="push"))
    running.carry_out(weigh(asked, choice), choice)


@dataclass(frozen=True, kw_only=True)
class Pulling(Choice):
    """The flags of `pull`."""

    tag: str = flag("", "the tag to pull (the first of each image's own if left out)")
    platform: str = flag("", "pull for this platform")
    strict: bool = flag(False, "an image that is not there is an error")


@command("images", "group", "registry", "owner")
def pull(choice: Pulling) -> None:
    """Pull the fleet's images and give them their local names.

    An image that is not there is reported and skipped; with --strict it is an error.
    """
    import sys

    from ..engine import pulling
    from ..errors import SurroundingsError
    from ..report import listing
    from .asking import ask

    asked = ask(choice, engine=False, output="none")
    pulled = pulling.pull(
        asked.plan,
        tag=choice.tag,
        platform=choice.platform,
        told=lambda one: print(f"{one.image}  {one.absent or 'pulled'}", file=sys.stderr, flush=True),
    )
    listing.show_pulled(pulled)
    absent = [one.image for one in pulled if one.absent and one.reference]
    if absent and choice.strict:
        raise SurroundingsError(f"not there: {', '.join(absent)}")


@dataclass(frozen=True, kw_only=True)
class Cleaning(Choice):
    """The flags of `clean`."""

    addresses: bool = flag(False, "remove addresses that no name stands on, in the engine and in registries")


@command("images", "group", "registry", "owner", "yes")
def clean(choice: Cleaning) -> None:
    """Remove this project's references from the engine: says which, and asks.

    Nothing else is touched: no other image, no build cache; a registry only with --addresses.
    """
    from ..planning import planner
    from ..planning.request import Request
    from . import removing
    from .asking import ask

    asked = ask(choice.whole(), engine=False, output="none")
    if choice.addresses:
        every = Request(images=("*",), output="none", builds=False)
        fleet = planner.make(asked.project, asked.facts, every)
        removing.addresses(asked.plan, fleet, yes=choice.yes)
    else:
        removing.references(asked.plan, yes=choice.yes)
