"""What doctor looks at: everything a build and a push will need, each thing with what was found.

The looks are taken side by side, since most of their time is waiting; none changes anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..contents import lockstep
from ..errors import ArgosyError
from ..model import Project, Reference
from ..planning.facts import Facts
from ..planning.platforms import Platform
from ..podman import engine as podman
from ..registries import credentials, registry
from . import docker, facts, git, inquiry
from .processes import unbroken

ENOUGH_DISK = 5 * 1024**3
PATIENCE = 4.0
"""Seconds until an engine that does not answer counts as none: a check-up is quick, or it is not made."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing looked at: what was found, and what to do where that is not enough ("" if it is)."""

    name: str
    found: str
    remedy: str = ""
    failed: bool = False

    def as_json(self) -> dict[str, object]:
        """The observation for programs."""
        return {"name": self.name, "found": self.found, "remedy": self.remedy, "failed": self.failed}


def examine(project: Project, environ: Mapping[str, str]) -> tuple[Observation, ...]:
    """Looks at everything and returns what was seen, in the order a person would look."""
    with unbroken(), ThreadPoolExecutor(8) as pool:
        engine = pool.submit(_with_podman if project.client == "podman" else _with_docker, project)
        remotes = [pool.submit(_registry, host, environ) for host in _hosts(project)]
        local = pool.submit(lambda: [*_local(project, environ)])
        seen, info = engine.result()
        return (
            *seen,
            *(one for remote in remotes for one in remote.result()),
            *disks(project, info),
            *local.result(),
        )


Found = tuple[list[Observation], "inquiry.Info | podman.Info | ArgosyError"]


def _with_docker(project: Project) -> Found:
    name = project.builder.name
    with inquiry.Inquiry(name) as inquired:
        info = _asked(lambda: inquired.info(PATIENCE))
        if isinstance(info, inquiry.Info):
            builder = _asked(lambda: inquired.builder(name, PATIENCE))
            return [*_engine(info), *_builder(project, info, builder)], info
        return [*_engine(info)], info


def _with_podman(project: Project) -> Found:
    info = _asked(lambda: podman.info(PATIENCE))
    if isinstance(info, ArgosyError):
        return [Observation("engine", "does not serve", str(info), failed=True)], info
    oldest, problem = docker.dotted(podman.OLDEST), podman.too_old(info)
    whose = "without root" if info.rootless else "as root"
    found = f"podman {info.version}, {whose} (oldest that serves: {oldest})"
    seen = [Observation("engine", found, problem, failed=bool(problem))]
    seen.append(Observation("image store", f"{info.driver} at {info.folder}"))
    return [*seen, *_platforms(project, info.native, podman.platforms(info.native), "emulated")], info


def _asked(question: Callable[[], T]) -> T | ArgosyError:
    """Returns an answer, or the error that came instead."""
    try:
        return question()
    except ArgosyError as error:
        return error


def _engine(info: inquiry.Info | ArgosyError) -> Iterator[Observation]:
    if not isinstance(info, inquiry.Info):
        yield Observation("engine", "does not serve", str(info), failed=True)
        return
    problems = inquiry.too_old(info)
    engine, buildx = (docker.dotted(oldest) for oldest in (docker.OLDEST_ENGINE, docker.OLDEST_BUILDX))
    found = f"Docker Engine {info.version} at {docker.endpoint()} (oldest that serves: {engine})"
    yield Observation("engine", found, problems.get("engine", ""), failed="engine" in problems)
    found = f"{info.buildx or 'not there'} (oldest that serves: {buildx})"
    yield Observation("buildx", found, problems.get("buildx", ""), failed="buildx" in problems)
    stores = {
        "containerd": "containerd: images of several platforms can be loaded",
        "classic": "classic: holds one platform of an image at a time",
    }
    yield Observation("image store", stores[info.store])


def _builder(
    project: Project, info: inquiry.Info, found: tuple[str, tuple[str, ...]] | ArgosyError
) -> Iterator[Observation]:
    if isinstance(found, ArgosyError):
        if info.buildx:  # without it no builder can be asked, and that is said already
            yield Observation("builder", "does not serve", str(found), failed=True)
        return
    driver, platforms = found
    yield Observation(
        "builder", f"{project.builder.name or 'of the engine itself'} ({driver}), BuildKit reached"
    )
    # The engine's own builder is on one machine, and has nothing but emulation for other platforms.
    foreign = "emulated" if driver == "docker" else "emulated, or built on a node of its own"
    yield from _platforms(project, info.native, platforms, foreign)


def _platforms(
    project: Project, native: str, offered: tuple[str, ...], foreign: str
) -> Iterator[Observation]:
    wanted = (p for image in project.images.values() for p in image.platforms or (native,))
    for platform in dict.fromkeys(str(Platform.parse(text, native)) for text in wanted):
        if platform not in offered:
            remedy = "install qemu-user-static and binfmt-support"
            node = ", or add a node of that platform ([builder])" if project.client == "docker" else ""
            yield Observation(f"platform {platform}", "missing", f"{remedy}{node}", failed=True)
        else:
            yield Observation(f"platform {platform}", "native" if platform == native else foreign)


def _hosts(project: Project) -> list[str]:
    hosts = (Reference.parse(f"{entry.host}/any").host for entry in project.registries)
    return list(dict.fromkeys(hosts))


def _registry(host: str, environ: Mapping[str, str]) -> list[Observation]:
    name = f"registry {host}"
    try:
        registry.Remote(host, environ).reachable()
    except ArgosyError as error:
        return [Observation(name, "not reachable", str(error), failed=True)]
    try:
        login = credentials.find(host, environ)
    except ArgosyError as error:
        return [
            Observation(name, "reachable"),
            Observation(f"login {host}", "unreadable", str(error), failed=True),
        ]
    if login is None:
        # Many registries need no login to pull, some none to push: a hint, not a failure.
        hint = f"if pushing is refused: {credentials.login_line(host)}"
        return [Observation(name, "reachable"), Observation(f"login {host}", "none kept", hint)]
    return [Observation(name, "reachable"), Observation(f"login {host}", "kept")]


def disks(project: Project, info: inquiry.Info | podman.Info | ArgosyError) -> Iterator[Observation]:
    """The project's disk, and the engine's own where it is another one of this machine."""
    folders = [project.root]
    if isinstance(info, podman.Info) or (
        isinstance(info, inquiry.Info) and docker.address().startswith("unix://")
    ):
        folders += [path for path in [Path(info.folder)] if path.is_dir()]
    devices: set[int] = set()
    for folder in folders:
        if folder.stat().st_dev in devices:
            continue
        devices.add(folder.stat().st_dev)
        free = shutil.disk_usage(folder).free
        low = free < ENOUGH_DISK
        remedy = f"free some room; `{project.client} system prune` removes what no image needs" if low else ""
        yield Observation("disk", f"{free / 1024**3:.0f} GB free at {folder}", remedy, failed=low)


def _git(project: Project) -> Observation:
    state = git.read(project.root)
    if state is None and (refusal := git.refusal(project.root)):
        return Observation("git", "does not read this repository", refusal, failed=True)
    if state is None:
        return Observation("git", "no repository with a commit: {sha}, {branch} and {date} have no value")
    dirty = ", with changes not committed" if state.dirty else ""
    return Observation("git", f"{state.sha[:7]} on {state.branch or 'no branch'}{dirty}")


def _local(project: Project, environ: Mapping[str, str]) -> Iterator[Observation]:
    yield _git(project)
    try:
        known = facts.gather(project, environ)
    except ArgosyError as error:
        yield Observation("build.toml", "does not make a plan", str(error), failed=True)
        return
    yield _plan(project, known)
    yield from _lockstep(project, known)


def _lockstep(project: Project, known: Facts) -> Iterator[Observation]:
    if not project.lockstep:
        return
    try:
        lockstep.require(project, known)
    except ArgosyError as error:
        yield Observation("lockstep", "the source disagrees", str(error), failed=True)
        return
    count = len(project.lockstep)
    yield Observation("lockstep", f"the source repeats {count} thing{'s' * (count != 1)} as build.toml says")


def _plan(project: Project, known: Facts) -> Observation:
    from ..planning import planner
    from ..planning.request import Request

    try:
        planner.make(project, known, Request(images=("*",)))
    except ArgosyError as error:
        return Observation("build.toml", "does not make a plan", str(error), failed=True)
    images, files = len(project.images), len({image.dockerfile for image in project.images.values()})
    said = f"{images} image{'s' * (images != 1)} from {files} Dockerfile{'s' * (files != 1)}, all there"
    return Observation("build.toml", said)
