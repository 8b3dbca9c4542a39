"""The gates that `release.gates` names, as functions over the platforms that are to be released.

Each looks at the very digests that will be named: evidence is read from the registry, without a pull.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..checks.check import Check
    from ..evidence.evidence import Evidence
    from ..registries.registry import Remote
    from ..release.gates import Gate, Platform
    from .asking import Asked

Look = Callable[["Asked", Mapping[str, "Remote"], Sequence["Platform"]], Iterable["Check"]]


def gates(asked: Asked, clients: Mapping[str, Remote]) -> tuple[Gate, ...]:
    """Returns the gates that build.toml names, in its order; that of SBOMs is the seals' own."""
    from ..release.gates import of_checks

    def made(name: str, look: Look) -> Gate:
        return of_checks(name, lambda gated: look(asked, clients, gated))

    return tuple(made(name, _LOOKS[name]) for name in asked.project.release.gates if name in _LOOKS)


def evidence(clients: Mapping[str, Remote], gated: Sequence[Platform]) -> Iterator[tuple[Platform, Evidence]]:
    """Yields what each platform is, by its digest. Raises RegistryError for one that cannot be read."""
    from ..evidence import in_registry
    from ..evidence.blobs import Blobs

    blobs = Blobs()
    for one in gated:
        remote = clients[one.place.host]
        yield one, in_registry.evidence(remote, one.place.repository, one.digest, one.platform, blobs)
    blobs.prune()


def _lint(asked: Asked, clients: Mapping[str, Remote], gated: Sequence[Platform]) -> Iterator[Check]:
    """The files of the fleet, and what was built of them."""
    from ..checks import leaks
    from ..checks.linting import built
    from . import linting

    secrets = leaks.of_plan(asked.plan, os.environ)
    yield from linting.in_files(asked, asked.project.linting)
    for one, found in evidence(clients, gated):
        yield from built(one.image, found, secrets, asked.project.linting)


def _leaks(asked: Asked, clients: Mapping[str, Remote], gated: Sequence[Platform]) -> Iterator[Check]:
    """What looks like a credential, and the bytes of the build's own secrets."""
    from ..checks import leaks
    from ..checks.linting import leaked

    secrets = leaks.of_plan(asked.plan, os.environ)
    for one, found in evidence(clients, gated):
        yield from leaked(one.image, found, secrets, asked.project.linting)


def _scan(asked: Asked, clients: Mapping[str, Remote], gated: Sequence[Platform]) -> Iterator[Check]:
    """What the scanner finds, by the severity that `[scan]` says."""
    from ..checks import scanning

    project = asked.project
    scanner = scanning.scanner(project.scanning, project.constants, project.root)
    for one, found in evidence(clients, gated):
        yield scanning.scan(scanner, one.image, found)


_LOOKS: Mapping[str, Look] = {"lint": _lint, "leaks": _leaks, "scan": _scan}
