"""Watches one other service: / says whether $TARGET is up, and how long the answer took."""

from __future__ import annotations

import os
import time

from check import check  # one of checks/, chosen when the image is built
from service import Reply, as_json, run

TARGET = os.environ.get("TARGET", "")


def answer(path: str) -> Reply | None:
    """The state of the target at this moment."""
    if path != "/":
        return None
    start = time.perf_counter()
    try:
        check(TARGET)
        problem = ""
    except (OSError, ValueError) as error:  # ValueError: a target that is no address
        problem = str(error)
    milliseconds = round((time.perf_counter() - start) * 1000)
    return as_json({"target": TARGET, "up": not problem, "problem": problem, "milliseconds": milliseconds})


if __name__ == "__main__":
    run("probe", "1.0.0", answer)
