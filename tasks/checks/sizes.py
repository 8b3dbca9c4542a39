"""How large an image is against what it may be; one that is too large is told with what made it so.

The size is the sum of what its layers hold: the same on any image store and in a registry, compressed or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..planning.layering import Line, matched
from .check import Check
from .subject import Subject

LARGEST = 5
MEGABYTE = 1_000_000


def sizes(subject: Subject) -> tuple[Check, ...]:
    """Returns the check of an image's size, if it has a budget."""
    if subject.contract.size is None:
        return ()
    least, most = subject.contract.size
    parts = subject.evidence.sizes
    total = sum(parts) / MEGABYTE
    if least <= total <= most:
        return (subject.check("size", "", f"{_shown(total)}, {_allowed(least, most)}"),)
    log = _largest(subject) if total > most else ()
    return (subject.check("size", f"{_shown(total)}, not {_allowed(least, most)}", log=log),)


def _largest(subject: Subject) -> tuple[str, ...]:
    layers, parts = subject.evidence.layers, subject.evidence.sizes
    made = matched([layer.created_by for layer in layers], subject.lines)
    ranked = sorted(zip(parts, layers, made, strict=True), key=lambda one: -one[0])[:LARGEST]
    width = max(len(_shown(part / MEGABYTE)) for part, _, _ in ranked)
    return (
        "the largest layers:",
        *(
            f"{_shown(part / MEGABYTE):>{width}}  "
            + (f"{line.place}  {line.text}" if line else f"of what it stands on: {layer.created_by or '?'}")
            for part, layer, line in ranked
        ),
        *_remedies([line for _, _, line in ranked]),
    )


def _remedies(large: Sequence[Line | None]) -> Iterator[str]:
    """Yields what makes such layers smaller."""
    if any(line and line.keyword == "RUN" for line in large):
        yield "What only the build needs belongs in a stage of its own; COPY --from= takes its result."
    if any(line and line.keyword in {"COPY", "ADD"} and "--from=" not in line.text for line in large):
        yield "What no step needs stays out of the context by a line in its .dockerignore."
    if large[0] is None:
        yield "Most of it is what it stands on: a smaller base is the first remedy."


def _shown(megabytes: float) -> str:
    return f"{megabytes:.1f} MB"


def _allowed(least: float, most: float) -> str:
    return f"{least:g} to {most:g} MB" if least else f"at most {most:g} MB"
