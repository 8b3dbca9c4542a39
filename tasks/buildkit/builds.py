"""How far one image on one platform is, and who wants to know.

The state is filled by progress.py and shown by whoever is a Watcher; neither is known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from .steps import Step


class State(str, Enum):
    """How far one image on one platform is; the value is the word people see."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(slots=True, eq=False)
class Build:
    """One image on one platform ("" where the builder chooses it) and the steps reported for it so far.

    One that is `aside` makes no image: it stands in for what the image stands on.
    """

    image: str
    platform: str
    steps: list[Step] = field(default_factory=list)
    state: State = State.WAITING
    aside: bool = False

    @property
    def current(self) -> Step | None:
        """The step it is in: of those that run its own before those it waits for, the latest first."""
        running = [step for step in self.steps if step.running]
        if running:
            return max(running, key=lambda step: (not step.owner, step.asked, step.started or 0.0))
        return max(self.steps, key=lambda step: step.ended or 0.0, default=None)

    @property
    def counted(self) -> list[Step]:
        """The steps its Dockerfile asks for, as far as they are known."""
        return [step for step in self.steps if step.counted]

    @property
    def total(self) -> int:
        """How many steps its Dockerfile asks for."""
        return len(self.counted)

    @property
    def done(self) -> int:
        """How many of them have ended well."""
        return sum(1 for step in self.counted if step.ended is not None and not step.error)

    @property
    def cached(self) -> int:
        """How many of them came from the cache."""
        return sum(1 for step in self.counted if step.cached)

    @property
    def started(self) -> float | None:
        """When its first step started, by our clock; None while it waits."""
        return min((step.first for step in self.steps if step.first is not None), default=None)

    @property
    def ended(self) -> float | None:
        """When the last step that has ended did, by our clock; None where none has."""
        return max((step.last for step in self.steps if step.last is not None), default=None)

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did."""
        return next((step for step in self.steps if step.failed and not step.owner), None)


class Watcher(Protocol):
    """Who wants to know how builds go on; several runs may call it at once, from threads of their own."""

    def update(self, builds: Sequence[Build]) -> None:
        """Something about these builds has changed."""

    def step(self, step: Step) -> None:
        """A step has ended: done, cached or failed (not: canceled). One that several images share is told once."""

    def line(self, text: str) -> None:
        """The builder has something to say beside the steps: a warning, say."""
