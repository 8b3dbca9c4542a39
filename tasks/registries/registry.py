"""A registry as a value-giving thing: manifests, names and tags of one host.

Speaks the OCI distribution specification (https://github.com/opencontainers/distribution-spec/blob/main/spec.md)
through `Transport`. Knows nothing of projects, plans or releases: who may move which name is decided above.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from ..errors import RegistryError
from ..model import HUB, Descriptor
from .refusals import is_spoken
from .request import Access, Answer, Request
from .transport import Transport

# A name whose current manifest carries this annotation was made by a release; its value is the release's tag.
RELEASE = "dev.argosy.release"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MEDIA_TYPES = (
    INDEX,
    MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_REACH_SECONDS = 2.0
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index as the registry holds it. The bytes are never re-written: the digest is theirs."""

    media_type: str
    digest: str
    raw: bytes

    @classmethod
    def of(cls, raw: bytes, media_type: str) -> Manifest:
        """Returns the manifest of these bytes with its sha256 digest."""
        return cls(media_type, f"sha256:{hashlib.sha256(raw).hexdigest()}", raw)

    @property
    def descriptor(self) -> Descriptor:
        """What there is to say of it without its bytes."""
        return Descriptor(self.media_type, self.digest, len(self.raw))


class Remote:
    """One registry host ("ghcr.io", "localhost:5000", "docker.io"), safe to use from many threads at once.

    Loopback is spoken to over HTTP as Docker does, all else over HTTPS. `tries` and `patience` (seconds) bound
    what is tried again. Every method raises RegistryError (exit 3) where the registry does not answer or refuses.
    """

    def __init__(
        self,
        host: str,
        env: Mapping[str, str] | None = None,
        *,
        tries: int = 3,
        patience: float = 15.0,
    ) -> None:
        self.host = host or HUB
        self._wire = Transport(self.host, env, tries=tries, patience=patience)
        self._uploads: dict[tuple[str, str], threading.Lock] = {}
        self._uploaded: set[tuple[str, str]] = set()

    def reachable(self) -> None:
        """Raises unless the registry answers within two seconds (and a name server's); needs no login."""
        self._wire.send(Request("GET", "/v2/", expect=(200, 401), seconds=_REACH_SECONDS), tries=1)

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Returns what `reference` (a tag or digest) names; None only if the registry itself says it has none."""
        access = self._access(repository)
        path = access.path(f"manifests/{reference}")
        answer = self._wire.send(Request("GET", path, access, (200, 404), _ACCEPT))
        if answer.status == 404:
            self._believe(answer, access)
            return None
        self._parsed(answer, access)
        found = Manifest.of(answer.body, answer.headers.get("Content-Type", "").partition(";")[0])
        promised = reference if ":" in reference else answer.headers.get("Docker-Content-Digest", "")
        if promised.startswith("sha256:") and promised != found.digest:
            raise RegistryError(
                f"{self.host}/{repository}: the manifest of {reference} should be {promised}, and what came is "
                f"{found.digest}. Something on the way, a proxy or a mirror, changes what the registry sends."
            )
        return found

    def digest(self, repository: str, tag: str) -> str | None:
        """Returns the digest a tag stands at; None only if the registry itself says it has no such tag."""
        found = self.descriptor(repository, tag)
        return found.digest if found else None

    def descriptor(self, repository: str, tag: str) -> Descriptor | None:
        """Returns what a tag stands at without fetching it; None only if the registry itself says there is none."""
        access = self._access(repository)
        request = Request("HEAD", access.path(f"manifests/{tag}"), access, (200, 404), _ACCEPT)
        answer = self._wire.send(request)
        said = answer.headers
        digest, size = said.get("Docker-Content-Digest", ""), said.get("Content-Length", "")
        if answer.status == 200 and digest and size.isdecimal():
            return Descriptor(said.get("Content-Type", "").partition(";")[0], digest, int(size))
        if answer.status == 404 and "Docker-Distribution-Api-Version" in answer.headers:
            return None
        # Any other 404 cannot be told from a proxy's, and the digest's header is optional: the body settles both.
        found = self.manifest(repository, tag)
        return found.descriptor if found else None

    def put(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Writes these very bytes under a tag or under their digest; what they name must be there already."""
        access = self._access(repository, "push")
        path, headers = access.path(f"manifests/{reference}"), {"Content-Type": manifest.media_type}
        answer = self._wire.send(Request("PUT", path, access, (200, 201, 202), headers, manifest.raw))
        stored = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise RegistryError(
                f"{self.host}/{repository}:{reference} was written as {manifest.digest}, and the registry has "
                f"{stored}. Something on the way, a proxy or a mirror, changes what is sent."
            )

    def tags(self, repository: str) -> tuple[str, ...]:
        """Returns all tags of a repository in the registry's order; none if it does not know the repository."""
        access = self._access(repository)
        path = access.path(f"tags/list?n={_PAGE}")
        found: list[str] = []
        while path:
            answer = self._wire.send(Request("GET", path, access, (200, 404)))
            if answer.status == 404:
                self._believe(answer, access)
                break
            found += self._parsed(answer, access).get("tags") or []
            path = answer.following(path)
        return tuple(dict.fromkeys(found))

    def referrers(self, repository: str, digest: str) -> tuple[Mapping[str, Any], ...] | None:
        """Returns the registry's own list of what is attached to a manifest, None if it keeps no such lists."""
        access = self._access(repository)
        path = access.path(f"referrers/{digest}")
        entries: list[Any] = []
        while path:
            answer = self._wire.send(Request("GET", path, access, (200, 404, 405)))
            if answer.status != 200:
                return None
            entries += self._parsed(answer, access).get("manifests") or []
            path = answer.following(path)
        return tuple(entries)

    def may_push(self, repository: str) -> None:
        """Raises unless an upload into the repository can be started; it is cancelled at once.

        That says nothing of quotas, or of tags that may not be overwritten: no registry tells beforehand.
        """
        access = self._access(repository, "push")
        answer = self._wire.send(Request("POST", access.path("blobs/uploads/"), access, (200, 201, 202)))
        upload = urlsplit(answer.headers.get("Location", ""))
        if upload.path and is_same(upload.netloc, self._wire.address):
            cancel = f"{upload.path}?{upload.query}" if upload.query else upload.path
            # Some registries do not let an upload be cancelled; all sweep away what is left open.
            with contextlib.suppress(RegistryError):
                self._wire.send(Request("DELETE", cancel, access, (200, 202, 204)), tries=1)

    def blob(self, repository: str, digest: str) -> bytes | None:
        """Returns a blob's bytes, None if the registry itself says it has none. For small ones: all of it is held."""
        access = self._access(repository)
        answer = self._wire.send(Request("GET", access.path(f"blobs/{digest}"), access, (200, 404)))
        if answer.status == 404:
            self._believe(answer, access)
            return None
        found = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if found != digest:
            raise RegistryError(f"{self.host}/{repository}: blob {digest} came as {found}.")
        return answer.body

    def download(self, repository: str, digest: str, into: IO[bytes]) -> None:
        """Writes a blob of any size into a file, block by block; whoever asked compares the digest."""
        access = self._access(repository)
        self._wire.send(Request("GET", access.path(f"blobs/{digest}"), access, into=into))

    def put_blob(self, repository: str, data: bytes) -> str:
        """Uploads a small blob in one piece, once, and returns its digest."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        # Of two uploads at once distribution writes the link in two steps: who looks between is told "unknown".
        with self._uploads.setdefault((repository, digest), threading.Lock()):
            if (repository, digest) not in self._uploaded:
                self._upload(repository, data, digest)
                self._uploaded.add((repository, digest))
        return digest

    def _upload(self, repository: str, data: bytes, digest: str) -> None:
        access = self._access(repository, "push")
        begun = self._wire.send(Request("POST", access.path("blobs/uploads/"), access, (200, 201, 202)))
        place = urlsplit(begun.headers.get("Location", ""))
        if not place.path or not is_same(place.netloc, self._wire.address):
            elsewhere = place.netloc or "nowhere"
            raise RegistryError(f"{self.host}/{repository}: it wants uploads sent elsewhere ({elsewhere}).")
        query = "&".join(filter(None, [place.query, f"digest={digest}"]))
        headers = {"Content-Type": "application/octet-stream"}
        self._wire.send(Request("PUT", f"{place.path}?{query}", access, (200, 201, 202), headers, data))

    def delete(self, repository: str, digest: str) -> bool:
        """Deletes a manifest and with it every tag that stands on it; False if it was not there.

        Where deletion is switched off the RegistryError's status is 405.
        """
        access = self._access(repository, "push", "delete")
        request = Request("DELETE", access.path(f"manifests/{digest}"), access, (200, 202, 404))
        return self._wire.send(request).status != 404

    def _access(self, repository: str, *more: str) -> Access:
        official = self._wire.address == "registry-1.docker.io" and "/" not in repository
        return Access(f"library/{repository}" if official else repository, ("pull", *more))

    def _believe(self, answer: Answer, access: Access) -> None:
        if not is_spoken(answer):
            raise self._wire.refusal(answer, access)

    def _parsed(self, answer: Answer, access: Access) -> dict[str, Any]:
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise self._wire.refusal(answer, access)
        return content


def is_same(netloc: str, address: str) -> bool:
    """Whether a Location is at the registry itself: it may leave the host out, or say the port all the same."""
    return netloc.removesuffix(":443").lower() in {"", address.removesuffix(":443").lower()}


def released(manifest: Manifest) -> str | None:
    """Returns the release that made what this manifest is the content of, or None."""
    try:
        annotations = json.loads(manifest.raw).get("annotations") or {}
        return str(annotations[RELEASE]) if annotations.get(RELEASE) else None
    except (ValueError, AttributeError):
        return None
