"""Reads what `docker buildx … --progress=rawjson` writes to stderr: JSON objects with plain text around them.

buildx 0.13 prints each object over many indented lines, newer ones print one object a line; warnings stand
before, between and after them. What the objects mean is progress.py's business.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

PLAIN_LINES = 1000
"""How many of the last plain lines are kept: enough for any error, and a bound for a talkative program."""


class Decoder:
    """Takes stderr in pieces of any size and yields each object once it is complete.

    Work is linear in the text: pieces of an unfinished line or object are kept in a list and joined once.
    Lines that belong to no object are kept in `plain`, in the order they came.
    """

    def __init__(self) -> None:
        self.plain: deque[str] = deque(maxlen=PLAIN_LINES)
        self._line: list[str] = []
        self._object: list[str] = []

    def feed(self, text: str) -> Iterator[dict[str, Any]]:
        """Yields the objects that `text` completes; must be iterated to the end."""
        *complete, rest = text.split("\n")
        for line in complete:
            self._line.append(line)
            whole = "".join(self._line)
            self._line.clear()
            yield from self._take(whole.rstrip("\r"))
        if rest:
            self._line.append(rest)

    def close(self) -> Iterator[dict[str, Any]]:
        """Yields what the end of the text completes; an object cut off in the middle becomes plain text."""
        if self._line:
            yield from self.feed("\n")
        self.plain.extend(self._object)
        self._object.clear()

    def _take(self, line: str) -> Iterator[dict[str, Any]]:
        if not self._object and not line.startswith("{"):
            if line.strip():
                self.plain.append(line)
            return
        if self._object and line == "{":  # the one before was cut off: a process that was killed, say
            self.plain.extend(self._object)
            self._object.clear()
        first = not self._object
        self._object.append(line)
        # Inside an indented object every line but the last is indented or opens it, so only these can end one.
        if (first and line != "{") or line == "}":
            yield from self._finish(first=first)

    def _finish(self, *, first: bool) -> Iterator[dict[str, Any]]:
        try:
            value = json.loads("\n".join(self._object))
        except ValueError:
            if first:
                self.plain.extend(self._object)
                self._object.clear()
                return
            self.plain.extend(self._object)
        else:
            yield value
        self._object.clear()
