"""The address of an image: one digest over everything that goes into it. Pure: inputs in, address out.

An image's address on one platform is the digest of its inputs; over several platforms it is the digest of
those. Two machines that have the same inputs have the same address, whatever their clocks, users and paths.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# Changes when what an address covers changes: an image built under older rules is then built anew.
RULES = "argosy-address-1"
PREFIX = "argosy-"
CONTENT = "content "
"""How inputs begin that stand for files; the files themselves are kept beside them."""
TAG = re.compile(rf"{PREFIX}[0-9a-f]{{40}}")


@dataclass(frozen=True, slots=True)
class Address:
    """An address and the inputs behind it, each under a name that stays the same between runs.

    `files` says for each path behind an input "content …" what is there, mode first. It explains the address;
    the inputs make it.
    """

    digest: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def tag(self) -> str:
        """The tag it has in the image's own repository, in the engine and in registries."""
        return f"{PREFIX}{self.digest[:40]}"


def address(inputs: Mapping[str, str], files: Mapping[str, str] | None = None) -> Address:
    """Returns the address of these inputs."""
    text = json.dumps([RULES, sorted(inputs.items())], ensure_ascii=True, separators=(",", ":"))
    return Address(hashlib.sha256(text.encode()).hexdigest(), inputs, files or {})


def joined(addresses: Mapping[str, Address]) -> Address:
    """Returns the address of an image over several platforms; that of one platform is its own."""
    if len(addresses) == 1:
        return next(iter(addresses.values()))
    inputs = {f"platform {platform}": found.digest for platform, found in addresses.items()}
    return address(inputs)


def is_address(tag: str) -> bool:
    """Tells an address tag from a name."""
    return bool(TAG.fullmatch(tag))


def differences(before: Address, now: Address) -> Iterator[str]:
    """Yields what changed between two addresses, in words, what people change most first."""
    for path in sorted({*before.files, *now.files}):
        old, new = before.files.get(path), now.files.get(path)
        if old != new:
            yield _file(path, old, new)
    for name in sorted({*before.inputs, *now.inputs}, key=_weight):
        old, new = before.inputs.get(name), now.inputs.get(name)
        if old != new and not name.startswith(CONTENT):
            yield _worded(name, old, new)


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
        return f"{name} {_shown(old)} -> {_shown(new)}"
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


def _shown(value: str | None) -> str:
    if value is None:
        return "unset"
    return value if len(value) <= 40 else f"{value[:37]}…"
