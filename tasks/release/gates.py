"""What every platform's manifest must pass before any name points to it.

A gate is a function from the platforms to its reports. One without a report has not passed; what is released is
exactly what was gated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..checks.check import Check, Outcome
from ..errors import CheckError, SurroundingsError
from .content import Contents, Place
from .order import Named

LOG_LINES = 10
"""Lines of a failed check's log that are told with it."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform of one image, by digest; `reference` is what a tool is given, together with `--platform`."""

    image: str
    platform: str
    place: Place
    digest: str

    @property
    def reference(self) -> str:
        """Repository and digest."""
        return f"{self.place}@{self.digest}"


@dataclass(frozen=True, slots=True)
class Gate:
    """A check by name. `run` returns for each platform it has judged what it found: nothing is a pass."""

    name: str
    run: Callable[[Sequence[Platform]], Mapping[Platform, Sequence[str]]]


def of_checks(name: str, look: Callable[[Sequence[Platform]], Iterable[Check]]) -> Gate:
    """Returns a gate made of checks. A check of a digest is its report, one that was skipped is none.

    What was looked at for an image as a whole (its files) counts for each of its platforms, beside their own. What was
    found of images that are not gated themselves (a test's target, of one Dockerfile with others) counts for all.
    """

    def run(gated: Sequence[Platform]) -> dict[Platform, list[str]]:
        checks = [check for check in look(gated) if check.outcome is not Outcome.SKIPPED]
        reports: dict[Platform, list[str]] = {}
        names = {one.image for one in gated}
        for one in gated:
            own = [check for check in checks if (check.image, check.digest) == (one.image, one.digest)]
            if own:
                others = names - {one.image}
                whole = [check for check in checks if check.image not in others and not check.platform]
                reports[one] = [_told(check) for check in (*whole, *own) if not check]
        return reports

    return Gate(name, run)


def _told(check: Check) -> str:
    """Returns what is wrong, and the end of what whatever was looked at had to say of it."""
    return "\n".join([f"{check.name}: {check.detail}", *(f"    | {line}" for line in check.log[-LOG_LINES:])])


def platforms(contents: Contents) -> tuple[Platform, ...]:
    """Returns every platform once, in its image's first repository."""
    return tuple(
        Platform(image, child.platform, place, child.digest)
        for image, places in contents.items()
        for place, children in list(places.items())[:1]
        for child in children
        if child.platform
    )


def passed(gates: Sequence[Gate], gated: Sequence[Platform]) -> dict[str, str]:
    """Runs every gate over every platform. Raises CheckError with all findings, and all missing reports."""
    wrong: list[str] = []
    told: dict[str, str] = {}
    for gate in gates:
        try:
            reports = gate.run(gated)
        except SurroundingsError as error:
            wrong.append(f"{gate.name}: it could not look, so nothing has passed it: {error}")
            continue
        for one in gated:
            who = f"{gate.name}: {one.image} {one.platform} ({one.reference})"
            if one not in reports:
                wrong.append(f"{who}: there is no report, so it has not passed")
            else:
                wrong += [f"{who}: {finding}" for finding in reports[one]]
        told[gate.name] = f"{len(gated)} platforms passed"
    if wrong:
        raise CheckError("not released, no name was moved:\n" + "\n".join(f"  {line}" for line in wrong))
    return told


def same(named: Iterable[Named], gated: Iterable[Platform]) -> None:
    """Raises CheckError unless what is to be named is exactly what was gated, in every repository."""
    seen = {(one.image, one.digest) for one in gated}
    for one in named:
        mine = {(one.image, child.digest) for child in one.children if child.platform}
        if other := mine ^ {pair for pair in seen if pair[0] == one.image}:
            digests = ", ".join(sorted(digest for _, digest in other))
            raise CheckError(
                f"{one.image} in {one.place} is not what was gated: {digests}. Nothing was moved."
            )
