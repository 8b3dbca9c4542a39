"""Where build caches are kept besides the builder's own, and who may write them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cache:
    """`registry` is a repository, `local` a folder below the project; "" for none of that kind.

    `others` are backends in bake's own words, `{image}` and `{platform}` in them. `write` are branches, or globs.
    """

    registry: str = ""
    local: str = ""
    others: tuple[str, ...] = ()
    mode: str = "max"
    write: tuple[str, ...] = ("main", "master")
