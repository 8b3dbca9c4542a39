"""What Go takes for white space, which is not what Python takes for it: BuildKit's parsers are written in Go."""

from __future__ import annotations

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
SPACE += "\u2028\u2029\u202f\u205f\u3000"
"""unicode.IsSpace; Python's own has the separators U+001C to U+001F as well."""


def is_space(char: str) -> bool:
    """Tells whether a text is one blank."""
    return char != "" and char in SPACE
