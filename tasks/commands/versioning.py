"""The task that shows the version, and sets it wherever it is said."""

from __future__ import annotations

from dataclasses import dataclass

from .choice import Choice, command, flag


@dataclass(frozen=True, kw_only=True)
class Versioning(Choice):
    """The flags of `version`."""

    set: tuple[str, ...] = flag(
        (),
        "0.3.0, or NAME=VALUE for a constant: written to every place that says it, or to none; may be repeated",
    )


@command("json")
def version(choice: Versioning) -> None:
    """Show the version, and which source gave it: the fleet's, and those of images with one of their own.

    With --set the version, or a constant, is written at every place: in build.toml (whose comments stay), in
    version files, and in what [[lockstep]] names. All places are written, or none.
    """
    from ..planning.naming import Naming
    from ..report import listing
    from .asking import look

    if choice.set:
        _set(choice)
        return
    naming = Naming(*look(choice))
    fleet = naming.fleet_version()
    own = {image.name: naming.version(image) for image in naming.project.images.values() if image.version}
    if choice.json:
        listing.print_json(listing.versions_json(fleet, own))
    else:
        listing.show_versions(fleet, own)


def _set(choice: Versioning) -> None:
    from ..contents.setting import VERSION
    from ..report import setting as report
    from .asking import set_everywhere

    pairs = (text.rpartition("=") if "=" not in text else text.partition("=") for text in choice.set)
    changes = set_everywhere({name or VERSION: value for name, _, value in pairs})
    if choice.json:
        report.print_changes(changes)
    else:
        report.show_changes(changes)
