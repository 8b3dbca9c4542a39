"""What a registry says of a manifest without sending it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A manifest by its digest, kind and size in bytes.

    https://github.com/opencontainers/image-spec/blob/main/descriptor.md
    """

    media_type: str
    digest: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """How other manifests name it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
