"""The gates that `release.gates` names, as functions over the platforms that are to be released.

Each looks at the very digests that will be named: evidence is read from the registry, without a pull.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..checks.check import Check
    from ..checks.scanning import Scanner
    from ..evidence.evidence import Evidence
    from ..model import Project
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


def ready(project: Project) -> None:
    """Raises SurroundingsError where a gate's own program is not there: better now than after all was built."""
    if "scan" in project.release.gates:
        _scanner(project)


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


def _contract(asked: Asked, clients: Mapping[str, Remote], gated: Sequence[Platform]) -> Iterable[Check]:
    from . import testing

    return testing.contract(asked, evidence(clients, gated))


def _size(asked: Asked, clients: Mapping[str, Remote], gated: Sequence[Platform]) -> Iterable[Check]:
    from . import testing

    return testing.size(asked, evidence(clients, gated))


def _scan(asked: Asked, clients: Mapping[str, Remote], gated: Sequence[Platform]) -> Iterator[Check]:
    """One after another: scanners share a database that they lock."""
    from ..checks import scanning

    scanner = _scanner(asked.project)
    for one, found in evidence(clients, gated):
        yield scanning.scan(scanner, one.image, found)


def _scanner(project: Project) -> Scanner:
    from ..checks import scanning

    return scanning.scanner(project.scanning, project.constants, project.root)


_LOOKS: Mapping[str, Look] = {
    "contract": _contract,
    "size": _size,
    "lint": _lint,
    "leaks": _leaks,
    "scan": _scan,
}
