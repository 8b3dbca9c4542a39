"""Tasks for building the fleet and giving it its names: build, push, pull, clean."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from .asking import flags
from .stopping import stoppable


@task(
    auto_shortflags=False,
    iterable=["images", "group"],
    help=flags("images", "group", "platforms", "registry", "owner", "tags", "output", "since", "no-deps")
    | flags("keep-going", "rebuild", "pull", "locked", "json"),
)
@stoppable
def build(
    _: Context,
    images: list[str] | None = None,
    group: list[str] | None = None,
    platforms: str = "",
    registry: str = "",
    owner: str = "",
    tags: str = "",
    output: str = "auto",
    since: str = "",
    no_deps: bool = False,
    keep_going: bool = False,
    rebuild: bool = False,
    pull: bool = False,
    locked: bool = False,
    json: bool = False,
) -> None:
    """Build images, and load them into the engine under their references.

    What is there already, unchanged, is not built again. One platform is loaded; several are loaded where
    the engine's image store holds them. What an image stands on is found in its Dockerfile and built first,
    in the same run.
    """
    from . import running
    from .asking import ask, weigh

    asked = ask(
        images,
        group,
        since=since,
        no_deps=no_deps,
        output=output,
        platforms=platforms,
        registry=registry,
        owner=owner,
        tags=tags,
    )
    running.refuse_absent(asked)
    asked = weigh(asked, rebuild=rebuild, pull=pull, locked=locked)
    running.carry_out(asked, keep_going=keep_going, json=json)


@task(
    auto_shortflags=False,
    iterable=["images", "group"],
    help=flags(
        "images",
        "group",
        "platforms",
        "registry",
        "owner",
        "tags",
        "since",
        "no-deps",
        "keep-going",
        "rebuild",
        "pull",
        "locked",
        "overwrite",
        "json",
    ),
)
@stoppable
def push(
    _: Context,
    images: list[str] | None = None,
    group: list[str] | None = None,
    platforms: str = "",
    registry: str = "",
    owner: str = "",
    tags: str = "",
    since: str = "",
    no_deps: bool = False,
    keep_going: bool = False,
    rebuild: bool = False,
    pull: bool = False,
    locked: bool = False,
    overwrite: bool = False,
    json: bool = False,
) -> None:
    """Build images and push them: no name moves before everything selected is built.

    Every repository is asked for permission first. A name that a release made is refused, with both
    digests, unless --overwrite.
    """
    from . import running
    from .asking import ask, weigh

    asked = ask(
        images,
        group,
        since=since,
        no_deps=no_deps,
        output="push",
        platforms=platforms,
        registry=registry,
        owner=owner,
        tags=tags,
    )
    running.refuse_absent(asked)
    asked = weigh(asked, rebuild=rebuild, pull=pull, locked=locked)
    running.carry_out(asked, keep_going=keep_going, json=json, overwrite=overwrite)


@task(
    auto_shortflags=False,
    iterable=["images", "group"],
    help=flags("images", "group", "registry", "owner", strict="an image that is not there is an error")
    | {
        "tag": "the tag to pull (the first of each image's own if left out)",
        "platform": "pull for this platform",
    },
)
@stoppable
def pull(
    _: Context,
    images: list[str] | None = None,
    group: list[str] | None = None,
    tag: str = "",
    platform: str = "",
    registry: str = "",
    owner: str = "",
    strict: bool = False,
) -> None:
    """Pull the fleet's images and give them their local names.

    An image that is not there is said and passed over; with --strict it is an error.
    """
    import sys

    from ..engine import pulling
    from ..errors import SurroundingsError
    from ..report import listing
    from .asking import ask

    asked = ask(images, group, engine=False, output="none", registry=registry, owner=owner)
    pulled = pulling.pull(
        asked.plan,
        tag=tag,
        platform=platform,
        told=lambda one: print(f"{one.image}  {one.absent or 'pulled'}", file=sys.stderr, flush=True),
    )
    listing.show_pulled(pulled)
    absent = [one.image for one in pulled if one.absent and one.reference]
    if absent and strict:
        raise SurroundingsError(f"not there: {', '.join(absent)}")


@task(
    auto_shortflags=False,
    iterable=["images", "group"],
    help=flags("images", "group", "registry", "owner", "yes")
    | {"addresses": "remove addresses that no name stands on, in the engine and in registries"},
)
@stoppable
def clean(
    _: Context,
    images: list[str] | None = None,
    group: list[str] | None = None,
    addresses: bool = False,
    registry: str = "",
    owner: str = "",
    yes: bool = False,
) -> None:
    """Remove this project's references from the engine: says which, and asks.

    Nothing else is touched: no other image, no build cache; a registry only with --addresses.
    """
    from . import removing
    from .asking import ask

    asked = ask(images, group, engine=False, output="none", registry=registry, owner=owner)
    if addresses:
        removing.addresses(asked.plan, yes=yes)
    else:
        removing.references(asked.plan, yes=yes)
