"""Root file systems from Debian's packages: one tar archive per base and architecture."""

from __future__ import annotations

import io
import os
import platform
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

from private_engine import files
from private_engine.machine import ARCHITECTURES, KEYRING
from private_engine.packages import MIRROR, Apt, Package, unpack
from private_engine.problem import ProblemError

from .recipe import RELEASE

# Archives made twice are byte-equal as long as the packages are: nothing is dated later than this day (2025-08-09).
EPOCH = 1754697600

# Package lists are read again after so many seconds.
LISTS_SERVE = 3600

USERS = """\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
GROUPS = """\
root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
www-data:x:33:
staff:x:50:
users:x:100:
nobody:x:65534:
"""
FOLDERS = (
    "bin",
    "dev",
    "etc",
    "home",
    "proc",
    "root",
    "sys",
    "usr",
    "usr/bin",
    "usr/sbin",
    "sbin",
    "var",
    "var/www",
)

# What Docker's Debian images add to a bootstrapped system (debuerreotype's docker-*.sh).
DEBIAN_FILES = {
    "etc/apt/apt.conf.d/docker-clean": """\
DPkg::Post-Invoke { "cd /var/cache/apt && rm -f archives/*.deb archives/partial/*.deb *.bin || true"; };
APT::Update::Post-Invoke { "cd /var/cache/apt && rm -f archives/*.deb archives/partial/*.deb *.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
""",
    "etc/apt/apt.conf.d/docker-gzip-indexes": 'Acquire::GzipIndexes "true";\n',
    "etc/apt/apt.conf.d/docker-no-languages": 'Acquire::Languages "none";\n',
    "etc/apt/apt.conf.d/docker-autoremove-suggests": 'Apt::AutoRemove::SuggestsImportant "false";\n',
    "etc/dpkg/dpkg.cfg.d/docker-apt-speedup": "force-unsafe-io\n",
    "etc/dpkg/dpkg.cfg.d/docker": """\
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
""",
}
POLICY = "#!/bin/sh\n# No service is started inside an image.\nexit 101\n"


def _mirror() -> str:
    return os.environ.get("ARGOSY_DEBIAN_MIRROR", MIRROR)


def _apt(home: Path, architecture: str) -> Apt:
    apt = Apt(home / f"apt-{architecture}", architecture, (RELEASE,))
    read = apt.home / "read"
    with files.locked(home / f"apt-{architecture}.lock"):
        if not read.exists() or time.time() - read.stat().st_mtime > LISTS_SERVE:
            apt.prepare()
            apt.run("update")
            read.touch()
    return apt


def _entry(name: str, kind: bytes, mode: int, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime, entry.linkname = kind, mode, EPOCH, link
    return entry


def _busybox(architecture: str, home: Path, work: Path) -> Path:
    package = Package("busybox-static", RELEASE, ("./usr/bin/busybox",))
    folder = work / architecture
    folder.mkdir(parents=True, exist_ok=True)
    unpack(_apt(home, architecture).fetch([package])[0], package, folder)
    return folder / "usr/bin/busybox"


def busybox(architecture: str, archive: Path, home: Path, work: Path) -> None:
    """Makes Docker Hub's layout: every applet a hard link in /bin, users and groups, a /tmp for all."""
    program = _busybox(architecture, home, work / "wanted")
    # A foreign program cannot be asked everywhere; the same version for this machine has the same applets.
    native = _busybox(ARCHITECTURES[platform.machine()][0], home, work / "native")
    answer = subprocess.run([str(native), "--list"], capture_output=True, text=True, check=True)
    applets = set(answer.stdout.split())
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        for folder in FOLDERS:
            tar.addfile(_entry(folder, tarfile.DIRTYPE, 0o700 if folder == "root" else 0o755))
        tar.addfile(_entry("tmp", tarfile.DIRTYPE, 0o1777))
        _add(tar, "bin/busybox", program.read_bytes(), 0o755)
        for applet in sorted(applets - {"busybox"}):
            tar.addfile(_entry(f"bin/{applet}", tarfile.LNKTYPE, 0o755, "bin/busybox"))
        tar.addfile(_entry("usr/bin/env", tarfile.LNKTYPE, 0o755, "bin/busybox"))
        _add(tar, "etc/passwd", USERS.encode(), 0o644)
        _add(tar, "etc/group", GROUPS.encode(), 0o644)
        shadow = "".join(f"{line.partition(':')[0]}:*:10933:0:99999:7:::\n" for line in USERS.splitlines())
        _add(tar, "etc/shadow", shadow.encode(), 0o640)


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = _entry(name, tarfile.REGTYPE, mode)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def debian(architecture: str, archive: Path, home: Path, work: Path) -> None:
    """Makes Debian's minimal system with mmdebstrap, which is unpacked, not installed."""
    package = Package("mmdebstrap", RELEASE, ("./usr/bin/mmdebstrap", "./usr/bin/mmtarfilter"))
    unpack(_apt(home, architecture).fetch([package])[0], package, work)
    mirror, hooks = _mirror(), []
    parts = (("", RELEASE), ("", f"{RELEASE}-updates"), ("-security", f"{RELEASE}-security"))
    sources = "".join(
        f"Types: deb\nURIs: {mirror}{part}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n\n"
        for part, suite in parts
    )
    added = {**DEBIAN_FILES, "etc/apt/sources.list.d/debian.sources": sources, "usr/sbin/policy-rc.d": POLICY}
    for name, text in added.items():
        local = work / name.replace("/", "_")
        local.write_text(text, encoding="utf-8")
        hooks.append(f"--customize-hook=upload {local} /{name}")
    hooks.append('--customize-hook=chmod 755 "$1/usr/sbin/policy-rc.d"')
    hooks.append('--customize-hook=rm -f "$1/etc/apt/sources.list" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"')
    excluded = (line.replace(" ", "=") for line in DEBIAN_FILES["etc/dpkg/dpkg.cfg.d/docker"].splitlines())
    command = [
        "perl",
        str(work / "usr/bin/mmdebstrap"),
        "--mode=root",
        "--variant=minbase",
        f"--architectures={architecture}",
        # It looks for emulators under Debian's names only; the kernel's table says the truth.
        "--skip=check/qemu",
        *(f"--dpkgopt={line}" for line in (*excluded, "force-unsafe-io")),
        *hooks,
        RELEASE,
        str(archive),
        *(f"deb [signed-by={KEYRING}] {mirror}{part} {suite} main" for part, suite in parts),
    ]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8"}
    environment["PATH"] = f"{work}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin:{os.environ.get('PATH', '')}"
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = "\n".join(f"    {line}" for line in done.stderr.strip().splitlines()[-12:])
        raise ProblemError(f"A Debian root file system for {architecture} could not be made:\n{lines}")


MAKERS: dict[str, Callable[[str, Path, Path, Path], None]] = {"busybox-1": busybox, "debian-3": debian}
