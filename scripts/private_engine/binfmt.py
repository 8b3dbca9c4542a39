"""Handlers by which the kernel runs programs of foreign platforms under QEMU.

What a handler looks for stands in files of the qemu-user package. Ours carry our name, and the F flag: the kernel
holds the emulator open, so it works inside every container. The table belongs to the whole machine: what others
registered is neither replaced nor taken away.
"""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

from .problem import ProblemError

TABLE = Path("/proc/sys/fs/binfmt_misc")
PREFIX = "argosy-"
EMULATORS = {
    "linux/amd64": "x86_64",
    "linux/arm64": "aarch64",
    "linux/arm/v7": "arm",
    "linux/riscv64": "riscv64",
    "linux/ppc64le": "ppc64le",
    "linux/s390x": "s390x",
}


def emulators(platform: str) -> list[str]:
    """Returns QEMU's words for the platforms that a machine of this platform needs it for."""
    return [word for other, word in EMULATORS.items() if other != platform]


def packed(platform: str) -> list[str]:
    """Returns the files that are needed of the qemu-user package."""
    patterns = (
        "./usr/bin/qemu-{}",
        "./usr/libexec/qemu-binfmt/{}-binfmt-P",
        "./usr/share/qemu/binfmt.d/qemu-{}.conf",
    )
    return [pattern.format(word) for word in emulators(platform) for pattern in patterns]


def is_mounted() -> bool:
    """Whether the kernel's table can be reached."""
    return (TABLE / "register").exists()


def _mount() -> None:
    command = ["mount", "-t", "binfmt_misc", "binfmt_misc", str(TABLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProblemError(
            f"{TABLE} could not be mounted: {done.stderr.strip()}\n"
            "Foreign platforms need a kernel with binfmt_misc (CONFIG_BINFMT_MISC); try `modprobe binfmt_misc`."
        )


def entries() -> dict[str, str]:
    """Returns the kernel's handlers: name -> its own description."""
    found = {}
    for path in TABLE.iterdir() if is_mounted() else ():
        if path.name not in {"register", "status"}:
            with contextlib.suppress(OSError):
                found[path.name] = path.read_text(encoding="utf-8")
    return found


def _serves(entry: str, magic: str) -> bool:
    lines = entry.splitlines()
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    return lines[0] == "enabled" and "F" in flags and f"magic {magic}" in lines


def register(platform: str, programs: Path) -> bool:
    """Registers what no other handler serves already; returns whether the table had to be mounted for this."""
    absent = not is_mounted()
    if absent:
        _mount()
    there = entries()
    for word in emulators(platform):
        text = (programs / f"usr/share/qemu/binfmt.d/qemu-{word}.conf").read_text(encoding="utf-8").strip()
        # :name:type:offset:magic:mask:interpreter:flags, magic and mask written as \x7f\x45...
        _, name, kind, offset, magic, mask, interpreter, flags = text.split(":")
        if any(_serves(entry, magic.replace("\\x", "")) for entry in there.values()):
            continue
        own = PREFIX + name
        if own in there:
            (TABLE / own).write_text("-1")
        line = ":".join(("", own, kind, offset, magic, mask, f"{programs}{interpreter}", flags))
        (TABLE / "register").write_text(line)
    return absent


def withdraw(unmount: bool) -> None:
    """Takes away our own handlers, and the mount where it was made for them and nobody else's handler is left."""
    for name in entries():
        if name.startswith(PREFIX):
            with contextlib.suppress(OSError):
                (TABLE / name).write_text("-1")
    if unmount and is_mounted() and not entries():
        subprocess.run(["umount", str(TABLE)], capture_output=True, check=False)
