"""Tasks that look and change nothing: list, plan, version."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from .asking import flags


@task(
    name="list",
    auto_shortflags=False,
    iterable=["images", "group"],
    help=flags("images", "group", "platforms", "registry", "owner", "tags", "json"),
)
def list_(
    _: Context,
    images: list[str] | None = None,
    group: list[str] | None = None,
    platforms: str = "",
    registry: str = "",
    owner: str = "",
    tags: str = "",
    json: bool = False,
) -> None:
    """List the fleet: images, targets, platforms, references. Needs no engine.

    All images are listed, also those that a bare `build` leaves out.
    """
    from ..report import listing
    from .asking import ask

    if not images and not group:
        images = ["*"]
    asked = ask(images, group, engine=False, platforms=platforms, registry=registry, owner=owner, tags=tags)
    if json:
        listing.print_json(listing.list_json(asked.plan))
    else:
        listing.show_list(asked.plan)


@task(
    auto_shortflags=False,
    iterable=["images", "group"],
    help=flags("images", "group", "platforms", "registry", "owner", "tags", "output", "since", "no-deps")
    | flags("rebuild", pull="as if the outside bases were asked anew: what has moved, what would be rebuilt")
    | {
        "format": "table, json, or bake (a bake file for `docker buildx bake -f -`)",
        "tag": "show the names a release of this tag would get",
        "why": "list everything that goes into this image, with digests (--format json to compare machines)",
    },
)
def plan(
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
    rebuild: bool = False,
    pull: bool = False,
    tag: str = "",
    why: str = "",
    format: str = "table",  # noqa: A002 - the flag's name
) -> None:
    """Show what would be built, in which order, from what, under which names, and why.

    Needs no engine: without one each action is "unknown", with the reason.
    """
    from ..errors import ConfigError, nearest
    from ..planning.bakefile import bakefile
    from ..report import listing
    from .asking import ask, weigh

    formats = ("table", "json", "bake")
    if format not in formats:
        raise ConfigError(f'--format "{format}"{nearest(format, formats)}; it is one of {", ".join(formats)}')
    asked = ask(
        [why] if why else images,
        group,
        required=False,
        since=since,
        no_deps=no_deps,
        output=output,
        release=tag,
        platforms=platforms,
        registry=registry,
        owner=owner,
        tags=tags,
    )
    # A bake file is for builds elsewhere: whoever reads it has nothing to reuse.
    asked = weigh(asked, rebuild=rebuild or format == "bake", pull=pull, keep=False)
    if why:
        from ..report.why import explain

        explain(asked.plan, asked.survey, why, json=format == "json")
        return
    if format == "bake":
        listing.print_json(bakefile(asked.plan))
    elif format == "json":
        listing.print_json(asked.plan.as_json())
    else:
        listing.show_plan(asked.plan)


@task(auto_shortflags=False, help=flags("json"))
def version(_: Context, json: bool = False) -> None:
    """Show the version, and which source gave it: the fleet's, and those of images with one of their own."""
    from ..planning.naming import Naming
    from ..report import listing
    from .asking import look

    naming = Naming(*look(engine=False))
    fleet = naming.fleet_version()
    own = {image.name: naming.version(image) for image in naming.project.images.values() if image.version}
    if json:
        listing.print_json(listing.versions_json(fleet, own))
    else:
        listing.show_versions(fleet, own)
