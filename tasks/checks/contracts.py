"""All that images have promised, looked at: what is to be seen in them, how large they are, what they do when run.

Several at once, and whatever fails, the rest is still looked at. It does not know where the images come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ..engine.containers import Berths
from ..engine.together import together
from ..errors import SurroundingsError
from ..model import Client, ImageTest
from .check import Check
from .composing import composed
from .expectations import expectations
from .sizes import sizes
from .structure import structure
from .subject import Subject
from .trials import trial

Told = Callable[[Check], object]
Job = Callable[[], tuple[Check, ...]]


def seen(subject: Subject) -> tuple[Check, ...]:
    """Looks at all that needs no container."""
    return (*expectations(subject), *sizes(subject))


def check(
    subjects: Sequence[Subject],
    root: Path,
    client: Client,
    runs: Callable[[str], str],
    told: Told = lambda _: None,
    at_once: int = 4,
    *,
    fetched: bool = False,
) -> tuple[Check, ...]:
    """Looks at everything that was promised for these subjects, and returns it in their order.

    `runs` says why a platform's containers cannot be run here ("" if they can). `told` hears of each check as it
    is done, from several threads. With `fetched` what is run is pulled first.
    No container is left, whatever ends it.
    """

    def job(work: Job) -> tuple[Check, ...]:
        found = work()
        for one in found:
            told(one)
        return found

    with Berths(client, [subject.run for subject in subjects] if fetched else ()) as berths:
        works = [
            work for subject in subjects for work in _works(subject, root, berths, runs(subject.platform))
        ]
        return tuple(one for found in together(job, works, at_once, berths.stop) for one in found)


def _works(subject: Subject, root: Path, berths: Berths, cannot: str) -> list[Job]:
    contract = subject.contract
    if not contract.tests and not seen_at_all(subject):
        return [lambda: (subject.skipped("contract", "build.toml promises nothing of it"),)]
    works: list[Job] = [partial(seen, subject)]
    for test in contract.tests:
        if test.platforms and subject.platform not in test.platforms:
            works.append(partial(_skipped, subject, test, f"only for {', '.join(test.platforms)}"))
        elif cannot:
            works.append(partial(_skipped, subject, test, cannot))
        else:
            works.append(partial(_run, subject, test, root, berths))
    return works


def seen_at_all(subject: Subject) -> bool:
    """Whether anything is promised that can be seen without a container."""
    return subject.contract.size is not None or subject.contract.expect != type(subject.contract.expect)()


def _skipped(subject: Subject, test: ImageTest, reason: str) -> tuple[Check, ...]:
    return (subject.skipped(test.title, reason),)


def _run(subject: Subject, test: ImageTest, root: Path, berths: Berths) -> tuple[Check, ...]:
    try:
        berths.fetch(subject.run, subject.platform)
    except SurroundingsError as error:
        return (subject.check(test.title, str(error)),)
    if test.structure:
        return (structure(subject, test, root),)
    if test.compose:
        return composed(subject, test, root, berths)
    return trial(subject, test, root, berths)
