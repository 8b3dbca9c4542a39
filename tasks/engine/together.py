"""The same work done for many things, several at once; the one place for that where something waits.

It knows nothing of what the work is. A Ctrl-C never breaks into a pool (`processes.unbroken`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from . import processes

THREADS = 8
POLL = 0.05
"""Seconds between two looks for a signal that came while several things are done."""
T = TypeVar("T")
R = TypeVar("R")


def together(
    work: Callable[[T], R],
    items: Iterable[T],
    threads: int = THREADS,
    stop: Callable[[], object] = lambda: None,
) -> list[R]:
    """Does the same for all, so many at once; the results in order.

    The first failure (or Ctrl-C) is raised when all that had begun has ended: nothing goes on behind our back.
    `stop` is called then, for work that would go on for long.
    """
    with processes.unbroken() as ending, ThreadPoolExecutor(threads) as pool:
        futures: list[Future[R]] = [pool.submit(work, item) for item in items]
        left = set(futures)
        while left and not ending():
            done, left = wait(left, timeout=POLL, return_when="FIRST_EXCEPTION")
            if any(future.exception() for future in done):
                break
        for future in left:
            future.cancel()
        if left:
            stop()
    for future in futures:
        if not future.cancelled() and (error := future.exception()):
            raise error
    return [future.result() for future in futures]
