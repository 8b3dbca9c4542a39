"""Tasks for the machine rather than the images: doctor, builder."""

from __future__ import annotations

from dataclasses import dataclass

from .choice import Choice, command, flag


@command("platforms", "registry", "json")
def doctor(choice: Choice) -> None:
    """Check everything a build and a push will need; each failure comes with its remedy."""
    import os
    from pathlib import Path

    from ..contents import reading
    from ..engine import examination
    from ..errors import SurroundingsError
    from ..report import listing
    from .asking import overrides

    project = reading.project(Path.cwd(), os.environ, overrides(choice))
    seen = examination.examine(project, os.environ)
    if choice.json:
        listing.print_json({"schema": 1, "checks": [one.as_json() for one in seen]})
    else:
        listing.show_observations(seen)
    failed = [one.name for one in seen if one.failed]
    if failed:
        raise SurroundingsError(f"{len(failed)} of {len(seen)} checks failed: {', '.join(failed)}")


@dataclass(frozen=True, kw_only=True)
class Settling(Choice):
    """The flags of `builder`."""

    remove: bool = flag(False, "remove the builder that build.toml names")


@command()
def builder(choice: Settling) -> None:
    """Create and start the builder that build.toml names, if it is absent.

    The builder you currently use is never changed.
    """
    import os
    import sys
    from pathlib import Path

    from ..contents import reading
    from ..engine import builders

    project = reading.project(Path.cwd(), os.environ)
    told = builders.settle(
        project.builder, remove=choice.remove, told=lambda text: print(text, file=sys.stderr)
    )
    print(told)
