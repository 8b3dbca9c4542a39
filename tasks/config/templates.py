"""Templates in build.toml: `{version}`, `{image.base}`, `{v.id}`; doubled braces stand for themselves.

Pure text work: it knows which fields a template names, not where their values come from.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..errors import ConfigError, available, nearest

FIELDS = (
    *("registry", "owner", "image", "version", "major", "minor"),
    *("sha", "revision", "branch", "tag", "date", "created"),
)


def fields(text: str) -> tuple[str, ...]:
    """Returns the field names in a template. Raises ConfigError for unbalanced braces or format codes."""
    found = []
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        problem = str(error).removesuffix(" in format string")
        raise ConfigError(
            f'template "{text}": {problem}; a brace that stands for itself is doubled'
        ) from None
    for _, name, code, conversion in parts:
        if name is None:
            continue
        if code or conversion or not name:
            raise ConfigError(f'template "{text}": only plain fields like {{version}} are understood')
        found.append(name)
    return tuple(found)


def unknown(text: str, *known: Collection[str]) -> str:
    """Returns what is wrong with a template whose fields are to be among `known`, "" if nothing is."""
    if "{" not in text and "}" not in text:
        return ""
    try:
        names = fields(text)
    except ConfigError as error:
        return str(error)
    for name in names:
        if not any(name in words for words in known):
            every = sorted({word for words in known for word in words}, key=lambda word: ("." in word, word))
            return f'unknown field {{{name}}} in "{text}"{nearest(name, every)}. {available("fields", every, 16)}'
    return ""


def expand(text: str, value: Callable[[str], str]) -> str:
    """Replaces each field by `value(name)`, which raises for a field it does not know."""
    if "{" not in text and "}" not in text:
        return text
    out = []
    for literal, name, _, _ in string.Formatter().parse(text):
        out.append(literal)
        if name is not None:
            out.append(value(name))
    return "".join(out)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Spreads nested values out to the names templates use: `{"v": {"id": 1}}` -> `{"v.id": "1"}`."""
    out: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            out.update(flat(value, f"{prefix}{key}."))
        else:
            out[f"{prefix}{key}"] = str(value).lower() if isinstance(value, bool) else str(value)
    return out
