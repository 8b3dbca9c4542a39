"""One request to a registry, as a value: what is asked, what a token must allow for it, where the answer goes.

It knows nothing of connections, logins or what the answer means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from ..errors import SurroundingsError

if TYPE_CHECKING:
    import requests

READ_SECONDS = 30.0
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Access:
    """What a token must allow: actions in one repository. Without a repository, nothing at all."""

    repository: str = ""
    actions: tuple[str, ...] = ()

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


def write(response: requests.Response, into: IO[bytes]) -> None:
    """Writes an answer's body into a file, block by block, from the file's start.

    Raises SurroundingsError where the disk takes no more; a body that breaks off raises what requests raises.
    """
    into.seek(0)
    into.truncate()
    for block in response.iter_content(_BLOCK):
        try:
            into.write(block)
        except OSError as error:
            raise SurroundingsError(f"cannot keep what a registry sends: {error.strerror}") from None
