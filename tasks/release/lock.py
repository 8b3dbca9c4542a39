"""One release at a time: by a git ref where the remote takes a push, else by a file on this machine alone.

No registry offers a lock, nor a write on condition. The journal that a release finds is no lock either: two
may look at the same moment.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..engine import gitrefs
from ..errors import RefusedError, SurroundingsError


@contextlib.contextmanager
def locked(
    root: Path, folder: Path, tag: str, told: Callable[[str, str], None], *, over: bool = False
) -> Iterator[None]:
    """Holds the lock. With `over` one that a dead release left is taken over (--resume, --rollback).

    Raises RefusedError, saying who, where another release holds it.
    """
    with _file(folder, tag):
        commit = _ref(root, tag, told, over=over)
        try:
            yield
        finally:
            if commit and not gitrefs.give_back(root, commit):
                told("lock", f"{gitrefs.LOCK} stays at origin: git push origin :{gitrefs.LOCK} removes it")


def _ref(root: Path, tag: str, told: Callable[[str, str], None], *, over: bool) -> str:
    """Takes the ref; "" where there is none to take."""
    if not gitrefs.origin(root):
        told("lock", "a file: there is no remote to lock, so a release from another machine is not kept out")
        return ""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    said = f"{tag} is being released by process {os.getpid()} on {socket.gethostname()} since {when}"
    commit = gitrefs.take(root, said)
    if not commit and (held := gitrefs.holder(root)):
        if not over:
            raise RefusedError(
                f"another release is under way: {held.said or held.object}.\n"
                f"If it is not (any more): git push origin :{gitrefs.LOCK}"
            )
        commit = gitrefs.take(root, said, instead_of=held.object)
        if not commit:
            raise RefusedError("another release took the lock just now")
    if not commit:
        told("lock", "a file: the remote takes no push, so a release from another machine is not kept out")
        return ""
    told("lock", f"{gitrefs.LOCK} at origin")
    return commit


@contextlib.contextmanager
def _file(folder: Path, tag: str) -> Iterator[None]:
    """A lock that ends with its process."""
    path = folder / "lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise SurroundingsError(
            f"cannot write to {folder}: {error.strerror}. Set XDG_STATE_HOME to a folder that can be written."
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(descriptor, 200).decode(errors="replace")
            raise RefusedError(f"another release is under way on this machine: {who}") from None
        with contextlib.suppress(OSError):  # who holds it is said to be polite; a full disk does not matter
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{tag}, process {os.getpid()}".encode())
        yield
    finally:
        os.close(descriptor)
