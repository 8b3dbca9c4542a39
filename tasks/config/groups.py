"""Groups: named sets of images, said in `[groups]` (images, globs, other groups) or by the images themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter

from ..errors import nearest
from ..model import Image
from .document import Document
from .findings import Finding


def groups(
    document: Document, names: Collection[str], images: Iterable[Image], findings: list[Finding]
) -> dict[str, tuple[str, ...]]:
    """Returns the images of every group, and adds what names nothing, is said twice or goes in a circle."""
    said = document.tables.groups
    # A word means an image before it means a group, as with bake.
    inner = {
        group: [word for word in words if word in said and word not in names] for group, words in said.items()
    }
    found: dict[str, dict[str, None]] = {group: {} for group in said}
    for group in _inside_out(inner, findings):
        where = f"groups.{group}"
        for word, count in Counter(said[group]).items():
            members = found[word] if word in inner[group] else _matching(word, names)
            if not members and word not in inner[group]:
                findings.append(
                    Finding(where, f'no image and no group "{word}"{nearest(word, [*names, *said])}')
                )
            if count > 1:
                findings.append(Finding(where, f'lists "{word}" {count} times; name each once'))
            found[group] |= members
    for image in images:
        for group in image.groups:
            found.setdefault(group, {})[image.name] = None
    return {group: tuple(members) for group, members in found.items()}


def _inside_out(inner: dict[str, list[str]], findings: list[Finding]) -> list[str]:
    """Returns the groups, each after those it holds."""
    try:
        return list(TopologicalSorter(inner).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        findings.append(Finding("groups", f"hold each other in a circle: {circle}"))
        return []


def _matching(word: str, names: Collection[str]) -> dict[str, None]:
    return dict.fromkeys([word] if word in names else (name for name in names if fnmatchcase(name, word)))
