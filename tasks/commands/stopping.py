"""Ctrl-C, and the signals by which CI services and closing terminals end a program: one clean end for all.

The programs that were started end first, then the task says what was done; the exit code is the shell's own
for the signal (130 for Ctrl-C, 143 for SIGTERM; 141 where nobody reads the output).
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec, TypeVar

from ..errors import StoppedError

P = ParamSpec("P")
R = TypeVar("R")

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}


def stoppable(task: Callable[P, R]) -> Callable[P, R]:
    """Makes a task end cleanly on a signal: as KeyboardInterrupt within it, as StoppedError out of it."""

    @functools.wraps(task)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from ..engine import processes

        came: list[int] = []

        def handle(number: int, _frame: FrameType | None) -> None:
            came.append(number)
            for one in mine:  # the end takes a second: whoever is impatient must not leave half of it undone
                signal.signal(one, signal.SIG_IGN)
            if processes.end_all():
                raise KeyboardInterrupt

        if threading.current_thread() is not threading.main_thread():  # Python lets no other thread do this
            return task(*args, **kwargs)
        before = {number: signal.getsignal(number) for number in WORDS}
        mine = [number for number, handler in before.items() if handler not in {signal.SIG_IGN, None}]
        for number in mine:
            signal.signal(number, handle)
        try:
            result = task(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is left of our output goes nowhere: the interpreter would complain of it once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise StoppedError("", signal.SIGPIPE) from None
        except (KeyboardInterrupt, StoppedError) as stop:
            number = signal.Signals(came[0] if came else signal.SIGINT)
            raise StoppedError(": ".join(filter(None, [WORDS[number], str(stop)])), number) from None
        else:
            return result
        finally:
            for number in mine if not came else ():
                signal.signal(number, before[number])

    return wrapped
