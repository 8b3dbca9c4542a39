"""Every way Argosy can fail, each with its exit code.

They live together so that codes stay distinct and wording keeps one form: what is wrong, where (file and
key), what is available, what to do. This module knows nothing but Invoke's `Exit`, which makes an error one
clean message on stderr instead of a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from invoke.exceptions import Exit


class ArgosyError(Exit):
    """Base of all failures that are reported to a person. `exit_code` is the process's exit status."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message=message, code=self.exit_code)

    def __str__(self) -> str:
        return self.message or ""


class ConfigError(ArgosyError):
    """build.toml, a Dockerfile or the command line asks for something that cannot be."""

    exit_code = 2


class SurroundingsError(ArgosyError):
    """The engine, a registry, credentials or the machine are not as they must be."""

    exit_code = 3


class AbsentError(SurroundingsError):
    """The engine works, and does not have what was asked for: nothing is broken, it was not built or pulled yet."""


class RegistryError(SurroundingsError):
    """A registry gave no answer, or refused: `status` is its HTTP status, None when there was no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class BuildError(ArgosyError):
    """At least one image did not build."""

    exit_code = 4


class CheckError(ArgosyError):
    """A check or a test found a fault in what was built."""

    exit_code = 5


class RefusedError(ArgosyError):
    """A name was not moved because moving it would break a promise; nothing has changed."""

    exit_code = 6


class IncompleteError(ArgosyError):
    """Some names were moved and others not; the message lists both."""

    exit_code = 7


class StoppedError(ArgosyError):
    """The user pressed Ctrl-C, a signal came, or nobody reads the output (141): the shell's own, 128 + the signal."""

    exit_code = 130

    def __init__(self, message: str, number: int = 2) -> None:
        self.exit_code = 128 + number
        super().__init__(message)


def nearest(word: str, known: Iterable[str]) -> str:
    """Returns ` (did you mean "X"?)` for the known word nearest to `word`, or nothing."""
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{match[0]}"?)' if match else ""


def available(what: str, known: Sequence[str], limit: int = 12) -> str:
    """Returns the sentence that lists what there is, cut after `limit` entries."""
    if not known:
        return f"There are no {what}."
    return f"Available {what}: {several(known, limit)}."


def several(names: Sequence[str], most: int) -> str:
    """Returns the names, those beyond `most` counted: `a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
