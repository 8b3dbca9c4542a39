"""Expands variables and quotes in one word of a Dockerfile, as BuildKit's shell lexer does.

It knows nothing of instructions, stages or lines: a text and a scope go in, a text comes out. The rules are
those of https://docs.docker.com/reference/dockerfile/#environment-replacement, in the detail of BuildKit's
frontend/dockerfile/shell/lex.go, which is not a POSIX shell and differs from one in places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .blanks import is_space
from .patterns import ExpansionError, replaced, without_prefix, without_suffix

# A piece of expanded text, and whether blanks in it separate words (those in quotes do not).
Piece = tuple[str, bool]

_PLAIN = re.compile(r"[^$'\"\\`]*")
_SPECIAL = "@*#?-$!0"

__all__ = ["ExpansionError", "expand", "names", "split"]


def expand(word: str, scope: Mapping[str, str], escape: str = "\\", *, quotes: bool = True) -> str:
    """Returns `word` with `$X`, `${X…}`, quotes and escapes resolved; a variable not in `scope` is empty.

    `quotes=False` leaves quotes as they are: the rule for heredocs of COPY and ADD, which escape with a
    backslash whatever the Dockerfile's escape directive says. Raises ExpansionError for a bad substitution,
    an open quote and `${X?message}` without X.
    """
    if _PLAIN.fullmatch(word):
        return word
    return "".join(text for text, _ in _Lexer(word, scope, escape, quotes=quotes).pieces())


def split(line: str, *, keep_quotes: bool, keep_escapes: bool) -> list[str]:
    """Returns the shell words of `line` with nothing expanded, as BuildKit does to look for heredocs.

    Blanks after `<<` belong to the word. Raises ExpansionError as `expand` does.
    """
    lexer = _Lexer(line, {}, "\\", keep_quotes=keep_quotes, keep_escapes=keep_escapes, keep_unset=True)
    words, word = [], ""
    for text, separable in lexer.pieces():
        if not separable:
            word += text
            continue
        for char in text:
            if not is_space(char):
                word += char
            elif word:
                words.append(word)
                word = ""
    return [*words, word] if word else words


def names(word: str) -> list[str]:
    """Returns the variables that `word` refers to, as a person sees them (for messages, not for expansion)."""
    return re.findall(r"\$\{?([^\W\d]\w*)", word)


@dataclass(slots=True)
class _Lexer:
    """One pass over one text. BuildKit's options keep their meaning under plainer names."""

    text: str
    scope: Mapping[str, str]
    escape: str
    quotes: bool = True
    keep_quotes: bool = False
    keep_escapes: bool = False
    keep_unset: bool = False
    position: int = field(default=0, init=False)

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def take(self) -> str:
        char = self.peek()
        self.position += len(char)
        return char

    def pieces(self, stop: str = "") -> list[Piece]:
        """Returns the pieces up to the unquoted character `stop`, or to the end if there is none."""
        found: list[Piece] = []
        while char := self.peek():
            if char == stop:
                self.take()
                return found
            if char == "$":
                found.append((self._variable(), True))
            elif char == "'" and self.quotes:
                found.append((self._single_quoted(), False))
            elif char == '"' and self.quotes:
                found.append((self._double_quoted(), False))
            elif char == "<":
                found.append((self._angle(), False))
            elif char == self.escape:
                self.take()
                escaped = self.take()
                found.append(((char if self.keep_escapes else "") + escaped, False))
            else:
                found.append((self.take(), True))
        if stop:
            what = "missing }" if stop == "}" else f"missing {stop} in ${{…}}"
            raise ExpansionError(what)
        return found

    def _raw(self, stop: str, *, keep_escapes: bool) -> str:
        before, self.keep_escapes = self.keep_escapes, keep_escapes
        try:
            return "".join(text for text, _ in self.pieces(stop))
        finally:
            self.keep_escapes = before

    def _angle(self) -> str:
        self.take()
        if self.peek() != "<":
            return "<"
        self.take()
        blanks = ""
        while self.peek() and self.peek() in "\t\r ":
            blanks += self.take()
        return "<<" + blanks

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise ExpansionError("a single quote is never closed")
        inner = self.text[self.position + 1 : end]
        self.position = end + 1
        return f"'{inner}'" if self.keep_quotes else inner

    def _double_quoted(self) -> str:
        self.take()
        found = quote = '"' if self.keep_quotes else ""
        while char := self.peek():
            if char == '"':
                self.take()
                return found + quote
            if char == "$":
                found += self._variable()
                continue
            found_char = self.take()
            if found_char == self.escape:
                found += self.escape if self.keep_escapes else ""
                if not self.peek():
                    continue
                if self.peek() in ('"', "$", self.escape):
                    found_char = self.take()
            found += found_char
        raise ExpansionError("a double quote is never closed")

    def _name(self) -> str:
        start = self.position
        first = self.peek()
        if first.isdigit():
            pattern = re.compile(r"\d+")
        elif first and first in _SPECIAL:
            self.take()
            return first
        else:
            pattern = re.compile(r"\w*")
        match = pattern.match(self.text, start)
        self.position = match.end() if match else start
        return self.text[start : self.position]

    def _variable(self) -> str:
        self.take()
        if self.peek() != "{":
            name = self._name()
            if not name:
                return "$"
            return self.scope.get(name, f"${name}" if self.keep_unset else "")
        self.take()
        if self.peek() in ("{", "}", ":"):
            raise ExpansionError("bad substitution ${" + self.peek())
        if not self.peek():
            raise ExpansionError("missing }")
        name = self._name()
        operator = self.take()
        if operator == "}":
            return self.scope.get(name, f"${{{name}}}" if self.keep_unset else "")
        if not operator:
            raise ExpansionError("missing }")
        if operator == "/":
            return self._replaced(name)
        colon = operator == ":"
        if colon:
            operator = self.take()
        if not operator or operator not in "+-?#%" or (colon and operator in "#%"):
            raise ExpansionError(f"unsupported modifier in ${{{name}{':' if colon else ''}{operator}…}}")
        word = self._raw("}", keep_escapes=operator in "#%")
        value = self.scope.get(name)
        if value is None and self.keep_unset:
            return f"${{{name}{':' if colon else ''}{operator}{word}}}"
        return self._chosen(name, value, operator, word, colon=colon)

    @staticmethod
    def _chosen(name: str, value: str | None, operator: str, word: str, *, colon: bool) -> str:
        absent = value is None or (colon and value == "")
        if operator == "-":
            return word if absent else value or ""
        if operator == "+":
            return "" if absent else word
        if operator == "?":
            if absent:
                rule = "is not allowed to be unset" if value is None else "is not allowed to be empty"
                raise ExpansionError(f"{name}: {word or rule}")
            return value or ""
        greedy = word.startswith(operator)
        pattern = word[1:] if greedy else word
        trim = without_suffix if operator == "%" else without_prefix
        return trim(value or "", pattern, greedy=greedy)

    def _replaced(self, name: str) -> str:
        everywhere = self.peek() == "/"
        if everywhere:
            self.take()
        pattern = self._raw("/", keep_escapes=True)
        replacement = self._raw("}", keep_escapes=True)
        value = self.scope.get(name)
        if value is None and self.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        return replaced(value or "", pattern, replacement, everywhere=everywhere)
