"""What the machine was like before the first private engine of this boot, so that the last one can put it back.

All checkouts share one small file under /run. One from before a reboot counts for nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import files

RECORD = Path("/run/argosy-machine.json")
BOOT = Path("/proc/sys/kernel/random/boot_id")


def remembered() -> dict[str, Any]:
    """Returns what was remembered since the machine started: a word -> a value."""
    record = files.read_json(RECORD)
    return record if record.pop("boot", None) == BOOT.read_text().strip() else {}


def remember(word: str, value: object) -> None:
    """Keeps a value under a word; the first one stays."""
    record = {word: value, **remembered()}
    files.write_json(RECORD, {**record, "boot": BOOT.read_text().strip()})


def forget() -> None:
    """Drops everything: the machine is as it was."""
    RECORD.unlink(missing_ok=True)
