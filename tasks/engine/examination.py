"""What doctor looks at: everything a build and a push will need, each check with what it found.

The checks run side by side, since most of their time is waiting; none changes anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import ArgosyError
from ..model import HUB, Project
from ..planning.facts import Engine, Facts
from ..planning.naming import Naming
from . import credentials, docker, facts, git, registry

ENOUGH_DISK = 5 * 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and what to do where that is not enough ("" if it is)."""

    name: str
    found: str
    remedy: str = ""
    failed: bool = False

    def as_json(self) -> dict[str, object]:
        """The check for programs."""
        return {"name": self.name, "found": self.found, "remedy": self.remedy, "failed": self.failed}


def examine(project: Project, environ: Mapping[str, str]) -> tuple[Check, ...]:
    """Looks at everything and returns the checks in the order a person would make them."""
    with ThreadPoolExecutor(8) as pool:
        engine = pool.submit(_engine, project)
        remotes = [pool.submit(_registry, host, environ) for host in _hosts(project)]
        local = pool.submit(lambda: [_disk(project), _git(project), _dockerfiles(project, environ)])
        return (
            *engine.result(),
            *(check for remote in remotes for check in remote.result()),
            *local.result(),
        )


def _engine(project: Project) -> list[Check]:
    try:
        found = docker.engine(project.builder.name)
    except ArgosyError as error:
        return [Check("engine", "does not serve", str(error), failed=True)]
    oldest_engine, oldest_buildx = (
        ".".join(map(str, v)) for v in (docker.OLDEST_ENGINE, docker.OLDEST_BUILDX)
    )
    stores = {
        "containerd": "containerd: builds of several platforms can be loaded",
        "classic": "classic: one platform can be loaded at a time; several must be pushed",
    }
    return [
        Check(
            "engine",
            f"Docker Engine {found.version} at {docker.endpoint()} (oldest that serves: {oldest_engine})",
        ),
        Check("buildx", f"{found.buildx} (oldest that serves: {oldest_buildx})"),
        Check("builder", f"{found.builder or 'of the engine itself'} ({found.driver}), BuildKit reached"),
        Check("image store", stores[found.store]),
        *_platforms(project, found),
    ]


def _platforms(project: Project, engine: Engine) -> Iterator[Check]:
    wanted = dict.fromkeys(
        p for image in project.images.values() for p in image.platforms or (engine.native,)
    )
    for platform in wanted:
        if platform == engine.native:
            yield Check(f"platform {platform}", "native")
        elif platform in engine.platforms:
            yield Check(f"platform {platform}", "emulated, or built on a node of its own")
        else:
            remedy = "install qemu-user-static and binfmt-support, or add a node of that platform ([builder])"
            yield Check(f"platform {platform}", "missing", remedy, failed=True)


def _hosts(project: Project) -> list[str]:
    naming = Naming(project, Facts(host=""))
    hosts: dict[str, None] = {}
    for image in project.images.values():
        for name in naming.repositories(image):
            first, slash, _ = name.partition("/")
            if slash and any(entry.host.partition("/")[0] == first for entry in project.registries):
                hosts[first] = None
    return list(hosts) or [HUB]


def _registry(host: str, environ: Mapping[str, str]) -> list[Check]:
    name = f"registry {host}"
    try:
        registry.Remote(host, environ).reachable()
    except ArgosyError as error:
        return [Check(name, "not reachable", str(error), failed=True)]
    try:
        login = credentials.find(host, environ)
    except ArgosyError as error:
        return [Check(name, "reachable"), Check(f"login {host}", "unreadable", str(error), failed=True)]
    if login is None:
        # Many registries need no login to pull, some none to push: a hint, not a failure.
        hint = f"if pushing is refused: {credentials.login_line(host)}"
        return [Check(name, "reachable"), Check(f"login {host}", "none kept", hint)]
    return [Check(name, "reachable"), Check(f"login {host}", "kept")]


def _disk(project: Project) -> Check:
    free = shutil.disk_usage(project.root).free
    found = f"{free / 1024**3:.0f} GB free at {project.root}"
    if free < ENOUGH_DISK:
        return Check("disk", found, "docker system prune frees what no image needs", failed=True)
    return Check("disk", found)


def _git(project: Project) -> Check:
    state = git.read(project.root)
    if state is None:
        return Check("git", "no repository with a commit: {sha}, {branch} and {date} have no value")
    dirty = ", with changes not committed" if state.dirty else ""
    return Check("git", f"{state.sha[:7]} on {state.branch or 'no branch'}{dirty}")


def _dockerfiles(project: Project, environ: Mapping[str, str]) -> Check:
    from ..planning import planner
    from ..planning.request import Request

    ask: Callable[[], object] = partial(
        planner.make, project, facts.gather(project, environ, engine=False), Request(images=("*",))
    )
    try:
        ask()
    except ArgosyError as error:
        return Check("build.toml", "does not make a plan", str(error), failed=True)
    folders = {Path(image.dockerfile) for image in project.images.values()}
    return Check("build.toml", f"{len(project.images)} images from {len(folders)} Dockerfiles, all there")
