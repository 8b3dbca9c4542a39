"""Secrets and builds: arguments that look like credentials are warned of; the bytes of secrets in what was built are
an error, and in a registry no name moves.

It joins checks and evidence for running.py; whatever has no secrets costs nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import AbsentError, ArgosyError, BuildError, CheckError, SurroundingsError

if TYPE_CHECKING:
    from ..engine.publishing import Clients, Content
    from ..engine.results import Results
    from ..evidence.evidence import Evidence
    from ..model import Reference
    from ..planning.plan import Plan, PlannedImage
    from .asking import Asked

Looked = Iterable[tuple[str, "Evidence"]]


def suspected(asked: Asked, image: PlannedImage) -> Iterator[str]:
    """Yields a warning for each build argument that looks like a credential: it will be in the image's history."""
    if not image.args:
        return
    from ..checks import credentials
    from ..checks.check import Outcome
    from ..checks.linting import judged

    found = credentials.said(image.args, f"images.{image.name}.args")
    for check in judged(credentials.RULE, found, asked.project.linting, image.name):
        if check.outcome in {Outcome.WARNED, Outcome.FAILED}:
            yield f"{check.where} {check.detail}"


def in_engine(asked: Asked, results: Results, ended: ArgosyError | None) -> ArgosyError | None:
    """Returns the error of a build, `ended`, with that for secrets in what was built and loaded.

    What holds secrets, and what was not looked into because the build was stopped, loses its address: it would be
    reused, and never be looked into again.
    """
    plan = asked.plan
    made = [image for image in touched(plan) if image.action != "reuse"]
    if plan.output != "load" or not made:
        return ended
    from ..engine.results import Verdict
    from ..evidence import in_engine as engine
    from ..evidence.blobs import Blobs

    names = {one.image for one in results.images if one.verdict is Verdict.BUILT}
    images = [image for image in made if image.name in names and image.references]

    def look() -> Iterator[tuple[str, Evidence]]:
        kept = Blobs()
        for image in images:
            platforms = image.building or image.platforms
            for platform in platforms:
                try:
                    yield image.name, engine.evidence(plan.client, str(image.references[0]), platform, kept)
                except AbsentError as error:
                    if plan.client == "docker":
                        raise
                    # podman's archive of a manifest list holds one platform: the others are said, not passed over.
                    print(
                        f"warning: {image.name} {platform}: no secrets were looked for: {error}",
                        file=sys.stderr,
                    )
        kept.prune()

    unlooked = made
    try:
        if ended is None or isinstance(ended, BuildError):
            if images:
                _none(asked, look())
            unlooked = [image for image in made if ended and image not in images]
    except ArgosyError as error:
        ended = BuildError(f"{ended}\n{error}") if ended else error
    finally:
        _forget(plan, unlooked)
    return ended


def _forget(plan: Plan, images: Iterable[PlannedImage]) -> None:
    from ..engine import reuse

    with suppress(SurroundingsError):  # an engine that is gone is told already
        reuse.forget(plan, [image.name for image in images])


def in_registries(
    asked: Asked, contents: Mapping[str, Mapping[Reference, Content]], clients: Clients
) -> None:
    """Raises CheckError for secrets in what is to be named, built now or earlier."""
    images = [image for image in touched(asked.plan) if image.name in contents]
    if not images:
        return
    from ..evidence import in_registry
    from ..evidence.blobs import Blobs

    def look() -> Iterator[tuple[str, Evidence]]:
        blobs = Blobs()
        for image in images:
            place, content = next(iter(contents[image.name].items()))
            remote = clients[place.host]
            for platform, manifest in content.items():
                yield (
                    image.name,
                    in_registry.evidence(remote, place.repository, manifest.digest, platform, blobs),
                )
        blobs.prune()

    _none(asked, look())


def touched(plan: Plan) -> tuple[PlannedImage, ...]:
    """Returns the selected images that a secret may have got into: it is given to them, or to what they stand on."""
    names: set[str] = set()
    for image in plan.images:
        if image.secrets or any(need.image in names for need in image.needs):
            names.add(image.name)
    return tuple(image for image in plan.selected if image.name in names)


def _none(asked: Asked, looked: Looked) -> None:
    from ..checks import leaks
    from ..checks.linting import judged

    secrets = leaks.of_plan(asked.plan, os.environ)
    if not secrets:
        return
    wrong = [
        f"{name} {found.platform}: {check.detail}"
        for name, found in looked
        for check in judged(leaks.RULE, leaks.check(found, secrets), asked.project.linting, name, found)
        if not check
    ]
    if wrong:
        unnamed = "; no name was moved" if asked.plan.output == "push" else ""
        raise CheckError(
            f"secrets are in what was built{unnamed}:\n" + "\n".join(f"  {line}" for line in wrong)
        )
