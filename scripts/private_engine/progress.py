"""Lines that tell what a long step is doing and for how long. Knows nothing of the steps."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Progress:
    """Writes whole lines to `stream`; `step` puts the seconds since the beginning in front of them."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    began: float = field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        """Writes one line as it is, at once."""
        print(line, file=self.stream, flush=True)

    def step(self, line: str) -> None:
        """Writes one line behind the elapsed seconds."""
        self.say(f"[{time.monotonic() - self.began:5.1f} s] {line}")
