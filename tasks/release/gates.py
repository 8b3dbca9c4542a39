"""What every platform's manifest must pass before any name points to it.

A gate is a function from the platforms to its reports. One without a report has not passed; what is released is
exactly what was gated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import CheckError
from .content import Contents, Place


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
        reports = gate.run(gated)
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
