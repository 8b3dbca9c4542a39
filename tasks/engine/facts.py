"""Gathers the facts of the moment: git, the machine, files' texts, the engine. Reads the world once."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError, SurroundingsError
from ..model import Project, VersionSource
from ..planning.facts import Engine, Facts
from ..planning.recipe import FORWARDED
from ..podman import engine as podman
from . import git, proxies
from .inquiry import Inquiry

MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7"}


def gather(
    project: Project, environ: Mapping[str, str], *, inquiry: Inquiry | None = None, required: bool = True
) -> Facts:
    """Returns the facts a plan needs.

    With an `inquiry` what the engine says is among them; where it does not answer, that is an error if it is
    `required` and a reason in the facts if not.
    """
    state = git.read(project.root)
    files = texts(project)
    answered: Engine | None = None
    reason = "no engine was asked"
    if inquiry is not None:
        # A plan goes on with this once the engine is known: loaded now, it costs no time.
        from . import considering  # noqa: F401

        try:
            answered = _engine(project, inquiry)
        except SurroundingsError as error:
            if required:
                raise
            reason = str(error)
    names = {*FORWARDED, *(source.value for source in _sources(project) if source.kind == "env")}
    return Facts(
        host=f"linux/{MACHINES.get(platform.machine(), platform.machine())}",
        git=state,
        files=files,
        environ={name: environ[name] for name in names if name in environ},
        proxies=proxies.arguments(environ) if project.client == "docker" else {},
        engine=answered,
        no_engine=reason,
    )


def _engine(project: Project, inquiry: Inquiry) -> Engine:
    return podman.engine() if project.client == "podman" else inquiry.engine(project.builder.name)


def _sources(project: Project) -> list[VersionSource]:
    return [*project.version, *(source for image in project.images.values() for source in image.version)]


def texts(project: Project) -> dict[str, str]:
    """Reads every Dockerfile, and those version files that are there."""
    texts: dict[str, str] = {}
    for image in project.images.values():
        if image.dockerfile not in texts:
            texts[image.dockerfile] = _text(project.root / image.dockerfile)
    for source in _sources(project):
        path = project.root / source.value
        if source.kind == "file" and path.is_file():
            texts[source.value] = _text(path)
    return texts


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{os.path.relpath(path)}: cannot be read: {error}") from None
