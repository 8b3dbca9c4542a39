"""Pages played: their files written, their commands run by a reader, what differs told or put into the page.

python -m tests.playing [--write] PAGE...      shows what differs; --write puts what was printed into the page
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from tests.pages import REGISTRY, Command, same, steps
from tests.reader import Reader
from tests.scenario import ROOT


@dataclass(frozen=True)
class Difference:
    """A command that did not do what its page says."""

    command: Command
    status: int
    printed: str
    problem: str


def play(page: Path, reader: Reader, not_run: Mapping[str, str]) -> Iterator[Difference]:
    """Writes a page's files and runs its commands, except those of `not_run`; yields what differs."""
    for step in steps(page):
        if step.folder:
            reader.run(f"mkdir -p {step.folder} && cd {step.folder}")
        elif step.path:
            reader.write(step.path, step.text)
        failed: Difference | None = None
        for command in step.commands:
            if command.text in not_run:
                continue
            if failed and command.text != "echo $?":
                yield failed
            status, printed = reader.run(command.text)
            failed = None
            if command.shown is not None and not same(command.shown, printed):
                yield Difference(command, status, printed, "prints something else")
            elif status:
                failed = Difference(command, status, printed, f"ends with exit {status}")
        if failed:
            yield failed


def told(page: Path, difference: Difference) -> str:
    """Words a difference for a person."""
    command = difference.command
    shown = indent(command.shown or "(nothing)", "  | ")
    printed = indent(difference.printed.rstrip("\n"), "  | ")
    where = f"{page.relative_to(ROOT)}:{command.line}"
    return f"{where}: `{command.text}` {difference.problem}\n  the page shows\n{shown}\n  printed\n{printed}"


def rewrite(page: Path, difference: Difference) -> None:
    """Puts what was printed into the page; where the page left a beginning out, progress stays left out."""
    printed = difference.printed.strip("\n")
    shown = difference.command.shown
    # What went wrong today is no documentation.
    if shown is None or "\n…\n" in shown or "Traceback (most recent call last)" in printed:
        return
    if shown.startswith("…\n") and "\nIMAGE" in printed:
        printed = "…\nIMAGE" + printed.partition("\nIMAGE")[2]
    printed = re.sub(r"(localhost:\d+)(/[^\s,]+(?:, [^\s,]+)*)", _aligned, printed)
    printed = "\n".join(line.rstrip() for line in printed.splitlines())
    text = page.read_text()
    page.write_text(
        text.replace(f"$ {difference.command.text}\n{shown}", f"$ {difference.command.text}\n{printed}", 1)
    )


def _aligned(match: re.Match[str]) -> str:
    """Puts the pages' registry in the place of this one's, and keeps the column as wide as it was."""
    return f"{REGISTRY}{match[2]}{' ' * (len(match[1]) - len(REGISTRY))}"


def main() -> int:
    """Plays pages and shows, or writes down, what differs."""
    from tests.conftest import started  # the engine is only wanted here
    from tests.test_docs import NOT_RUN, surroundings

    parser = argparse.ArgumentParser(prog="python -m tests.playing", description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    found = 0
    for given in chosen.pages:
        page = given.resolve()
        with tempfile.TemporaryDirectory() as folder:
            reader = Reader(Path(folder) / "home", surroundings(started().env, page))
            try:
                for difference in play(page, reader, NOT_RUN.get(str(page.relative_to(ROOT)), {})):
                    found += 1
                    print(told(page, difference), flush=True)
                    if chosen.write:
                        rewrite(page, difference)
            finally:
                reader.close()
                reader.sweep()
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
