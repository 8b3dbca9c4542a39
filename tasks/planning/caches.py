"""Which build caches an image reads and writes, in bake's words. Pure.

A key is made of image and platform and of nothing else, so that no two images share one, and a build of one platform
never takes away what a build of two has left. https://docs.docker.com/build/cache/backends/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from ..model import Cache, Project
from .facts import Facts
from .plan import PlannedImage


def key(image: str, platform: str) -> str:
    """Returns a key that tells from which image and platform it was made; it is fit for a tag and for a folder.

    Names have no dot after this, so that the first one ends the name: two pairs have two keys.
    """
    name = image.replace("_", "__").replace("/", "_-").replace(".", "_")
    return f"{name}.{platform.replace('/', '-')}"


def cached(project: Project, facts: Facts, image: PlannedImage) -> PlannedImage:
    """Returns an image with what it reads from, and with what it writes to if this branch may."""
    cache = project.cache
    pairs = list(
        dict.fromkeys(pair for platform in image.platforms for pair in _backends(project, image, platform))
    )
    destinations = tuple(to for _, to in pairs)
    return replace(
        image,
        cache_from=tuple(source for source, _ in pairs if source),
        cache_to=destinations if may_write(cache, facts) else (),
        cache_keys=destinations,
    )


def may_write(cache: Cache, facts: Facts) -> bool:
    """Tells whether builds of the branch that is checked out may write; a detached HEAD is on none."""
    branch = facts.git.branch if facts.git else ""
    return any(fnmatchcase(branch, pattern) for pattern in cache.write)


def _backends(project: Project, image: PlannedImage, platform: str) -> Iterator[tuple[str, str]]:
    """Yields what is read and what is written."""
    cache, own = project.cache, key(image.name, platform)
    if cache.registry:
        place = f"type=registry,ref={cache.registry}:{own}"
        yield place, f"{place},mode={cache.mode}"
    if cache.local:
        folder = project.root / Path(cache.local) / own
        yield f"type=local,src={folder}", f"type=local,dest={folder},mode={cache.mode}"
    for text in cache.others:
        words = text.replace("{image}", image.name).replace("{platform}", platform)
        # A cache inside the image itself is found where the image is.
        yield ("" if "type=inline" in words else words), words
