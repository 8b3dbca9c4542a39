"""Copying what stands at a digest to another repository, or another registry, bytes unchanged.

buildx does it (https://docs.docker.com/reference/cli/docker/buildx/imagetools/create/): it mounts blobs within a
registry and streams them between two. No engine is asked. What arrived is judged by its digest, not by buildx's word.
"""

from __future__ import annotations

from ..errors import SurroundingsError
from ..planning.bakefile import STAGING
from ..registries.registry import Manifest, Remote
from . import docker


def under(staging: str, digest: str) -> str:
    """Returns the tag that a copy arrives under; where no tag is written twice each copy has its own."""
    return staging if staging == STAGING else f"{staging}-{digest.partition(':')[2][:12]}"


def copy(source: str, manifest: Manifest, remote: Remote, repository: str, under: str = STAGING) -> None:
    """Copies `source` ("repository@digest", whose manifest this is) and all behind it; it gets no name there.

    It arrives `under` a tag that means nothing.

    Raises SurroundingsError where it does not arrive.
    """
    place = f"{remote.host}/{repository}"
    done = docker.ask("docker", "buildx", "imagetools", "create", "--tag", f"{place}:{under}", source)
    # buildx writes the tag twice, for what is copied and for an index of its own over that: where no tag is written
    # twice the second is refused, and the first has arrived.
    if not done and not remote.digest(repository, manifest.digest):
        raise SurroundingsError(f"{source} cannot be copied to {place}: {docker.explain(done)}")
    remote.put(repository, manifest.digest, manifest)
