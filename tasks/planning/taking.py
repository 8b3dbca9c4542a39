"""What one instruction takes from contexts, and what it fetches from places whose content no one here knows. Pure.

It reads no content. What is not understood is taken whole, with a note, or is a barrier: no address stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..config.dockerfiles import is_remote
from .dockerfile import Dockerfile, Instruction
from .heredocs import is_opening
from .meanings import Meanings, mount_fields, unsure
from .scopes import expanded
from .words import names

MAIN = ""
"""The name of the main context among contexts."""
# BuildKit's releases do not agree on which words without a scheme are repositories.
_GIT = re.compile(r"[^./]+\.[^/]*/.*\.git([#?].*)?")


@dataclass(frozen=True, slots=True)
class Taken:
    """What an instruction takes from a context: these paths, or (None) all of it.

    `flags` are the names of a COPY's flags; a bind mount has none and is `mounted`.
    """

    context: str
    paths: tuple[str, ...] | None = None
    flags: tuple[str, ...] = ()
    mounted: bool = False

    @property
    def label(self) -> str:
        """The name this has among an image's inputs."""
        what = "everything" if self.paths is None else " ".join(self.paths)
        return f"{what} of context {self.context}" if self.context else what


@dataclass(slots=True)
class Takings:
    """What was found so far; dicts because they keep their order."""

    taken: dict[Taken, None] = field(default_factory=dict)
    barriers: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    def add(self, meanings: Meanings, instruction: Instruction, known: Mapping[str, str]) -> None:
        """Adds what an instruction takes; `known` are the variables whose values are certain."""
        if instruction.keyword in {"COPY", "ADD"}:
            self._copied(meanings, instruction, known)
        elif instruction.keyword == "RUN":
            for mount in instruction.flag_values("mount"):
                self._mounted(meanings, mount)

    def _copied(self, meanings: Meanings, instruction: Instruction, known: Mapping[str, str]) -> None:
        dockerfile = meanings.dockerfile
        name = instruction.flag("from") if instruction.keyword == "COPY" else None
        context = meanings.folder(name, counted=True) if name else MAIN
        if context is None:
            return
        self.barriers |= dict.fromkeys(fetched(dockerfile, instruction, known))
        taken = list(_paths(dockerfile, instruction, known))
        if None in taken:
            place = dockerfile.place(instruction.line)
            self.notes[f"{place}: a variable of the base image: the whole context counts"] = None
            self.taken[Taken(context)] = None
        elif taken:
            flags = tuple(sorted({name for name, _ in instruction.flags}))
            self.taken[Taken(context, tuple(path for path in taken if path is not None), flags)] = None

    def _mounted(self, meanings: Meanings, mount: str) -> None:
        fields = mount_fields(mount)
        kind, name = fields.get("type", "bind").lower(), fields.get("from", "")
        if unsure(kind):  # whatever it comes to, it may come to this
            kind = "bind"
        if kind == "secret":
            known = fields.get("id") or fields.get("source") or "?"
            self.notes[f"the content of secret {known} is no part of the address"] = None
        # A cache begins as what it is given `from`.
        if kind != "bind" and not (kind == "cache" and name):
            return
        context = meanings.folder(name) if name else MAIN
        if context is not None:
            path = fields.get("source")
            # A variable in a mount is expanded by newer frontends only: the whole context covers either.
            paths = (path,) if path and not unsure(path) else None
            self.taken[Taken(context, paths, mounted=True)] = None


def fetched(dockerfile: Dockerfile, instruction: Instruction, known: Mapping[str, str]) -> Iterator[str]:
    """Yields why the content of what an ADD fetches cannot be known."""
    if instruction.keyword != "ADD" or _pinned(dockerfile, instruction, known):
        return
    place = dockerfile.place(instruction.line)
    for word in _sources(instruction):
        if _unknown(word, known):
            yield f"{place}: ADD {word} may be a URL, by a variable of the base image, and has no --checksum"
        elif _remote(path := expanded(dockerfile, instruction.line, word, known)):
            yield f"{place}: ADD {path} has no --checksum, so its content cannot be known"


def _pinned(dockerfile: Dockerfile, instruction: Instruction, known: Mapping[str, str]) -> bool:
    checksum = instruction.flag("checksum") or ""
    return not _unknown(checksum, known) and expanded(dockerfile, instruction.line, checksum, known) != ""


def _paths(
    dockerfile: Dockerfile, instruction: Instruction, known: Mapping[str, str]
) -> Iterator[str | None]:
    """Yields the context paths of a COPY or ADD; None for one that holds a variable nobody here knows."""
    for word in _sources(instruction):
        if _unknown(word, known):
            yield None
            continue
        path = expanded(dockerfile, instruction.line, word, known)
        if instruction.keyword == "COPY" or not _remote(path):
            yield path


def _sources(instruction: Instruction) -> Iterator[str]:
    for word in instruction.arguments[:-1]:
        if instruction.exec_form or not is_opening(word):
            yield word


def _unknown(word: str, known: Mapping[str, str]) -> bool:
    return any(name not in known for name in names(word))


def _remote(path: str) -> bool:
    return is_remote(path) or _GIT.fullmatch(path) is not None
