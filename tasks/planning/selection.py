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
    meant = {word: [name for name in known if fnmatchcase(name, word)] for word in words}
    if unknown := [word for word, names in meant.items() if not names]:
        first, *others = [(word, nearest(word, known)) for word in unknown]
        more = "".join(f', nor "{word}"{hint}' for word, hint in others)
        there = available(f"{what}s", list(known))
        raise ConfigError(f'no {what} "{first[0]}" in build.toml{first[1]}{more}. {there}')
    for word, count in Counter(words).items():
        if count > 1:
            raise ConfigError(f'{flag} lists "{word}" {count} times; name each {what} once')
    return [name for names in meant.values() for name in names]
