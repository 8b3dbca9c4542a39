"""What an image promises: what is to be seen in it, what it does when it is run, how large it may be.

Values as build.toml has them; texts in them may be templates. None means that nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NON_ROOT = "non-root"
"""As an expected user: anybody but root."""


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """A file or folder that must be there: `mode` in octal ("0755"), `owner` "user[:group]", by name or number.

    `content` is a pattern to be found in it; `static` and `stripped` are about a program's ELF header.
    """

    mode: str | None = None
    owner: str | None = None
    content: str | None = None
    static: bool | None = None
    stripped: bool | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """What is to be seen without running anything: in the image's configuration and in its files.

    `interval` is the health check's, in seconds. `absent` are paths and names of commands.
    """

    user: str | None = None
    ports: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    healthcheck: bool | None = None
    interval: float | None = None
    files: Mapping[str, ExpectedFile] = field(default_factory=dict)
    commands: tuple[str, ...] | None = None
    absent: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a test's container is run; `mounts` are "path:/path[:ro]", paths relative to build.toml.

    `socket` gives it the engine's own socket, and the group that owns that.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    memory: str = ""
    cpus: str = ""
    socket: bool = False


@dataclass(frozen=True, slots=True)
class ImageTest:
    """One test of an image that is run: a command that ends, or a service with what is asked of it in turn.

    `unhealthy` is what takes its service away: a command run in it, () to freeze its main process. Times are in
    seconds; `idle` is in bytes; `platforms` () means all.
    """

    name: str = ""
    run: tuple[str, ...] | None = None
    entrypoint: str | None = None
    http: str | None = None
    port: str = ""
    status: int = 200
    output: str | None = None
    regex: str | None = None
    exit: int = 0
    healthy: bool = False
    idle: float | None = None
    unhealthy: tuple[str, ...] | None = None
    stops: float | None = None
    within: float = 60.0
    compose: str = ""
    service: str = ""
    structure: str = ""
    platforms: tuple[str, ...] = ()
    around: Surroundings = field(default_factory=Surroundings)

    @property
    def serves(self) -> bool:
        """Whether it is a service that is started and asked, and not a command that ends."""
        return bool(self.asked)

    @property
    def asked(self) -> tuple[str, ...]:
        """What is asked of a service, in turn: each is a check of its own, and may be waived by this name."""
        each = (
            ("healthy", self.healthy),
            (f"http {self.http}", self.http is not None),
            ("idle", self.idle is not None),
            ("unhealthy", self.unhealthy is not None),
            ("stops", self.stops is not None),
        )
        return tuple(name for name, wanted in each if wanted)

    @property
    def title(self) -> str:
        """What a table calls it."""
        if self.name:
            return self.name
        if self.structure or self.compose:
            return self.structure or f"{self.compose} {self.http or ''}".strip()
        if not self.serves:
            return " ".join(["run", *(self.run or ())])
        return f"http {self.http}" if self.http is not None else "service"


@dataclass(frozen=True, slots=True)
class Contract:
    """All that an image promises. `size` is (least, most) in MB; `waive` is a check's name -> the reason.

    `inherit` says whether what it stands on lends it its own.
    """

    expect: Expect = field(default_factory=Expect)
    tests: tuple[ImageTest, ...] = ()
    size: tuple[float, float] | None = None
    waive: Mapping[str, str] = field(default_factory=dict)
    inherit: bool = True
