"""Commands that prepare what images are built from: run once each, before anything is addressed.

What they make lies in contexts, and an address is made of what lies there; so they run first, whether or not the
images turn out to be there already. Whether their work is still good they know best themselves (make does).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ..contents import state
from ..errors import BuildError
from ..planning.plan import Plan
from . import processes

SHOWN = 20
"""Lines of a failing command's output that the message shows."""


def commands(plan: Plan) -> dict[tuple[str, ...], list[str]]:
    """Returns the commands of all images of a plan, in its order, each once, with the images that name it."""
    found: dict[tuple[str, ...], list[str]] = {}
    for image in plan.images:
        for command in image.before:
            found.setdefault(command, []).append(image.name)
    return found


def run(plan: Plan, log_file: Path, told: Callable[[str], None]) -> None:
    """Runs them one after another in build.toml's folder; what they print goes to the log.

    Raises BuildError for the first that fails: nothing is built then. Raises SurroundingsError for a log that
    cannot be written.
    """
    try:
        with log_file.open("w", encoding="utf-8") as log:
            for command, images in commands(plan).items():
                _one(plan.root, command, images, log, told)
    except OSError as error:
        raise state.unwritable(error, log_file) from None


def _one(
    root: Path, command: tuple[str, ...], images: list[str], log: TextIO, told: Callable[[str], None]
) -> None:
    text = shlex.join(command)
    told(f"before {', '.join(images)}: {text}")
    log.write(f"$ {text}\n")
    log_file = Path(log.name)
    try:
        done = processes.run(command, folder=root)
    except OSError as error:
        raise BuildError(_failed(images, text, f"{command[0]}: {error.strerror}", log_file)) from None
    log.write(done.out + done.err)
    if not done:
        lines = (done.out + done.err).splitlines()[-SHOWN:]
        said = "\n".join([f"exit {done.status}", *(f"  {line}" for line in lines)])
        raise BuildError(_failed(images, text, said, log_file))


def _failed(images: list[str], text: str, said: str, log_file: Path) -> str:
    return f"`{text}` must run before {', '.join(images)} can be built, and failed: {said}\nlog: {log_file}"
