"""What changed between two addresses of an image, in words that people use for it. Pure.

It explains addresses and makes none. What it says decides nothing, but that whether there are `differences` tells which
images a branch changed, and `hidden` and `changed` what BuildKit's own cache would miss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from .address import CONTENT, Address

SHOWN = 40
"""How many characters of a value are shown."""
_INSTRUCTION = re.compile(r"(?P<dockerfile>.+), stage .+, instruction \d+")
"""How recipe.py names an instruction."""


def differences(before: Address, now: Address) -> Iterator[str]:
    """Yields what changed between two addresses, in words, what people change most first."""
    for path in sorted({*before.files, *now.files}):
        old, new = before.files.get(path), now.files.get(path)
        if old != new:
            yield _file(path, old, new)
    for name in sorted({*before.inputs, *now.inputs}, key=_weight):
        old, new = before.inputs.get(name), now.inputs.get(name)
        if old != new and not name.startswith(CONTENT) and not _INSTRUCTION.fullmatch(name):
            yield _worded(name, old, new)
    texts, now_texts = _instructions(before), _instructions(now)
    for dockerfile in dict.fromkeys([*texts, *now_texts]):
        old_ones, new_ones = texts.get(dockerfile, {}), now_texts.get(dockerfile, {})
        if old_ones != new_ones:
            yield from _rewritten(dockerfile, [*old_ones.values()], [*new_ones.values()])


def hidden(before: Address, now: Address) -> bool:
    """Whether something changed at which BuildKit's own cache does not look: it would give what it built before.

    That is the mode of a folder, and whether a secret or key is given.
    """
    modes = (
        path for path, old in before.files.items() if _is_folder(old) and now.files.get(path, old) != old
    )
    given = (
        name for name in before.inputs.keys() ^ now.inputs.keys() if name.startswith(("secret ", "ssh "))
    )
    return any(modes) or any(given)


def changed(before: Address, now: Address, dockerfile: str) -> Iterator[str]:
    """Yields the files that were there and are others now, by their paths."""
    for path, old in before.files.items():
        if now.files.get(path, old) != old:
            yield path
    written = (name for name in before.inputs if name.startswith(f"{dockerfile}, "))
    if any(now.inputs.get(name) != before.inputs[name] for name in written):
        yield dockerfile


def moved(reference: str, old: str, new: str) -> str:
    """Says that a base went from one digest to another."""
    return f"base {reference} moved {_short(old)} -> {_short(new)}"


def _weight(name: str) -> tuple[int, str]:
    first = ("argument", "base", "sibling")
    kind = name.partition(" ")[0]
    return (first.index(kind) if kind in first else len(first), name)


def _worded(name: str, old: str | None, new: str | None) -> str:
    kind, _, rest = name.partition(" ")
    stood_on = rest.partition(" ")[0]
    if kind in {"sibling", "base"} and not new:
        return f"no longer stands on {stood_on}"
    if kind == "sibling":
        return f"stands on {stood_on}, which changed" if old else f"stands on {stood_on} now"
    if kind == "base":
        return moved(stood_on, old, new) if old and new else f"base {stood_on} is new"
    if kind == "argument":
        both = f"{_shown(old)} -> {_shown(new)}" if old is None or new is None else _pair(old, new)
        return f"{name} {both}"
    if old is None or new is None:
        return f"{name} {'was added' if old is None else 'is gone'}"
    return f"{name} changed"


def _file(path: str, old: str | None, new: str | None) -> str:
    if old is None:
        return f"{path} was added"
    if new is None:
        return f"{path} is gone"
    (old_mode, _, old_content), (new_mode, _, new_content) = old.partition(" "), new.partition(" ")
    if old_content == new_content:
        return f"mode of {path} {old_mode} -> {new_mode}"
    return f"{path} changed"


def _is_folder(shown: str) -> bool:
    return shown.split(" ")[1] == "dir"


def _short(digest: str) -> str:
    return digest.rpartition(":")[2][:12]


def _instructions(address: Address) -> dict[str, dict[str, str]]:
    """Returns the instructions' texts by their names, for each Dockerfile, in order."""
    found: dict[str, dict[str, str]] = {}
    for name, text in address.inputs.items():
        if match := _INSTRUCTION.fullmatch(name):
            found.setdefault(match["dockerfile"], {})[name] = text
    return found


def _rewritten(dockerfile: str, old: list[str], new: list[str]) -> Iterator[str]:
    """Yields what became of the instructions: the numbers of those behind one that was added are not news."""
    if old == new:
        yield f"{dockerfile}: its stages changed"
    for kind, first, last, new_first, new_last in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        gone, added = ([], []) if kind == "equal" else (old[first:last], new[new_first:new_last])
        while gone and added:
            yield f"{dockerfile}: {_pair(gone.pop(0), added.pop(0))}"
        yield from (f"{dockerfile}: {_shown(text)} is gone" for text in gone)
        yield from (f"{dockerfile}: {_shown(text)} was added" for text in added)


def _pair(old: str, new: str) -> str:
    """Returns both, each from shortly before the place where they part."""
    shorter = min(len(old), len(new))
    parting = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    skipped = parting - SHOWN // 2 if max(len(old), len(new)) > SHOWN else 0
    skipped = old.rfind(" ", 0, max(0, skipped)) + 1
    cut = "…" if skipped else ""
    return f"{cut}{_shown(old[skipped:])} -> {cut}{_shown(new[skipped:])}"


def _shown(value: str | None) -> str:
    if value is None:
        return "unset"
    line = " ".join(value.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1].rstrip()}…"
