"""build.lock: which digest each outside base stood at when it was last looked at. Read and written here.

It is meant to be committed: what one machine builds, every machine builds, and a tag that moves upstream
changes no build unasked. Sorted; what the project no longer stands on goes when bases are asked anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tomli

from .. import writing
from ..errors import ConfigError, SurroundingsError

NAME = "build.lock"
HEAD = "# The outside bases of build.toml, by digest. Written by Argosy; commit it. `inv build --pull` refreshes it.\n"


@dataclass(frozen=True, slots=True)
class Base:
    """One outside base: its digest (an index covers all platforms), and whether it brings ONBUILD triggers.

    `fetching` says that these take something from elsewhere whose content no one knows.
    """

    digest: str
    onbuild: bool = False
    fetching: bool = False


@dataclass(frozen=True, slots=True)
class Lock:
    """All locked bases, by reference as Dockerfiles have it."""

    bases: Mapping[str, Base] = field(default_factory=dict)

    def text(self) -> str:
        """The file's text."""
        lines = []
        for key in ("onbuild", "fetching"):
            names = [reference for reference in sorted(self.bases) if getattr(self.bases[reference], key)]
            quoted = ", ".join(f'"{reference}"' for reference in names)
            lines += [f"{key} = [{quoted}]\n"] if names else []
        lines += ["\n[bases]\n"]
        lines += [f'"{reference}" = "{self.bases[reference].digest}"\n' for reference in sorted(self.bases)]
        return HEAD + "".join(lines)


def read(root: Path) -> Lock:
    """Reads a project's lock; an absent one is empty. Raises ConfigError for one that is not as written here."""
    path = root / NAME
    try:
        tables = tomli.loads(path.read_text(encoding="utf-8"))
        onbuild, fetching = set(tables.get("onbuild", [])), set(tables.get("fetching", []))
        return Lock(
            {
                reference: Base(str(digest), reference in onbuild, reference in fetching)
                for reference, digest in tables["bases"].items()
            }
        )
    except FileNotFoundError:
        return Lock()
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, KeyError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"{path}: not as Argosy writes it ({error}). Restore it from git, or delete it: "
            "the next build writes it anew."
        ) from None


def write(root: Path, lock: Lock) -> None:
    """Writes the lock whole or not at all; one that says the same already is left alone.

    Raises SurroundingsError where it cannot be written.
    """
    path = root / NAME
    text = lock.text()
    there = path.read_text(encoding="utf-8") if path.exists() else None
    if there == text or (there is None and not lock.bases):
        return
    try:
        writing.write(path, text.encode())
    except OSError as error:
        raise SurroundingsError(f"{path} cannot be written: {error.strerror or error}") from None
