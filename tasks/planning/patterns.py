"""The shell patterns of `${X#p}`, `${X%p}` and `${X/p/r}`: `*`, `?` and escapes, no brackets.

They are BuildKit's (frontend/dockerfile/shell/lex.go). It knows nothing of variables: texts in, texts out.
"""

from __future__ import annotations

import re


class ExpansionError(ValueError):
    """What BuildKit refuses to expand; the message does not know the line."""


def without_prefix(value: str, pattern: str, *, greedy: bool) -> str:
    """Returns `value` without the shortest (or longest, if greedy) beginning that matches."""
    match = _regex(pattern, greedy=greedy).match(value)
    return value[match.end() :] if match else value


def without_suffix(value: str, pattern: str, *, greedy: bool) -> str:
    """Returns `value` without the shortest (or longest, if greedy) end that matches."""
    # A shortest end cannot be had from a leftmost search; like BuildKit, search both backwards.
    backwards = "".join(reversed(re.findall(r"\\.|.", pattern, re.DOTALL)))
    return without_prefix(value[::-1], backwards, greedy=greedy)[::-1]


def replaced(value: str, pattern: str, replacement: str, *, everywhere: bool) -> str:
    """Returns `value` with the first match, or every one, replaced; matches are as long as can be."""
    done, result = 0, ""
    for match in _regex(pattern, greedy=True).finditer(value):
        # Go, unlike Python, passes over an empty match right behind another.
        if match.start() == match.end() == done and done > 0:
            continue
        result += value[done : match.start()] + replacement
        done = match.end()
        if not everywhere:
            break
    return result + value[done:]


def _regex(pattern: str, *, greedy: bool) -> re.Pattern[str]:
    expression = ""
    for part in re.findall(r"\\.?|.", pattern, re.DOTALL):
        if part == "*":
            expression += ".*" if greedy else ".*?"
        elif part == "?":
            expression += "."
        elif part in (r"\}", r"\/", r"\*", r"\?", r"\\") or not part.startswith("\\"):
            expression += re.escape(part[-1])
        else:
            raise ExpansionError(f"invalid escape {part} in the pattern {pattern}")
    return re.compile(expression)
