"""Which images a request means. Pure: names in, names out, in build.toml's order."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

from ..errors import ConfigError, available, nearest
from ..model import Project
from .request import Request


def select(project: Project, request: Request) -> tuple[str, ...]:
    """Returns the names asked for. Raises ConfigError for an unknown image or group and for one said twice."""
    chosen: set[str] = set()
    _refuse_repeats(request.images, "--images")
    _refuse_repeats(request.groups, "--group")
    for word in request.images:
        chosen |= _match(word, project)
    for name in request.groups:
        chosen |= _group(name, project)
    if not request.images and not request.groups:
        if "default" in project.groups:
            chosen = _group("default", project)
        else:
            chosen = {name for name, image in project.images.items() if image.selected}
        chosen = {name for name in chosen if project.images[name].selected}
    if not chosen:
        raise ConfigError("no image is selected. " + available("images", list(project.images)))
    return tuple(name for name in project.images if name in chosen)


def _match(word: str, project: Project) -> set[str]:
    found = {name for name in project.images if fnmatchcase(name, word)}
    if not found:
        hint = nearest(word, project.images)
        raise ConfigError(
            f'no image "{word}" in build.toml{hint}. ' + available("images", list(project.images))
        )
    return found


def _group(name: str, project: Project) -> set[str]:
    if name not in project.groups:
        hint = nearest(name, project.groups)
        raise ConfigError(
            f'no group "{name}" in build.toml{hint}. ' + available("groups", list(project.groups))
        )
    _refuse_repeats(project.groups[name], f"groups.{name}")
    return {found for word in project.groups[name] for found in _match(word, project)}


def _refuse_repeats(words: tuple[str, ...], where: str) -> None:
    twice = [word for word, count in Counter(words).items() if count > 1]
    if twice:
        raise ConfigError(f'{where} lists "{twice[0]}" twice; name each image once')
