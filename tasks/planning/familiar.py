"""The familiar form of an image reference: the name by which BuildKit looks it up among named contexts.

It knows texts only. The grammar is https://github.com/distribution/reference.
"""

from __future__ import annotations

import re

_HOST = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9.-]*[a-zA-Z0-9]|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<host>{_HOST})/)?(?P<path>{_PART}(?:/{_PART})*)(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
    r"(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?"
)


def familiar(reference: str) -> str:
    """Returns the reference without `docker.io/`, `docker.io/library/` and `:latest`; any other tag stays.

    Raises ValueError for what is no reference.
    """
    first, slash, _ = reference.partition("/")
    is_host = bool(slash) and (re.search(r"[.:]|^localhost$", first) is not None or first != first.lower())
    whole = reference if is_host else f"docker.io/{reference}"
    match = _REFERENCE.fullmatch(re.sub(r"^index\.docker\.io/", "docker.io/", whole))
    if not match or re.fullmatch(r"[a-f0-9]{64}", reference):
        raise ValueError(f'"{reference}" is no image reference')
    if match["host"] == "docker.io":
        name = re.sub(r"^library/([^/]+)$", r"\1", match["path"])
    else:
        name = f"{match['host']}/{match['path']}"
    return (name + (match["tag"] or "") + (match["digest"] or "")).removesuffix(":latest")
