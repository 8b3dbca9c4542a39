"""Floor 6: the tasks, by what a person is doing. Thin: each is the product's sentence with a name."""

from __future__ import annotations

import sys


def keep_compiled() -> None:
    """Lets Python keep what it compiles, unless its user has said no.

    Invoke does not, for the sake of a lone tasks.py; here a hundred modules would be compiled at every run.
    """
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)


keep_compiled()
