"""What the machine is: its architecture, release and rights. It decides whether a private engine can run here."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from .problem import ProblemError

# Every file comes from this release, pinned: unlike sid's, a stable release's versions do not vanish.
RELEASE = "trixie"
# To see how Argosy does with a newer engine than Debian's stable one: forky's and sid's change under one's feet.
ENGINE_RELEASE = os.environ.get("ARGOSY_ENGINE_RELEASE") or RELEASE
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Debian's word, Docker's word and the multiarch folder for each machine word of the kernel.
ARCHITECTURES = {
    "x86_64": ("amd64", "linux/amd64", "x86_64-linux-gnu"),
    "aarch64": ("arm64", "linux/arm64", "aarch64-linux-gnu"),
}
ADVICE = (
    "Install Docker Engine 24 or newer with buildx (https://docs.docker.com/engine/install/) and start it,",
    "or set DOCKER_HOST to an engine that runs; then run this again.",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """`host_release` is where runc, iptables and tini come from: they must suit the machine's own glibc."""

    architecture: str
    platform: str
    multiarch: str
    host_release: str


def _lacking(reason: str) -> ProblemError:
    return ProblemError("\n".join((f"No private Docker Engine can be started here: {reason}.", *ADVICE)))


def _glibc() -> tuple[int, ...]:
    try:
        words = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
        return tuple(int(part) for part in words[-1].split(".")[:2])
    except (ValueError, IndexError):
        return (0, 0)


def _codename() -> str:
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    except OSError:
        return ""


def this_machine() -> Machine:
    """Returns this machine; raises ProblemError, in three lines, where a private engine cannot run."""
    if platform.system() != "Linux":
        raise _lacking(f"it needs Linux, and this is {platform.system()}")
    if os.geteuid() != 0:
        raise _lacking("it needs root (network, mounts), and this is an ordinary user")
    words = ARCHITECTURES.get(platform.machine())
    if words is None:
        raise _lacking(f"it needs x86-64 or arm64, and this is {platform.machine()}")
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise _lacking("it is made of Debian's packages, and there is no apt here")
    if not KEYRING.exists():
        raise _lacking(f"{KEYRING} is missing, so packages could not be verified (debian-archive-keyring)")
    glibc = _glibc()
    if glibc >= (2, 38):
        return Machine(*words, host_release=RELEASE)
    if glibc >= (2, 34) and _codename() == "bookworm":
        # trixie's runc needs glibc 2.38; its other programs are content with bookworm's 2.36.
        return Machine(*words, host_release="bookworm")
    raise _lacking("it needs Debian 12 or newer, or another system with glibc 2.38 or newer")
