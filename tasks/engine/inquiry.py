"""What the engine and its builder are asked before anything else: who they are and what they can do.

It knows no project but the name of a builder. What an error means is docker.py's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ..errors import SurroundingsError
from . import direct
from .docker import NO_BUILDX, OLDEST_BUILDX, OLDEST_ENGINE, PATIENCE, ask, dotted, explain, is_older, program
from .processes import Done, Running

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..planning.facts import Engine

CONTAINERD = "io.containerd.snapshotter.v1"
INFO = ("info", "--format", "{{json .}}")


@dataclass(frozen=True, slots=True)
class Info:
    """What the engine says of itself; `buildx` is "" where the client has no such plugin, None where it was not asked.

    `folder` is where it keeps its data, on its own machine.
    """

    version: str
    buildx: str | None
    native: str
    store: Literal["containerd", "classic"]
    folder: str = ""


class Inquiry:
    """Who the engine is and what its builder can do, asked when it is made; the answers take some 0.2 s to come.

    Who begins it before there is anything to do with the answers has them for nothing. `name` is a builder's, ""
    for the one in use. Where there is no docker, only the answers say so (SurroundingsError). Leaving the block
    ends what still runs.
    """

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._absent: SurroundingsError | None = None
        try:
            docker = program("docker")
        except SurroundingsError as error:
            self._absent = error
            return
        self._looked = Running([docker, *_inspect(name)])
        self._socket = direct.place()
        self._told = None if self._socket else Running([docker, *INFO])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if not self._absent:
            self._looked.__exit__()
            if self._told:
                self._told.__exit__()

    def engine(self, name: str = "") -> Engine:
        """Returns what the engine and a builder can do.

        Raises SurroundingsError where there is no docker, no engine, no buildx or builder, or one too old (of buildx
        that may show itself in a build only).
        """
        from ..planning.facts import Engine  # not before the question is under way

        said = None if self._absent or not self._socket else direct.info(self._socket)
        about = _info(said) if said else self.info()
        _require(about)
        driver, platforms = self.builder(name)
        return Engine(
            version=about.version,
            native=about.native,
            platforms=platforms,
            driver=driver,
            store=about.store,
        )

    def info(self, seconds: float = PATIENCE) -> Info:
        """Returns what client and engine say of themselves. Raises SurroundingsError where no engine answers."""
        if self._absent:
            raise self._absent
        return _whole(self._told.end(seconds)) if self._told else info(seconds)

    def builder(self, name: str = "", seconds: float = PATIENCE) -> tuple[str, tuple[str, ...]]:
        """Returns a builder's driver and its platforms; as `inspect`, which serves if another one was asked about."""
        if self._absent:
            raise self._absent
        return _inspected(self._looked.end(seconds), name) if name == self._name else inspect(name, seconds)


def info(seconds: float = PATIENCE) -> Info:
    """Asks client and engine for themselves. Raises SurroundingsError where no engine answers."""
    return _whole(ask("docker", *INFO, seconds=seconds))


def serves() -> None:
    """Raises SurroundingsError where no engine answers, and for an engine or a buildx that is missing or too old."""
    _require(info())


def inspect(name: str = "", seconds: float = PATIENCE) -> tuple[str, tuple[str, ...]]:
    """Returns a builder's driver and its platforms, in its own order; "" is the builder in use.

    python-on-whales' own inspect lists all builders, dead ones too, and so takes seconds where one hangs.
    Raises SurroundingsError where the builder is not there or not up.
    """
    return _inspected(ask("docker", *_inspect(name), seconds=seconds), name)


def runs(engine: Engine) -> tuple[str, ...]:
    """Returns the platforms whose containers an engine runs, emulated ones among them.

    A builder elsewhere may have nodes of other platforms; an engine's own builder works where its containers run.
    Raises SurroundingsError where that does not answer.
    """
    if engine.driver in {"docker", "podman"}:
        return engine.platforms
    done = ask("docker", "context", "show", seconds=PATIENCE)
    if not done:
        raise explain(done)
    return inspect(done.out.strip())[1]  # an engine's own builder bears the name of its context


def too_old(about: Info) -> dict[str, str]:
    """Returns what is too old or missing to serve ("engine", "buildx"), each with what to do."""
    found = {
        "engine": ("Docker Engine", about.version, OLDEST_ENGINE),
        "buildx": ("buildx", about.buildx, OLDEST_BUILDX),
    }
    return {
        key: f"{what} {version} is too old: {dotted(oldest)} or newer is needed" if version else NO_BUILDX
        for key, (what, version, oldest) in found.items()
        if version is not None and (not version or is_older(version, oldest))
    }


def _require(about: Info) -> None:
    for problem in too_old(about).values():
        raise SurroundingsError(problem)


def _inspect(name: str) -> list[str]:
    return ["buildx", "inspect", *([name] if name else [])]


def _whole(done: Done) -> Info:
    try:
        said: dict[str, Any] = json.loads(done.out)
    except ValueError:
        said = {}
    if done.late or not said.get("ServerVersion"):
        raise explain(done)
    plugins = (said.get("ClientInfo") or {}).get("Plugins") or []
    buildx = next((str(one.get("Version", "")) for one in plugins if one.get("Name") == "buildx"), "")
    return replace(_info(said), buildx=buildx.removeprefix("v"))


def _info(said: Mapping[str, Any]) -> Info:
    """Reads what the engine says: https://docs.docker.com/reference/api/engine/version/v1.45/#tag/System."""
    status = dict(pair for pair in said.get("DriverStatus") or [] if len(pair) == 2)
    return Info(
        version=said["ServerVersion"],
        buildx=None,
        native=_native(said.get("OSType") or "linux", said.get("Architecture") or "x86_64"),
        store="containerd" if status.get("driver-type") == CONTAINERD else "classic",
        folder=said.get("DockerRootDir") or "",
    )


def _inspected(done: Done, name: str) -> tuple[str, tuple[str, ...]]:
    driver = re.search(r"^Driver:[ \t]*(\S+)", done.out, re.MULTILINE)
    lines = re.findall(r"^Platforms:[ \t]*(.+)$", done.out, re.MULTILINE)
    problem = re.search(r"^Error:[ \t]*(.+)$", done.out, re.MULTILINE)
    if not done or problem or not driver:
        # A builder that does not answer is told on stdout, with status 0.
        raise explain(Done(done.status, "", problem[1] if problem else done.err, done.late), name)
    found = dict.fromkeys(word.strip(" *") for line in lines for word in line.split(","))
    if not found:
        raise SurroundingsError(f'the builder "{name or "in use"}" is not up; `inv builder` starts it.')
    return driver[1], tuple(found)


def _native(system: str, machine: str) -> str:
    names = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7"}
    return f"{system}/{names.get(machine, machine)}"
