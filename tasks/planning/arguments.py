"""Splits what follows a keyword into flags and arguments, each keyword by its own rule.

It knows no instruction's meaning, no line and no scope: quotes and variables stay, for the expansion. The
rules are those of BuildKit's frontend/dockerfile/parser (line_parsers.go, split_command.go).
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from .blanks import SPACE, is_space

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_LISTS = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
_WORDS = frozenset({"ADD", "COPY", "EXPOSE", "FROM", "VOLUME"})


class ArgumentError(ValueError):
    """Arguments that BuildKit refuses; the message goes on from the keyword ("ENV needs …")."""


class Arguments(NamedTuple):
    """What follows a keyword and its flags."""

    words: tuple[str, ...]
    """The JSON list, the words, `NAME=value` words (quotes kept), or the whole rest as one text."""
    exec_form: bool = False
    written: str = ""
    """The same as one text, with the spacing between words made even."""


def keyword_of(line: str) -> tuple[str, str]:
    """Returns the first word as it is written, and the rest."""
    word, *rest = _BLANKS.split(line.strip(SPACE), maxsplit=1)
    return word, rest[0] if rest else ""


def flags(text: str, escape: str) -> tuple[tuple[str, ...], str]:
    """Takes the words that begin with -- off the front; quotes and escapes in them are resolved."""
    found: list[str] = []
    position = 0
    while True:
        while is_space(text[position : position + 1]):
            position += 1
        if not text.startswith("--", position):
            return tuple(found), text[position:].strip(SPACE)
        flag = quote = ""
        while position < len(text) and (quote or not is_space(text[position])):
            char = text[position]
            position += 1
            if char == quote:
                quote = ""
            elif char in "'\"" and not quote:
                quote = char
            elif char == escape:
                flag += text[position : position + 1]
                position += 1
            else:
                flag += char
        if flag == "--":
            return tuple(found), text[position:].strip(SPACE)
        found.append(flag)


def arguments(keyword: str, text: str, escape: str) -> Arguments:
    """Splits the rest of an instruction. Raises ArgumentError."""
    if keyword in _LISTS:
        listed = _json_list(text)
        if listed is not None:
            return Arguments(tuple(listed), exec_form=True, written=json.dumps(listed))
    if keyword in _WORDS:
        words = tuple(_BLANKS.split(text)) if text else ()
        return Arguments(words, written=" ".join(words))
    if keyword in {"ARG", "ENV", "LABEL"}:
        return _pairs(keyword, text, escape)
    if keyword == "HEALTHCHECK" and text:
        return _healthcheck(text)
    return Arguments((text,) if text else (), written=text)


def _healthcheck(text: str) -> Arguments:
    kind, command = keyword_of(text)
    kind = kind.upper()
    listed = _json_list(command)
    if listed is not None:
        return Arguments((kind, *listed), exec_form=True, written=f"{kind} {json.dumps(listed)}")
    return Arguments((kind, command) if command else (kind,), written=f"{kind} {command}".strip())


def _json_list(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None

    def refuse(constant: str) -> None:
        raise ValueError(constant)  # NaN is JSON to Python only

    try:
        listed = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(item, str) for item in listed):
        raise ArgumentError("has a JSON list that holds more than strings")
    return list(listed)


def _pairs(keyword: str, text: str, escape: str) -> Arguments:
    words = tuple(_quoted_words(text, escape))
    if keyword != "ARG" and words:
        if "=" not in words[0]:
            name, value = keyword_of(text)
            if not value:
                raise ArgumentError(f"needs a value for {name}: {keyword} {name}=value")
            return Arguments((f"{name}={value}",), written=f"{name} {value}")
        wrong = next((word for word in words if "=" not in word), None)
        if wrong is not None:
            raise ArgumentError(f'has "{wrong}" where it needs NAME=value')
    if any(word.startswith("=") for word in words):
        raise ArgumentError("has a value without a name")
    return Arguments(words, written=" ".join(words))


def _quoted_words(text: str, escape: str) -> list[str]:
    """Splits at blanks that are neither quoted nor escaped; quotes and escapes stay."""
    words, word, quote, position = [], "", "", 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == escape and quote != "'":
            if position == len(text):
                break
            word += char + text[position]
            position += 1
        elif is_space(char) and not quote:
            words.append(word)
            word = ""
        else:
            if char == quote:
                quote = ""
            elif char in "'\"" and not quote:
                quote = char
            word += char
    return [word for word in [*words, word] if word]
