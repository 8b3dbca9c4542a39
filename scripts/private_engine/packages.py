"""Debian's packages: fetched by apt, verified by its signatures, unpacked into a private folder.

Nothing is installed: apt gets a source list, lists, status and cache of its own, and dpkg only unpacks.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import binfmt, files
from .machine import ENGINE_RELEASE, KEYRING, RELEASE, Machine
from .place import cache
from .problem import ProblemError
from .progress import Progress

MIRROR = "http://deb.debian.org/debian"
# What a release signs with, and what shows the attachments it made; both are on the path beside docker.
TOOLS = ("cosign", "oras")
# ctr speaks to containerd itself: it removes a thousand images in the time in which docker removes three.
CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")
LIBRARIES = (
    "libseccomp2",
    "libip4tc2",
    "libip6tc2",
    "libxtables12",
    "libmnl0",
    "libnetfilter-conntrack3",
    "libnfnetlink0",
    "libnftnl11",
)


@dataclass(frozen=True, slots=True)
class Package:
    """One package of one release; `only` are the files taken out of it (tar patterns), all of them by default."""

    name: str
    release: str
    only: tuple[str, ...] = ()


def of_engine(machine: Machine) -> tuple[Package, ...]:
    """Returns what an engine is made of on this machine, the largest first so that unpacking ends early."""
    own = ("runc", "tini", "iptables", *LIBRARIES)
    return (
        Package("qemu-user", RELEASE, tuple(binfmt.packed(machine.platform))),
        Package("containerd", ENGINE_RELEASE, tuple(f"./usr/bin/{name}" for name in CONTAINERD)),
        *(
            Package(name, ENGINE_RELEASE)
            for name in ("docker.io", "docker-buildx", "docker-compose", "docker-cli")
        ),
        *(Package(name, RELEASE) for name in ("docker-registry", *TOOLS)),
        *(Package(name, machine.host_release) for name in own),
    )


@dataclass(frozen=True, slots=True)
class Apt:
    """apt with everything of its own: `home` holds lists, cache and archives, and the machine's stay untouched."""

    home: Path
    architecture: str
    releases: tuple[str, ...]

    def options(self) -> list[str]:
        """Returns the options that keep apt inside `home`."""
        settings = {
            "Dir::Etc::SourceList": self.home / "debian.sources",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": self.home / "lists",
            "Dir::State::Status": self.home / "status",
            "Dir::Cache": self.home / "cache",
            # Docker's Debian images switch this index off, and every call would read the lists anew.
            "Dir::Cache::pkgcache": "pkgcache.bin",
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Sandbox::User": "root",
            "APT::Update::Post-Invoke-Success": "",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
        }
        return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def prepare(self) -> None:
        """Writes the source list; Signed-By makes apt refuse whatever Debian's own keys did not sign."""
        for folder in ("lists/partial", "cache/archives/partial", "archives"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        (self.home / "status").touch()
        lines = (
            "Types: deb",
            f"URIs: {os.environ.get('ARGOSY_DEBIAN_MIRROR', MIRROR)}",
            f"Suites: {' '.join(self.releases)}",
            "Components: main",
            f"Architectures: {self.architecture}",
            f"Signed-By: {KEYRING}",
        )
        files.write(self.home / "debian.sources", "\n".join(lines) + "\n")

    def run(self, *words: str, folder: str = "archives") -> str:
        """Runs apt-get in a folder of `home`; raises ProblemError with its own words on failure."""
        done = subprocess.run(
            ["apt-get", *self.options(), "-q", *words],
            cwd=self.home / folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        # `update` succeeds on a failed download as long as old lists are there: its warnings are failures here.
        if done.returncode != 0 or (
            words[0] == "update" and re.search(r"^(W|E):", done.stderr, re.MULTILINE)
        ):
            lines = (done.stderr or done.stdout).strip().splitlines()
            # What apt calls an error says what is wrong; the lines below it are digests and the like.
            said = [line for line in lines if line.startswith(("E:", "W:"))] or lines
            raise ProblemError(
                f"apt-get {' '.join(words)} failed (packages of Debian {' and '.join(self.releases)}):\n"
                + "\n".join(f"    {line}" for line in said[-8:])
                + "\nCheck the network and any proxy; ARGOSY_DEBIAN_MIRROR names another mirror. Then run this again."
            )
        return done.stdout

    def fetch(self, packages: Sequence[Package]) -> list[Path]:
        """Returns the packages' verified .deb files; what is there with the right digest is not fetched again."""
        words = [f"{package.name}/{package.release}" for package in packages]
        # Lines are: 'URI' name size digest. Where the file is there already apt prints none: hence the other folder.
        lines = self.run("download", "--print-uris", *words, folder="cache").splitlines()
        names = [line.split()[1] for line in lines if line.startswith("'")]
        self.run("download", *words)
        return [
            self.home / "archives" / next(name for name in names if name.startswith(f"{package.name}_"))
            for package in packages
        ]


def unpack(archive: Path, package: Package, into: Path) -> None:
    """Puts the package's files into a folder; raises ProblemError where that fails (a full disk, say)."""
    reader = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE)
    command = ["tar", "-x", "-C", str(into), "--no-same-owner", *package.only]
    done = subprocess.run(command, stdin=reader.stdout, capture_output=True, text=True, check=False)
    if reader.stdout is not None:
        reader.stdout.close()
    # With chosen files tar may end before dpkg-deb does, which then dies of a closed pipe.
    if done.returncode != 0 or (reader.wait() != 0 and not package.only):
        raise ProblemError(
            f"{archive} could not be unpacked:\n    {done.stderr.strip()}\nIs the disk full? Then run this again."
        )


def _size(archive: Path) -> str:
    size = archive.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def programs(machine: Machine, progress: Progress, wanted: Sequence[Package] = ()) -> Path:
    """Returns the folder with unpacked programs (the engine's, or those `wanted`), made where it is not there yet.

    All checkouts share it. It appears by one rename, so that an interrupted download leaves nothing half-unpacked.
    """
    wanted = tuple(wanted or of_engine(machine))
    digest = hashlib.sha256(repr(wanted).encode()).hexdigest()[:10]
    home = cache() / "packages"
    tree = home / f"programs-{machine.architecture}-{digest}"
    if tree.is_dir():
        return tree
    with files.locked(home / "lock"):
        if tree.is_dir():
            return tree
        for stale in home.glob(".unpacking-*"):
            shutil.rmtree(stale, ignore_errors=True)
        apt = Apt(home, machine.architecture, tuple(dict.fromkeys(package.release for package in wanted)))
        apt.prepare()
        progress.step(
            f"reading Debian's package lists ({', '.join(apt.releases)}), verified by apt's signatures"
        )
        apt.run("update")
        temporary = home / f".unpacking-{os.getpid()}"
        temporary.mkdir()

        def bring(batch: tuple[Package, ...]) -> None:
            for package, archive in zip(batch, apt.fetch(batch), strict=True):
                unpack(archive, package, temporary)
                version = archive.name.split("_")[1].replace("%3a", ":")
                progress.step(f"{package.name} {version} ({_size(archive)}, {package.release})")

        # The large ones one by one, so that unpacking runs beside fetching; the small ones in one go.
        large = [(package,) for package in wanted if not package.name.startswith("lib")]
        batches = (*large, tuple(package for package in wanted if package.name.startswith("lib")))
        try:
            with ThreadPoolExecutor(max_workers=3) as pool:
                jobs = [pool.submit(bring, batch) for batch in batches]
                try:
                    for job in jobs:
                        job.result()
                except BaseException:
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise
            temporary.rename(tree)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return tree
