"""The `argosy` program: the same tasks, for those who do not want a tasks.py."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from invoke.exceptions import Exit
from invoke.program import Program

from . import completion
from .collection import ns


def _version() -> str:
    try:
        return version("argosy")
    except PackageNotFoundError:
        return "unknown (run from a checkout)"


class ArgosyProgram(Program):
    """Invoke's program, whose completion also knows the fleet's images and groups."""

    def parse_cleanup(self) -> None:
        """Answers a shell that asks for a value; all else is Invoke's."""
        if self.args.complete.value:
            # The remainder is the line as it stands; a quote still open in it is nothing to complete.
            values = completion.candidates(self.core.remainder.split()[1:])
            if values is not None:
                print("\n".join(values))
                raise Exit
        super().parse_cleanup()


program = ArgosyProgram(
    name="Argosy", binary="argosy", binary_names=["argosy"], namespace=ns, version=_version()
)


def main() -> None:
    """Runs the program with the process's own arguments."""
    try:
        Path.cwd()
    except FileNotFoundError:
        sys.exit("argosy: the current folder is not there any more: cd to one that is")
    program.run()


if __name__ == "__main__":
    main()
