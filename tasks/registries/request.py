"""One request to a registry and its answer, as values: what is asked, what a token must allow for it, what came.

It knows nothing of connections, logins or what an answer means.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import quote, urljoin, urlsplit

READ_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Access:
    """What a token must allow: actions in one repository. Without a repository, nothing at all."""

    repository: str = ""
    actions: tuple[str, ...] = ()

    def path(self, rest: str) -> str:
        """Returns the path of something of the repository."""
        return f"/v2/{quote(self.repository)}/{rest}"

    def scope(self, challenge: str = "") -> str:
        """Returns the token's scope: what we are about to do, and what the registry's own challenge asks for.

        A challenge alone will not do: some registries (ghcr.io) ask for `pull` whatever the request was.
        """
        kind, _, rest = challenge.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind != "repository" or " " in challenge or not name:
            name, actions = self.repository, ""
        return (
            f"repository:{name}:{','.join(dict.fromkeys([*self.actions, *filter(None, actions.split(','))]))}"
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a registry; `expect` are the statuses that are answers rather than refusals.

    A body that may be large is written `into` a file as it comes, from the file's start at every attempt.
    """

    method: str
    path: str
    access: Access = Access()
    expect: Collection[int] = (200,)
    headers: Mapping[str, str] = field(default_factory=dict)
    data: bytes | None = None
    seconds: float = READ_SECONDS
    into: IO[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, headers (whatever the case of their letters), the body.

    `elsewhere` tells that it is another host's, to which the registry has sent us.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    elsewhere: bool = False

    def json(self) -> Any:
        """Returns the body as JSON. Raises ValueError if it is none."""
        return json.loads(self.body)

    def following(self, path: str) -> str:
        """Returns the path of the page after that at `path` (`Link` with rel "next", RFC 8288), "" if there is none."""
        if not (link := self.headers.get("Link", "")):
            return ""
        from requests.utils import parse_header_links

        found = next((one["url"] for one in parse_header_links(link) if one.get("rel") == "next"), None)
        if found is None:
            return ""
        to = urlsplit(urljoin(path, found))
        return f"{to.path}?{to.query}"
