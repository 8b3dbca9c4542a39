"""What a person is told when the machine is not as it must be. Knows nothing of what went wrong."""

from __future__ import annotations


class ProblemError(Exception):
    """A failure told in a few lines: what, where, what to do. The exit status is 3, as for `inv`."""

    exit_code = 3
