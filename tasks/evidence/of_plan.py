"""Evidence of a plan's images as they were built: from the engine where they were loaded, else from their registry.

What is nowhere is told by a reason, not by an error: it was not built yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..engine import images
from ..errors import RegistryError, SurroundingsError
from ..model import Client, Reference
from ..planning.plan import Plan, PlannedImage
from ..registries.registry import Remote
from . import in_engine, in_registry
from .blobs import Blobs
from .evidence import Evidence


class Built:
    """The images of one plan, looked up in the engine at once, and in registries when they are asked for.

    Without an engine (`client` None, and `why`) the registries alone are asked.
    """

    def __init__(self, plan: Plan, client: Client | None, why: str = "") -> None:
        self.blobs = Blobs()
        self._why = why
        self._client = client
        names = [str(reference) for image in plan.selected for reference in image.references]
        self._there: Mapping[str, Mapping[str, Any]] = images.inspect(client, names) if client else {}
        self._remotes: dict[str, Remote] = {}

    def evidence(self, image: PlannedImage, platform: str) -> Evidence | str:
        """Returns what an image is on a platform, or why that cannot be told. Raises SurroundingsError for a fault."""
        known = [str(reference) for reference in image.references if str(reference) in self._there]
        if known and self._client:
            try:
                found = in_engine.evidence(self._client, known[0], platform, self.blobs)
                return replace(found, reference=self._pinned(known[0]))
            except SurroundingsError as error:
                reason = str(error)
        elif not self._client:
            reason = self._why
        elif image.references:
            reason = f"{image.references[0]} is not in the engine. Build it: inv build --images {image.name}"
        else:
            reason = "it has no name"
        try:
            return self._pushed(image, platform) or reason
        except RegistryError as error:
            return reason if error.status == 404 else f"{reason.rstrip('.')}; {error}"

    def _pinned(self, reference: str) -> str:
        """Returns a name that no later build moves, where the engine's store has one: repository and digest."""
        name = Reference.parse(reference).name
        digests: Sequence[str] = self._there[reference].get("RepoDigests") or ()
        return next((one for one in digests if one.partition("@")[0] == name), reference)

    def _pushed(self, image: PlannedImage, platform: str) -> Evidence | None:
        for reference in image.published[:1]:
            host = reference.host
            if host not in self._remotes:
                self._remotes[host] = Remote(host, tries=1)
            return in_registry.evidence(
                self._remotes[host], reference.repository, reference.tag, platform, self.blobs
            )
        return None
