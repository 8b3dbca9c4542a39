"""docs/reference/exit-codes.md: how a command ends, from the errors themselves."""

from __future__ import annotations

from inspect import getdoc

from tasks import errors

from .markdown import note, sentence, table

HEAD = """\
# Exit codes

A failure is one message on stderr: what is wrong, where (file and key), what is available, what to do. There is no
traceback, and the exit code tells a script which kind of failure it was.

"""


def page() -> str:
    """Returns the whole page."""
    meanings: dict[int, str] = {
        0: "All that was asked for is done.",
        1: "The command line itself could not be read (an unknown task or flag), or Argosy has a fault.",
    }
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.ArgosyError):
            # An error below another one with its code is a closer word for the same.
            meanings.setdefault(error.exit_code, sentence(getdoc(error) or ""))
    rows = [(str(number), meaning) for number, meaning in sorted(meanings.items())]
    return note("tasks/errors.py") + "\n" + HEAD + table(("code", "means"), rows)
