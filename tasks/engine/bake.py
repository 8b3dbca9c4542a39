"""One call of `docker buildx bake`: its argument list, its process, what it said.

python-on-whales begins the argument list; the process is ours, because a build that is interrupted must be
stopped, and python-on-whales gives no handle on what it starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .processes import unbroken

if TYPE_CHECKING:
    from python_on_whales import DockerClient

GRACE = 1.0
"""Seconds between the interrupt and the kill: together with the rest, Ctrl-C takes less than two."""
# buildx 0.29 asks before it reads outside the working folder; 0.13 knows no such question. The provenance
# that newer ones put into the metadata is read by nobody. Labels made of the commit no address would know of.
ENVIRON = {
    "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
    "BUILDX_METADATA_PROVENANCE": "disabled",
    "BUILDX_GIT_LABELS": "0",
}


class Listener(Protocol):
    """Who hears what bake says: its stderr in pieces of any size, and how it ended (progress.Progress)."""

    def feed(self, text: str) -> None:
        """Takes a piece."""

    def close(self, *, succeeded: bool) -> None:
        """Takes the end."""


@dataclass(frozen=True, slots=True)
class Baked:
    """What one call came to: `metadata` is bake's own, by target, empty if the call failed."""

    succeeded: bool
    metadata: Mapping[str, Any]


def command(docker: DockerClient, file: Path, metadata: Path, builder: str = "") -> list[str]:
    """Returns the argument list."""
    call = docker.client_config.docker_cmd
    call.extend(["buildx", "bake"])
    call.add_simple_arg("--builder", builder or None)
    call.add_simple_arg("--file", str(file))
    call.add_simple_arg("--metadata-file", str(metadata))
    call.add_simple_arg("--progress", "rawjson")
    return [str(word) for word in call]


def run(
    docker: DockerClient, bakefile: Mapping[str, Any], root: Path, progress: Listener, builder: str = ""
) -> Baked:
    """Bakes and feeds `progress` as it goes; a build that fails is an answer, not an exception.

    Whatever exception passes through (KeyboardInterrupt above all), buildx has ended before it goes on.
    Raises OSError where the bake file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
        file, metadata = Path(folder, "bake.json"), Path(folder, "metadata.json")
        file.write_text(json.dumps(bakefile), encoding="utf-8")
        process: subprocess.Popen[bytes] | None = None
        try:
            # An exception out of the middle of a start would leave a build that nobody knows of.
            with unbroken():
                process = subprocess.Popen(
                    command(docker, file, metadata, builder),
                    cwd=root,
                    env={
                        **os.environ,
                        **ENVIRON,
                        "TMPDIR": folder,
                    },  # buildx leaves things there when it is interrupted
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on
                )
            _follow(process, progress)
            status = process.wait()
        except BaseException:
            if process:
                _stop(process)
            progress.close(succeeded=False)
            raise
        finally:
            if process and process.stderr:
                process.stderr.close()
        progress.close(succeeded=status == 0)
        found = json.loads(metadata.read_text(encoding="utf-8")) if status == 0 and metadata.exists() else {}
        return Baked(status == 0, found)


def _follow(process: subprocess.Popen[bytes], progress: Listener) -> None:
    if process.stderr is None:
        raise RuntimeError("bake was started without a pipe to read")
    stream = process.stderr.fileno()
    tail = b""
    while piece := os.read(stream, 1 << 16):
        # A character may be cut in two; what is complete up to the last line end is decoded.
        whole, newline, tail = (tail + piece).rpartition(b"\n")
        progress.feed((whole + newline).decode(errors="replace"))
    progress.feed(tail.decode(errors="replace"))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupts buildx, then kills it: all of its process group, and however often Ctrl-C is pressed."""
    try:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
            deadline = time.monotonic() + GRACE
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
