"""build.toml as a file: what stands in it, what is laid over it from outside.

It reads and checks against the schema; what the values mean for images is resolve.py's matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli

from ..errors import ConfigError
from ..model import Decimal
from . import flavours, overlay
from .findings import Finding, Place, check
from .given import Kind, Override, is_there
from .schema import BuildToml

_BARE = re.compile(r"\s*([\w.-]+)\s*=\s*(\w[^\s\"'#]*)")
"""A text that lacks its quotes."""


@dataclass(frozen=True, slots=True)
class Document:
    """A read build.toml: its folder, its tables, and where values came from that are not its own.

    `declared` is the file as it stands (its flavour laid over it), without environment and command line, `written`
    the same without the flavour. `findings` are the faults found so far; what they are about is left out of the
    tables, at the places of `left_out`; `looked` is what was looked for so far, and whether it was there.
    """

    root: Path
    tables: BuildToml
    declared: BuildToml
    written: BuildToml
    origins: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    left_out: frozenset[Place] = frozenset()
    looked: dict[tuple[Kind, str], bool] = field(default_factory=dict)

    def lacks(self, *place: str) -> bool:
        """Tells whether a place, or what it stands in, was left out for being wrong."""
        return any(place[:length] in self.left_out for length in range(1, len(place) + 1))

    def has(self, kind: Kind, path: str) -> bool:
        """Tells whether a file or folder is there, and keeps the answer."""
        return self.looked.setdefault((kind, path), is_there(self.root, kind, path))

    def finding(self, where: str, message: str) -> Finding:
        """Returns a finding about a setting, wherever its value came from."""
        return Finding(where, message, self.origins.get(where, ""))


def read(
    path: Path,
    environ: Mapping[str, str],
    flags: Sequence[Override] = (),
    text: str | None = None,
) -> Document:
    """Reads the file (or `text` in its place) with environment and command line laid over it.

    Raises ConfigError if it is no TOML. The file is judged as it stands first: what is laid over it must not hide
    a mistake in it.
    """
    raw = _toml(path, text)
    written, findings, left_out = check(raw)
    flavours.judge(raw, written, findings)
    overrides = [*overlay.from_environment(written.env, environ), *flags]
    declared = written
    if flavour := flavours.asked(written, overrides, findings):
        declared, _, left_out = check(flavours.laid(raw, flavour))
    findings += [
        Finding(f"env.{name}", problem)
        for name, setting in declared.env.items()
        if (problem := overlay.look_up(setting, declared)[0])
    ]
    if not overrides:
        return Document(path.parent, declared, declared, written, {}, tuple(findings), left_out)
    laid_over, origins, wrong = overlay.lay(overrides, over=declared)
    tables, more, _ = check(laid_over)
    findings += [*wrong, *(Finding(f.where, f.message, origins.get(f.where, "")) for f in more)]
    return Document(path.parent, tables, declared, written, origins, tuple(findings), left_out)


def _toml(path: Path, text: str | None) -> dict[str, Any]:
    try:
        # Some editors open a file with a byte order mark; TOML knows none.
        text = path.read_text(encoding="utf-8-sig") if text is None else text.removeprefix("\ufeff")
        return tomli.loads(text, parse_float=Decimal)
    except tomli.TOMLDecodeError as error:
        line = (error.doc.splitlines()[error.lineno - 1 :] or [""])[0]
        bare = _BARE.match(line)
        hint = f'\nA text stands in quotes: {bare[1]} = "{bare[2]}"' if bare else ""
        raise ConfigError(f"{path}: not valid TOML: {error}{hint}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
