"""Tasks for releases: all names of all images move, or none; what was released; is it still so; the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.tasks import task

from .asking import flags
from .stopping import stoppable

if TYPE_CHECKING:
    from ..release.gates import Gate
    from .berths import Berth

GATES: tuple[Gate, ...] = ()
"""What every platform must pass, in this order; a repository may add its own."""

PLACES = ("registry", "owner")


@task(
    auto_shortflags=False,
    iterable=["images", "group"],
    help=flags("images", "group", "platforms", *PLACES, "json", "yes")
    | {
        "tag": "the version to release: v0.2.0, or v0.2.0-rc.1 for a pre-release",
        "plan": "stop before any name moves: show which name would go from which digest to which",
        "resume": "complete a release that did not end; nothing is built",
        "rollback": "take back a release that did not end, or the floating names of one that did; nothing is built",
        "dirty": "release although tracked files differ from the commit",
        "overwrite": "replace full versions that stand at another digest",
    },
)
@stoppable
def release(
    _: Context,
    tag: str,
    images: list[str] | None = None,
    group: list[str] | None = None,
    platforms: str = "",
    registry: str = "",
    owner: str = "",
    plan: bool = False,
    resume: bool = False,
    rollback: bool = False,
    dirty: bool = False,
    overwrite: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Release all images under a version: every name moves, in every registry, or none.

    What is not at its address is built and pushed there; no name moves before everything is there and has passed.
    A journal says what is under way, so whatever happens, --resume completes it and --rollback takes it back.
    """
    from ..errors import ConfigError
    from . import shipping

    if resume and rollback:
        raise ConfigError("--resume completes a release and --rollback takes it back: give one of them")
    if resume or rollback:
        (shipping.resume if resume else shipping.roll_back)(_berth(tag, registry, owner), yes=yes)
        return
    shipping.release(
        tag,
        shipping.Wish(plan_only=plan, dirty=dirty, overwrite=overwrite, yes=yes, json=json, gates=GATES),
        images,
        group,
        platforms=platforms,
        registry=registry,
        owner=owner,
    )


@task(
    auto_shortflags=False,
    positional=["tag"],
    help=flags(*PLACES, "yes", tag="the release whose floating names are to go back"),
)
@stoppable
def rollback(_: Context, tag: str, registry: str = "", owner: str = "", yes: bool = False) -> None:
    """Move a release's floating names (latest, 0.2) back to what they stood at; its full version stays."""
    from . import shipping

    shipping.roll_back(_berth(tag, registry, owner), yes=yes)


@task(
    auto_shortflags=False,
    positional=["tag"],
    help=flags(
        *PLACES, "yes", tag="the release to copy", to="where to: the NAME of a [promote.NAME] in build.toml"
    ),
)
@stoppable
def promote(_: Context, tag: str, to: str, registry: str = "", owner: str = "", yes: bool = False) -> None:
    """Copy a release to other repositories or another registry, digests unchanged: every name there moves, or none."""
    from . import promoting

    promoting.promote(_berth(tag, registry, owner), to, yes=yes)


@task(
    auto_shortflags=False,
    help=flags(*PLACES, "json", digest="only releases that contain this digest: which commit made it?"),
)
@stoppable
def history(_: Context, registry: str = "", owner: str = "", digest: str = "", json: bool = False) -> None:
    """List all releases, the newest first: which commit, which images."""
    from ..release import record
    from ..report import listing, releasing

    here = _berth("", registry, owner)
    found = [
        one for one in record.history(here.clients, here.home) if not digest or record.contains(one, digest)
    ]
    if json:
        listing.print_json(releasing.history_json(found))
    else:
        releasing.show_history(found)


@task(
    auto_shortflags=False,
    positional=["tag"],
    help=flags(*PLACES, "json", tag="the release", references="print image and name@digest, for deployments"),
)
@stoppable
def verify(
    _: Context, tag: str, registry: str = "", owner: str = "", references: bool = False, json: bool = False
) -> None:
    """Ask the registries whether a release is still what it was: every name, every platform."""
    from ..errors import CheckError
    from ..release import record, verifying
    from ..report import listing, releasing

    here = _berth(tag, registry, owner)
    found = here.record()
    if references:
        for image, reference in verifying.references(found):
            print(f"{image}  {reference}")
        return
    findings = verifying.verify(found, here.clients_for(record.hosts(found)))
    if json:
        listing.print_json(releasing.findings_json(found, findings))
    else:
        releasing.show_findings(found, findings)
    if wrong := [f"{one.entry.reference}: {one.said}" for one in findings if one.wrong]:
        raise CheckError(f"{tag} is not what was released:\n  " + "\n  ".join(wrong))


def _berth(tag: str, registry: str, owner: str) -> Berth:
    from .berths import berth

    return berth(tag, registry=registry, owner=owner)
