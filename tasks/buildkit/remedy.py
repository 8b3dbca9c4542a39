"""What to do about errors that every user of Docker meets, told from the words of the error.

BuildKit passes causes through as text only, so the words are all there is. A text that fits no row has no
remedy: better none than a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_HOST = re.compile(r'https?://([^/\s"]+)/|dial tcp: lookup ([^\s:]+)|dial tcp ([^\s]+):')
_IMAGE = re.compile(
    r"(?:resolve source metadata for|failed to load metadata for|failed to push|load metadata for)"
    r" ([^\s:]+(?::\d+/[^\s:]+)?(?::\w[\w.-]*)?(?:@\w+:\w+)?)"
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
    """Returns the registry an error speaks of, as `docker login` takes it; "" for Docker Hub or none."""
    if named := _IMAGE.search(error):
        first, slash, _ = named[1].partition("/")
        return first if slash and ("." in first or ":" in first) and first != "docker.io" else ""
    match = _HOST.search(error)
    return next(group for group in match.groups() if group) if match else ""


def _login(error: str) -> str:
    host = _host(error)
    return f"docker login {host}" if host else "docker login"


def _full(_match: re.Match[str], _error: str, _context: str) -> str:
    return "The disk under the engine's data is full: free some room (`docker buildx prune`), then run again."


def _missing_file(match: re.Match[str], _error: str, context: str) -> str:
    path = match[1].lstrip("/")
    where = f'the build context "{context}"' if context else "the build context"
    return f"{path} is not in {where}: check the path, the image's context, and its .dockerignore."


def _torn_cache(_match: re.Match[str], _error: str, _context: str) -> str:
    return (
        "BuildKit has lost a part of what it cached, as an engine that was stopped while it built may: "
        "`docker buildx prune`, then run again."
    )


def _missing_base(_match: re.Match[str], error: str, _context: str) -> str:
    named = _IMAGE.search(error)
    base = named[1] if named else "it names"
    return f"The base image {base} is not there: check its name and tag, or run `{_login(error)}` if it is private."


def _unauthorized(_match: re.Match[str], error: str, _context: str) -> str:
    host = _host(error)
    whose = f"The registry {host}" if host else "The registry"
    return f"{whose} does not let you do this: run `{_login(error)}`."


def _unreachable(_match: re.Match[str], error: str, _context: str) -> str:
    match = _HOST.search(error)
    host = _host(error) or (next(group for group in match.groups() if group) if match else "The registry")
    return f"{host} does not answer: check that it is up and can be reached from the engine, then run again."


def _untrusted(_match: re.Match[str], error: str, _context: str) -> str:
    return (
        f"The engine does not trust {_host(error) or 'the registry'}: give it the registry's CA, or, where the "
        'registry speaks plain HTTP, name it in "insecure-registries" of the engine\'s daemon.json.'
    )


def _wants_login(_match: re.Match[str], _error: str, _context: str) -> str:
    return (
        "A private repository wants a login: mount one in that RUN (--mount=type=secret or ssh) and say in build.toml "
        "where it is (`secrets`, `ssh`); an optional secret that was not there has been left out."
    )


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
        (r"failed to walk \S*/buildkit-mount\d+/([^\s:]+): lstat", _missing_file),
        (r"failed to commit \S+ to \S+ during finalize|snapshot \w+ does not exist", _torn_cache),
        (
            (
                "connection refused|no such host|network is unreachable|no route to host|i/o timeout"
                "|temporary failure in name resolution|tls handshake timeout|server misbehaving"
            ),
            _unreachable,
        ),
        (r"x509: |tls: |server gave HTTP response to HTTPS client", _untrusted),
        (r"pull access denied|repository does not exist", _missing_base),
        (r"unauthorized|failed to authorize|no basic auth credentials|403 forbidden|denied: ", _unauthorized),
        (r"(?:resolve source metadata|load metadata)[^\n]*: not found|manifest unknown", _missing_base),
        (r"could not read (?:username|password) for|terminal prompts disabled", _wants_login),
        (r"deadline ?exceeded", _too_busy),
    )
)
