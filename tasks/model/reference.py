"""Names of images: registry, repository, tag, digest. A reference is not a tag."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ConfigError

# Grammar of references: https://github.com/distribution/reference (reference.go).
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
HUB = "docker.io"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One name of an image: registry, repository and tag (a reference is not a tag).

    `registry` is "" for a name without one (`dev8-base:latest`): the engine's own, or Docker Hub's.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Splits `[registry/]repository[:tag][@digest]` by Docker's rule: the first part is a registry only
        if it holds a dot, a colon or a capital letter, or is `localhost`. Raises ConfigError for what is no reference.
        """
        rest, _, digest = text.partition("@")
        first, slash, remainder = rest.partition("/")
        is_host = bool(slash) and (
            "." in first or ":" in first or first == "localhost" or first != first.lower()
        )
        registry, path = (first, remainder) if is_host else ("", rest)
        repository, colon, tag = path.partition(":")
        bad = (
            not REPOSITORY.fullmatch(repository)
            or (colon and not TAG.fullmatch(tag))
            or ("@" in text and not DIGEST.fullmatch(digest))
        )
        if bad:
            raise ConfigError(f'"{text}" is not an image reference ([registry/]repository[:tag][@digest])')
        return cls(registry, repository, tag, digest)

    @property
    def host(self) -> str:
        """The registry's host: Docker Hub's for a name without one."""
        return self.registry or HUB

    @property
    def name(self) -> str:
        """Registry and repository, without tag or digest."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"
