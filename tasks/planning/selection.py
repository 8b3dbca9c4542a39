"""Which images a request means. Pure: names in, names out, in build.toml's order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from ..errors import ConfigError, available, nearest
from ..model import Project
from .request import Request

DEFAULT = "default"


def select(project: Project, request: Request) -> tuple[str, ...]:
    """Returns the names asked for. Raises ConfigError for an unknown image or group and for one said twice."""
    chosen = set(_matching(request.images, project.images, "image", "--images"))
    for group in _matching(request.groups, project.groups, "group", "--group"):
        chosen |= set(project.groups[group])
    if not request.images and not request.groups:
        usual = project.groups.get(DEFAULT, project.images)
        chosen = {name for name in usual if project.images[name].selected}
    if not chosen:
        raise ConfigError(f"no image is selected. {available('images', list(project.images))}")
    return tuple(name for name in project.images if name in chosen)


def _matching(words: Sequence[str], known: Collection[str], what: str, flag: str) -> list[str]:
    """Returns the known names that words, names or globs, mean."""
    found: list[str] = []
    for word, count in Counter(words).items():
        matching = [name for name in known if fnmatchcase(name, word)]
        if not matching:
            hint = nearest(word, known)
            raise ConfigError(f'no {what} "{word}" in build.toml{hint}. {available(f"{what}s", list(known))}')
        if count > 1:
            raise ConfigError(f'{flag} lists "{word}" {count} times; name each {what} once')
        found += matching
    return found
