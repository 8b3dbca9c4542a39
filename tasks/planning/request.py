"""What a person asked for on the command line, beyond settings: which images, to which end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Request:
    """The question a plan answers.

    `images` and `groups` are names or globs; both empty means the default group, or all. `output` "auto"
    loads. `release` is the tag of a release whose names are to be planned. `builds` is whether anything may be built
    of it: what is only looked at may be more than the builder can.
    """

    images: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    deps: bool = True
    output: Literal["auto", "load", "push", "none"] = "auto"
    release: str = ""
    builds: bool = True


def words(text: str | None) -> tuple[str, ...]:
    """Splits a flag's `a,b c` into its words; spaces serve as well as commas."""
    return tuple((text or "").replace(",", " ").split())
