"""What to do about errors that every user of Docker meets, told from the words of the error.

BuildKit passes causes through as text only, so the words are all there is. A text that fits no row has no
remedy: better none than a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_HOST = re.compile(r'https?://([^/\s"]+)/|dial tcp: lookup ([^\s:]+)|dial tcp ([^\s]+):')
_IMAGE = re.compile(
    r"(?:failed to resolve source metadata for|failed to do request for|failed to load metadata for)"
    r" ([^\s:]+(?::\d+/[^\s:]+)?(?:[:@][\w.:-]+)?)"
)


def remedy(error: str, context: str = "") -> str:
    """Returns one sentence that says what to do, or "" for an error that is not well known.

    `context` is the build context's path, for files that are missing in it.
    """
    for pattern, sentence in _TABLE:
        if match := pattern.search(error):
            return sentence(match, error, context)
    return ""


def _host(error: str) -> str:
    """Returns the registry an error speaks of, or "" where it names none."""
    match = _HOST.search(error)
    if match:
        return next(group for group in match.groups() if group)
    named = _IMAGE.search(error)
    first = named[1].split("/")[0] if named else ""
    return first if "." in first or ":" in first else ""


def _full(_match: re.Match[str], _error: str, _context: str) -> str:
    return "The disk under the engine's data is full: free some room (`docker buildx prune`), then run again."


def _missing_file(match: re.Match[str], _error: str, context: str) -> str:
    path = match[1].lstrip("/")
    where = f'the build context "{context}"' if context else "the build context"
    return f"{path} is not in {where}: check the path, the image's context, and its .dockerignore."


def _missing_base(_match: re.Match[str], error: str, _context: str) -> str:
    named = _IMAGE.search(error)
    base = named[1] if named else "a base image"
    return (
        f"The base image {base} is not there, or needs a login: check its name and tag in the Dockerfile, "
        f"or run `docker login{' ' + _host(error) if _host(error) else ''}`."
    )


def _unauthorized(_match: re.Match[str], error: str, _context: str) -> str:
    host = _host(error)
    whose = f"The registry {host}" if host else "The registry"
    return f"{whose} does not let you do this: run `docker login{' ' + host if host else ''}`."


def _unreachable(_match: re.Match[str], error: str, _context: str) -> str:
    host = _host(error)
    what = f"{host} does not answer" if host else "The network does not answer"
    return f"{what}: check that it is up and can be reached from the engine, then run again."


def _too_busy(_match: re.Match[str], _error: str, _context: str) -> str:
    return "The engine did not answer in time: build fewer images at once (`parallel` in build.toml)."


# The first that fits counts: words that say more stand before words that say less.
_TABLE: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str, str], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), sentence)
    for pattern, sentence in (
        (r"no space left on device|disk quota exceeded", _full),
        (
            r'failed to (?:calculate checksum|compute cache key)[^\n]*?"?(/[^\s":]+)"?: not found',
            _missing_file,
        ),
        (
            (
                "connection refused|no such host|network is unreachable|no route to host|i/o timeout"
                "|temporary failure in name resolution|tls handshake timeout|server misbehaving"
            ),
            _unreachable,
        ),
        (r"pull access denied|repository does not exist", _missing_base),
        (
            r"unauthorized|authentication required|no basic auth credentials|40[13] (?:unauthorized|forbidden)|denied:",
            _unauthorized,
        ),
        (r"(?:resolve source metadata|load metadata)[^\n]*: not found|manifest unknown", _missing_base),
        (r"deadline ?exceeded", _too_busy),
    )
)
