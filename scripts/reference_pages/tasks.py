"""docs/reference/tasks.md: every task and flag, as Invoke itself reads them, and the make targets."""

from __future__ import annotations

import re
from inspect import getdoc
from pathlib import Path

from invoke.parser.argument import Argument

from tasks.collection import ns

from .markdown import code, note, sentence, table

MAKEFILE = Path(__file__).resolve().parents[2] / "tasks" / "argosy.mk"

HEAD = """\
# Tasks

Type `inv TASK` in a repository whose tasks.py brings the tasks in, and `argosy TASK` anywhere else. `inv --list` lists
them, `inv --help TASK` describes one. A task finds build.toml from any folder below it.

- Images are named by `--images`, with commas or globs. A word that stands alone is the name of the next task.
- The name of a flag marked **needed** may be left out: `inv verify v0.2.0` is `inv verify --tag v0.2.0`.
- The flags of a task stand after its name, Invoke's own before it.
- `…` marks a flag that may be given several times, `=` shows its default.
"""

MAKE = """\
## Make targets

`include $(shell argosy-mk)` in a Makefile brings these. `%` is an image's name or a glob; `FLAGS=` is handed on to the
task; `ARGOSY=inv` runs the tasks through a tasks.py instead of the `argosy` program. `ARGOSY_FIRST=` names targets of
your own Makefile that are made first.

"""


def page() -> str:
    """Returns the whole page."""
    parts = [note("the tasks' own docstrings and help"), HEAD]
    for context in sorted(ns.to_contexts(), key=lambda context: context.name or ""):
        name = context.name or ""
        parts += [f"## {name}\n", paragraphs(getdoc(ns[name]) or "")]
        rows = [
            (code(flag(argument)), meaning(argument, needed=argument in context.positional_args))
            for argument in context.args.values()
        ]
        parts += [table(("flag", "meaning"), rows)] if rows else []
    return "\n".join([*parts, MAKE + table(("target", "does"), targets())])


def paragraphs(doc: str) -> str:
    """Returns a docstring's paragraphs, each on one line."""
    return "\n\n".join(sentence(part) for part in doc.split("\n\n")) + "\n"


def flag(argument: Argument) -> str:
    """Returns a flag as it is typed, with its default."""
    name = f"--{str(argument.name).replace('_', '-')}"
    if not argument.takes_value:
        return name
    default = f"={argument.default}" if isinstance(argument.default, str) and argument.default else ""
    return f"{name} VALUE{default}" + (" …" if argument.kind is list else "")


def meaning(argument: Argument, *, needed: bool) -> str:
    """Returns what a flag means, marked where the task cannot do without it."""
    return f"**needed**: {argument.help}" if needed else argument.help or ""


def targets() -> list[tuple[str, str]]:
    """Returns each make target with its own comment."""
    found = re.findall(r"^([\w%-]+):.*?## (.+)$", MAKEFILE.read_text(), re.MULTILINE)
    return [(code(f"make {name}"), what) for name, what in found]
