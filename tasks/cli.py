"""The `argosy` program: the same tasks, for those who do not want a tasks.py."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from invoke.program import Program

from .collection import ns


def _version() -> str:
    try:
        return version("argosy")
    except PackageNotFoundError:
        return "unknown (run from a checkout)"


program = Program(name="Argosy", binary="argosy", binary_names=["argosy"], namespace=ns, version=_version())


def main() -> None:
    """Runs the program with the process's own arguments."""
    program.run()


if __name__ == "__main__":
    main()
