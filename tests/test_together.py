"""Doing several things at once, and ending in the middle of it: at whatever moment Ctrl-C comes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from types import FrameType

import pytest

from tasks.engine import processes
from tasks.engine.together import together
from tasks.errors import RefusedError
from tests.scenario import ROOT

TRIES = 300


def test_results_come_in_the_order_of_the_items() -> None:
    def work(number: int) -> int:
        time.sleep(0.01 * (3 - number))
        return number

    assert together(work, range(4)) == [0, 1, 2, 3]


def test_the_first_failure_is_raised_when_all_that_had_begun_has_ended() -> None:
    ended: list[int] = []
    all_begun = threading.Barrier(4)

    def work(number: int) -> None:
        all_begun.wait(10)
        if number == 0:
            raise RefusedError("no")
        time.sleep(0.05)
        ended.append(number)

    with pytest.raises(RefusedError, match="no"):
        together(work, range(4))
    assert set(ended) == {1, 2, 3}


def test_a_failure_calls_back_what_would_go_on_for_long_and_is_what_is_raised() -> None:
    called_back, begun = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 0:
            begun.wait(10)
            raise RefusedError("no")
        begun.set()
        assert called_back.wait(60)

    def stop() -> None:
        called_back.set()
        processes.end_programs()

    with pytest.raises(RefusedError, match="no"):
        together(work, range(3), 2, stop)


def test_ctrl_c_at_any_moment_ends_it_and_leaves_nothing_going_on() -> None:
    """In a process of its own: one that is stuck can only be killed."""
    done = subprocess.run(
        [sys.executable, "-c", "from tests import test_together as story; story.interrupted()"],
        cwd=ROOT,
        timeout=120,
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) > TRIES // 10, "hardly any came in time"


def interrupted() -> None:
    """Calls it again and again, each time with an alarm somewhere in it; prints how often that ended it."""

    def alarm(_number: int, _frame: FrameType | None) -> None:
        if processes.end_all():  # as every task takes a signal
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, alarm)
    dice, count = random.Random(4), 0  # noqa: S311 - it mixes, it does not guard
    for _ in range(TRIES):
        try:
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(1e-5, 6e-3))
            together(lambda _item: time.sleep(0.001), range(8))
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            count += 1
            deadline = time.monotonic() + 5
            while threading.active_count() > 1:  # a thread takes a moment to be gone
                assert time.monotonic() < deadline
                time.sleep(0.001)
    print(count)
