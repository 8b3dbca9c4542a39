"""build.lock: which digest each outside base stood at when it was last looked at. Read and written here.

It is meant to be committed: what one machine builds, every machine builds, and a tag that moves upstream
changes no build unasked. Sorted, and holding only what the project stands on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tomli

from ..errors import ConfigError

NAME = "build.lock"
HEAD = "# The outside bases of build.toml, by digest. Written by Argosy; commit it. `inv build --pull` refreshes it.\n"


@dataclass(frozen=True, slots=True)
class Base:
    """One outside base: its digest, and whether it holds ONBUILD triggers (which copy from a child's context)."""

    digest: str
    onbuild: bool = False


@dataclass(frozen=True, slots=True)
class Lock:
    """All locked bases, by reference and platform."""

    bases: Mapping[tuple[str, str], Base] = field(default_factory=dict)

    def text(self) -> str:
        """The file's text."""
        lines = [HEAD]
        for reference in sorted({reference for reference, _ in self.bases}):
            lines.append(f'[bases."{reference}"]\n')
            entries = sorted((p, base) for (r, p), base in self.bases.items() if r == reference)
            lines += [f'"{platform}" = "{base.digest}"\n' for platform, base in entries]
            if any(base.onbuild for _, base in entries):
                lines.append("onbuild = true\n")
            lines.append("\n")
        return "".join(lines).rstrip("\n") + "\n"


def read(root: Path) -> Lock:
    """Reads a project's lock; an absent one is empty. Raises ConfigError for one that is not as written here."""
    path = root / NAME
    try:
        tables = tomli.loads(path.read_text(encoding="utf-8"))["bases"]
        return Lock(
            {
                (reference, platform): Base(str(digest), bool(entries.get("onbuild", False)))
                for reference, entries in tables.items()
                for platform, digest in entries.items()
                if platform != "onbuild"
            }
        )
    except FileNotFoundError:
        return Lock()
    except (tomli.TOMLDecodeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{path}: not as Argosy writes it ({error}). Restore it from git, or delete it: "
            "the next build writes it anew."
        ) from None


def write(root: Path, lock: Lock) -> None:
    """Writes the lock whole or not at all; one that says the same already is left alone."""
    path = root / NAME
    text = lock.text()
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    partial = path.with_name(f".{NAME}.{os.getpid()}")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
