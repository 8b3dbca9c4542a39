"""Cases of one change each, judged: is Argosy's address a lie (stale), or more careful than it need be (needless)?"""

from __future__ import annotations

import difflib
import itertools
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests import stale_oracle
from tests.imagined_changes import CHANGES, After, Story, stories
from tests.imagined_fleets import Imagined
from tests.stale_oracle import Outcome, State

TOGETHER = 20
"""Stories whose builds are shared out over the same calls of bake."""


@dataclass(frozen=True)
class Stale:
    """A case in which Argosy would reuse an image that BuildKit makes anew in another way."""

    number: int
    image: str
    kinds: tuple[str, ...]
    before: Imagined
    after: Imagined
    why: str

    def __str__(self) -> str:
        lines = [f"case {self.number}, image {self.image}: {', '.join(self.kinds)}: {self.why}"]
        lines += ["the project:", *self.before.shown(), "what changed:"]
        return "\n".join([*lines, *changes(self.before, self.after)])


def changes(before: Imagined, after: Imagined) -> list[str]:
    """Returns what differs between two fleets, as a diff of what there is to read of them."""
    return list(difflib.unified_diff(before.shown(), after.shown(), "before", "after", lineterm="", n=2))[2:]


@dataclass
class Tally:
    """What a run came to. Images are counted, except where it says cases."""

    cases: int = 0
    unbuilt: int = 0
    """Cases that cannot be judged: BuildKit or Argosy refuses one of the two."""
    noise: int = 0
    """Images that came out in two ways in a crowd, and in one way when built apart."""
    same: int = 0
    """Images whose address stayed, and rightly."""
    other: int = 0
    """Images whose address changed."""
    stale: list[Stale] = field(default_factory=list)
    sampled: Counter[str] = field(default_factory=Counter)
    """By kind of change, images whose address changed and that were built all the same."""
    needless: Counter[str] = field(default_factory=Counter)
    """Those of them that came out the same."""
    kinds: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Case:
    number: int
    after: After
    before: State
    now: State
    sampled: bool

    @property
    def equal(self) -> set[str]:
        """The images that Argosy would reuse."""
        return {
            name for name, address in self.now.addresses.items() if self.before.addresses.get(name) == address
        }

    @property
    def asked(self) -> set[str]:
        """The images to be built on both sides."""
        both = set(self.now.addresses) & set(self.before.addresses)
        return both if self.sampled else self.equal


def imagined(number: int, random: int, many: int = 5) -> list[Story]:
    """Returns as many stories, the same for the same `random` seed.

    Drawn by hypothesis, some kinds of change come again and again and others never. So those that were the fewest times
    alone come first; few fleets have a place for some of them.
    """
    told: list[Story] = []
    alone: Counter[str] = Counter()
    for turn in range(number):
        order = tuple(sorted(CHANGES, key=lambda kind: alone[kind]))
        told.append(_imagined(order, many, f"{random} {turn}"))
        alone.update(after.kinds[0] for after in told[-1].afters if len(after.kinds) == 1)
    return told


def _imagined(order: tuple[str, ...], many: int, word: str) -> Story:
    found: list[Story] = []

    # The first that hypothesis tries is the simplest there is, always.
    @seed(word)
    @settings(
        max_examples=2, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(stories(order, many))
    def collect(story: Story) -> None:
        found.append(story)

    collect()
    return found[-1]


def judge(
    env: Mapping[str, str],
    digests: Mapping[tuple[str, str], str],
    folder: Path,
    told: list[Story],
    sample: int = 0,
) -> Iterator[Tally]:
    """Judges all cases of these stories; yields the tally so far now and then.

    One of so many cases (`sample`; 0 for none) is built where its address changed, to see whether that was needless.
    """
    tally = Tally()
    numbers = itertools.count()
    for first in range(0, len(told), TOGETHER):
        part = folder / f"part{first}"
        cases: list[tuple[Story, _Case]] = []
        for order, story in enumerate(told[first : first + TOGETHER], start=first):
            before = stale_oracle.state(f"s{order}x0", story.before, part / f"{order}/0/fleet", digests)
            for place, after in enumerate(story.afters, start=1):
                now = stale_oracle.state(
                    f"s{order}x{place}", after.fleet, part / f"{order}/{place}/fleet", digests
                )
                number = next(numbers)
                cases.append((story, _Case(number, after, before, now, sample > 0 and number % sample == 0)))
        wanted: dict[str, tuple[State, set[str]]] = {}
        # In one call BuildKit makes equal steps of before and after but once, and then they are equal of course.
        for one, asked in [
            *((case.before, case.asked) for _, case in cases),
            *((case.now, case.asked) for _, case in cases),
        ]:
            if asked:
                wanted.setdefault(one.name, (one, set()))[1].update(asked)
        found = stale_oracle.built(env, list(wanted.values()), part)
        for story, case in cases:
            for name in _suspected(case, found):
                if stale_oracle.alike(env, case.before, case.now, name, part):
                    tally.noise += 1
                    found[case.now.name].digests[name] = found[case.before.name].digests[name]
            _judged(tally, story, case, found)
        shutil.rmtree(part)
        yield tally


def _suspected(case: _Case, found: Mapping[str, Outcome]) -> list[str]:
    """Returns the images that Argosy would reuse and that came out in two ways."""
    before, now = (found.get(one.name, Outcome()).digests for one in (case.before, case.now))
    return [
        name for name in sorted(case.equal) if name in before and name in now and before[name] != now[name]
    ]


def _judged(tally: Tally, story: Story, case: _Case, found: Mapping[str, Outcome]) -> None:
    tally.cases += 1
    kind = case.after.kinds[0] if len(case.after.kinds) == 1 else "two changes"
    tally.kinds[kind] += 1
    tally.other += len(set(case.now.addresses) - case.equal)
    before, now = (found.get(one.name, Outcome()) for one in (case.before, case.now))
    if case.before.refused or case.now.refused or (case.asked and before.failed):
        tally.unbuilt += 1
        return
    if case.equal == set(case.now.addresses):
        tally.kept[kind] += 1
    if "failed to resolve source metadata" in now.failed:
        # A base could not be looked up: that says nothing of the image.
        tally.unbuilt += 1
        return
    if now.failed:
        # Which of the images fails is not known: it is a lie only if all of them would be reused.
        if case.equal and case.equal == set(case.now.addresses):
            why = f"reused, yet it cannot be built: {now.failed}"
            tally.stale.append(Stale(case.number, "?", case.after.kinds, story.before, case.after.fleet, why))
        else:
            tally.unbuilt += 1
        return
    for name in sorted(case.asked):
        alike = before.digests[name] == now.digests[name]
        if name not in case.equal:
            tally.sampled[kind] += 1
            tally.needless[kind] += alike
        elif alike:
            tally.same += 1
        else:
            why = "reused, yet BuildKit makes another image"
            tally.stale.append(
                Stale(case.number, name, case.after.kinds, story.before, case.after.fleet, why)
            )
