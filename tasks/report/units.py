"""Sizes, times, shares and digests as people read them. Plain ASCII, so that they fit any stream."""

from __future__ import annotations

NOTHING = "-"


def size(count: int | None) -> str:
    """Returns bytes in decimal units, as `docker image ls` does: `8.2 MB`."""
    if count is None:
        return NOTHING
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:  # what would be rounded to 1000 takes the next unit
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float) -> str:
    """Returns `3.1 s` up to a minute, `2 m 05 s` up to an hour, then `1 h 02 m`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} m"


def share(part: int, whole: int) -> str:
    """Returns `part` of `whole` in percent; all and nothing are said only where they are true."""
    if not whole:
        return NOTHING
    percent = round(100 * part / whole)
    if 0 < part < whole:
        percent = min(max(percent, 1), 99)
    return f"{percent} %"


def digest(text: str) -> str:
    """Returns the first twelve digits of a digest, as Docker shortens it."""
    return text.rpartition(":")[2][:12] or NOTHING
