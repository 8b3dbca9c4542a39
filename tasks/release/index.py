"""The index a release names: canonical bytes, so that the same release always has the same digest. Pure.

https://github.com/opencontainers/image-spec/blob/main/image-index.md. The platforms' manifests in it are the
tested ones; what changes with every release stands in the index's annotations only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..registries.registry import INDEX, Manifest
from .content import Child

WITHDRAWN = "dev.argosy.withdrawn"


def index(children: Iterable[Child], annotations: Mapping[str, str]) -> Manifest:
    """Returns the index over these manifests: sorted, no space, keys in order."""
    ordered = sorted(set(children), key=lambda child: (not child.platform, child.platform, child.digest))
    entries = [child.descriptor() for child in ordered]
    return canonical(
        {"manifests": entries, "annotations": {key: text for key, text in annotations.items() if text}}
    )


def withdrawn(mark: str) -> Manifest:
    """Returns an empty index that no other name has: what a new name is overwritten by before it is deleted."""
    return canonical({"manifests": [], "annotations": {WITHDRAWN: mark}})


def is_free(manifest: Manifest | None) -> bool:
    """Whether a name counts as free: nothing there, or what a withdrawal left where deletion is off."""
    return manifest is None or bool(mark(manifest))


def mark(manifest: Manifest) -> str:
    """Returns the mark of a withdrawal's empty index, "" for anything else."""
    try:
        body = json.loads(manifest.raw)
        annotations = body.get("annotations") or {}
    except (ValueError, AttributeError):
        return ""
    return "" if body.get("manifests") else str(annotations.get(WITHDRAWN) or "")


def canonical(body: Mapping[str, Any]) -> Manifest:
    """Returns an OCI index of this body."""
    whole = {"schemaVersion": 2, "mediaType": INDEX, **body}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Manifest.of(text.encode(), INDEX)
