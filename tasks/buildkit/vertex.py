"""Reads one vertex of BuildKit: whose step it is and what it does stand only in its name.

`[api linux/arm64 build 2/5] RUN make` is written by moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go
(prefixCommand), the target in it by docker/buildx util/progress/multiwriter.go (addPrefix). What becomes of
the step is progress.py's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from .steps import Step, Target, quiet

_NAME = re.compile(r"\[(?P<head>[^\]]*)\] ?(?P<text>.*)", re.DOTALL)
_POSITION = re.compile(r"\d+/\d+")
_PLATFORM = re.compile(
    r"(?P<os>[a-z][a-z0-9]*)(?:\([^)]*\))?/(?P<arch>[a-z0-9]+(?:/v\d+)?)(?:->(?P<to>\S+))?"
)
_DIGEST = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")
_SYSTEMS = {"linux", "windows", "darwin", "freebsd"}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def read_step(name: str, targets: Mapping[str, Target]) -> Step:
    """Reads a name: `[target platform stage n/m] text`, each part there only where it is needed.

    A single target is not named, a single platform mostly not. A platform `linux/amd64->arm64` is a step
    that runs on the first for the second. FROM is no step of its own: it says where the others start, and
    BuildKit never calls it cached unless it had to fetch something. Nor is LINK, by which BuildKit lays the layer
    of a `COPY --link` on what is below it: no work, but done anew whenever that has changed.
    """
    match = _NAME.fullmatch(name)
    words = match["head"].split() if match else []
    text = _DIGEST.sub(r"\1", " ".join((match["text"] if match else name).split()))
    target = None
    if len(targets) == 1:
        target = next(iter(targets.values()))
    elif words and words[0] in targets:
        target = targets[words.pop(0)]
    platform = ""
    if words and (found := _PLATFORM.fullmatch(words[0])):
        platform = _aimed_at(found)
        words.pop(0)
    numbered = bool(words) and _POSITION.fullmatch(words[-1]) is not None
    counted = numbered and not text.startswith(("FROM ", "LINK "))
    head = " ".join(word for word in words if word != "internal")
    if target:  # the builder writes the values of ARG and ENV into a step's name
        text = quiet(text, target.hidden)
    return Step(target, _one_of(target, platform), f"[{head}] {text}" if head else text, counted)


def read_time(text: str | None) -> float | None:
    """Returns Go's RFC 3339 time with its nanoseconds as seconds since 1970; None for none."""
    match = _TIME.fullmatch(text or "")
    if not match:
        return None
    moment, fraction, zone = match.groups()
    whole = datetime.fromisoformat(moment + ("+00:00" if zone == "Z" else zone)).timestamp()
    return whole + float(f"0.{fraction or 0}")


def _one_of(target: Target | None, platform: str) -> str:
    """Returns which of the target's platforms a step serves: "" for all of them."""
    if target is None:
        return ""
    if len(target.platforms) == 1:
        return target.platforms[0]
    return next((one for one in target.platforms if _written(one) == platform), "")


def _written(platform: str) -> str:
    """Returns a platform as BuildKit writes it: without the variant that goes without saying."""
    return {"linux/arm64/v8": "linux/arm64", "linux/amd64/v1": "linux/amd64"}.get(platform, platform)


def _aimed_at(match: re.Match[str]) -> str:
    system, arch, to = match.group("os", "arch", "to")
    if not to:
        return f"{system}/{arch}"
    # BuildKit leaves the system out where it is the same: `->arm64`, `->arm/v7`, but `->windows/amd64`.
    return to if to.split("/")[0] in _SYSTEMS else f"{system}/{to}"
