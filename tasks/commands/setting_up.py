"""Tasks for the machine rather than the images: doctor, builder."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from .asking import flags
from .stopping import stoppable


@task(auto_shortflags=False, help=flags("platforms", "registry", "json"))
@stoppable
def doctor(_: Context, platforms: str = "", registry: str = "", json: bool = False) -> None:
    """Check everything a build and a push will need; each failure comes with its remedy."""
    import os
    from pathlib import Path

    from .. import config
    from ..engine import examination
    from ..errors import SurroundingsError
    from ..report import listing
    from .asking import overrides

    project = config.load(Path.cwd(), os.environ, overrides({"platforms": platforms, "registry": registry}))
    checks = examination.examine(project, os.environ)
    if json:
        listing.print_json({"schema": 1, "checks": [check.as_json() for check in checks]})
    else:
        listing.show_checks(checks)
    failed = [check.name for check in checks if check.failed]
    if failed:
        raise SurroundingsError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}")


@task(auto_shortflags=False, help={"remove": "remove the builder that build.toml names"})
@stoppable
def builder(_: Context, remove: bool = False) -> None:
    """Create and start the builder that build.toml names, if it is absent.

    The builder you currently use is never changed.
    """
    import os
    import sys
    from pathlib import Path

    from .. import config
    from ..engine import builders

    project = config.load(Path.cwd(), os.environ)
    print(builders.settle(project.builder, remove=remove, told=lambda text: print(text, file=sys.stderr)))
