"""Where one checkout's engine lives. Only names and paths: it looks at nothing but the checkout's own path."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

STATE = Path("/var/lib/argosy")
STORES = ("containerd", "classic")


def cache() -> Path:
    """Returns the folder that all checkouts of this user share for downloads."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "argosy"


@dataclass(frozen=True, slots=True)
class Place:
    """The folders and names of one engine.

    A checkout is known by a hash of its real path, so that a moved or copied checkout has an engine of its own.
    Sockets and process ids are under /run because a socket path over 107 bytes fails; data is under /var/lib,
    outside the checkout, so that it never becomes build context.
    """

    key: str
    store: str

    @classmethod
    def of(cls, checkout: Path, store: str = "containerd") -> Place:
        """Returns the place of the engine of this checkout with this image store."""
        path = os.fsencode(checkout.resolve())
        return cls(hashlib.sha256(path).hexdigest()[:8], store)

    @property
    def name(self) -> str:
        """The engine's word among the checkout's files: `engine`, or `classic` for the second one."""
        return "engine" if self.store == "containerd" else "classic"

    @property
    def run(self) -> Path:
        """Sockets and process ids of the whole checkout."""
        return Path("/run") / f"argosy-{self.key}"

    @property
    def data(self) -> Path:
        """Everything of the checkout that is kept between runs."""
        return STATE / self.key

    @property
    def lock(self) -> Path:
        """Held while something of this checkout is started or stopped."""
        return STATE / f"{self.key}.lock"

    @property
    def socket(self) -> Path:
        """The Engine API."""
        return self.run / f"{self.name}.sock"

    @property
    def host(self) -> str:
        """The Engine API as DOCKER_HOST wants it."""
        return f"unix://{self.socket}"

    @property
    def pidfile(self) -> Path:
        """The process id of dockerd."""
        return self.run / f"{self.name}.pid"

    @property
    def exec_root(self) -> Path:
        """Run-time state of dockerd and containerd."""
        return self.run / self.name

    @property
    def data_root(self) -> Path:
        """Images, containers and the build cache."""
        return self.data / self.name

    @property
    def config(self) -> Path:
        """The configuration of dockerd (daemon.json)."""
        return self.data / f"{self.name}.json"

    @property
    def log(self) -> Path:
        """The output of dockerd and containerd."""
        return self.data / "logs" / f"{self.name}.log"

    @property
    def bridge(self) -> str:
        """The network bridge; the kernel allows 15 characters."""
        return f"argosy{self.key}" + ("c" if self.store == "classic" else "")

    @property
    def mark(self) -> str:
        """Its name among what the machine shares: the control group of all its containers, the mark of its rules."""
        return f"argosy-{self.key}-{self.name}"

    @property
    def docker_config(self) -> Path:
        """The client's DOCKER_CONFIG: plugins and nothing of the user's."""
        return self.data / "docker-config"

    @property
    def path(self) -> Path:
        """The folder that `env` puts in front of PATH: the docker client alone."""
        return self.data / "bin"

    @property
    def daemon_path(self) -> Path:
        """The folder in front of dockerd's own PATH."""
        return self.data / "sbin"
