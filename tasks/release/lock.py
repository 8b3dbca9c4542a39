"""One release at a time: by a git ref where the remote takes a push, else by a file on this machine alone.

No registry offers a lock, nor a write on condition. The journal that a release finds is no lock either: two
may look at the same moment.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ..engine import gitrefs
from ..errors import RefusedError, SurroundingsError
from .journal import Journal

TIME = "%Y-%m-%dT%H:%M:%SZ"
SILENT = timedelta(minutes=30)
"""A release that took its lock and began to move names longer ago than this is dead: names move within seconds."""
TRIES = 3
_SAID = re.compile(
    r"(?P<what>.+) is under way: process (?P<process>\d+) on (?P<host>\S+) since (?P<since>\S+)"
)
_ALONE = "so a release from another machine or another checkout is not kept out"


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock while it is held; `commit` is what the ref stands at, "" where a file is all there is."""

    root: Path
    commit: str = ""

    def lost(self) -> str:
        """Returns who has it in our place, "" while it is ours. Raises SurroundingsError where origin cannot tell."""
        if not self.commit or _patiently(self.root) == self.commit:
            return ""
        held = gitrefs.holder(self.root)
        who = held.said or held.object if held else "nobody"
        return f"the lock {gitrefs.LOCK} was taken from us; who has it: {who}"


@dataclass(frozen=True, slots=True)
class Taking:
    """Leave to take over the lock that a dead release has left: the one of this journal. `yes`: a person says it is."""

    journal: Journal
    yes: bool = False

    def may(self, said: str) -> bool:
        """Whether who says this in the lock is that release, and dead."""
        found = self._found(said)
        if not found:
            return False
        return self.yes or _is_gone(found) or _is_silent(found["since"], self.journal.started)

    def is_meant(self, said: str) -> bool:
        """Whether it is that release, dead or alive."""
        return self._found(said) is not None

    def _found(self, said: str) -> re.Match[str] | None:
        found = _SAID.fullmatch(said.strip())
        return found if found and found["what"] == self.journal.release else None


@contextlib.contextmanager
def locked(
    root: Path,
    folder: Path,
    what: str,
    told: Callable[[str, str], None],
    over: Taking | None = None,
    *,
    alone: bool = False,
) -> Iterator[Lock]:
    """Holds the lock; `what` says what for. With `alone` it does without an origin that does not answer.

    Raises RefusedError, saying who, where another release holds it (and may not be taken `over`), and where origin
    does not answer.
    """
    with _file(folder, what):
        commit = _ref(root, what, told, over, alone=alone)
        try:
            yield Lock(root, commit)
        finally:
            if commit and not _given_back(root, commit):
                told("lock", f"{gitrefs.LOCK} stays at origin: git push origin :{gitrefs.LOCK} removes it")


def _given_back(root: Path, commit: str) -> bool:
    """Gives the ref back. Whoever interrupts that ends git's push and no more: what the release came to stands."""
    try:
        return gitrefs.give_back(root, commit)
    except KeyboardInterrupt:
        return gitrefs.give_back(root, commit)


def _ref(root: Path, what: str, told: Callable[[str, str], None], over: Taking | None, *, alone: bool) -> str:
    """Takes the ref; "" where there is none to take."""
    if not gitrefs.origin(root):
        told("lock", f"a file: there is no remote to lock, {_ALONE}")
        return ""
    when = time.strftime(TIME, time.gmtime())
    said = f"{what} is under way: process {os.getpid()} on {here()} since {when}"
    try:
        # Twice: whoever held it may have given it back between our push and our look.
        commit = next(
            filter(None, (gitrefs.take(root, said) or _instead(root, said, over) for _ in range(2))), ""
        )
    except KeyboardInterrupt:
        _forgone(root, said)
        raise
    except SurroundingsError as error:
        if not alone:
            raise RefusedError(
                f"{error}\nSo another release could not be kept out. Try again when it answers. Where releases do "
                'without it, release.git is "tag" or "off"; --resume and --rollback go on without it by --yes.'
            ) from None
        told("lock", f"a file: {error} {_ALONE.capitalize()}")
        return ""
    told("lock", f"{gitrefs.LOCK} at origin" if commit else f"a file: the remote takes no push, {_ALONE}")
    return commit


def _forgone(root: Path, said: str) -> None:
    """Gives back what was taken just when somebody interrupted it."""
    with contextlib.suppress(SurroundingsError):
        held = gitrefs.holder(root)
        if held and held.said.strip() == said:
            _given_back(root, held.object)


def _instead(root: Path, said: str, over: Taking | None) -> str:
    """Takes the lock from a dead release; "" where nobody holds it. Raises RefusedError where somebody does."""
    held = gitrefs.holder(root)
    if held is None:
        return ""
    if held.said.strip() == said:  # a push of ours that landed late
        return held.object
    if over is None or not over.may(held.said):
        way = (
            "If it is dead: --yes takes the lock over."
            if over and over.is_meant(held.said)
            else f"If it is not (any more): git push origin :{gitrefs.LOCK}"
        )
        raise RefusedError(f"another release is under way: {held.said or held.object}.\n{way}")
    commit = gitrefs.take(root, said, instead_of=held.object)
    if not commit:
        raise RefusedError("another release took the lock just now")
    return commit


def _patiently(root: Path) -> str:
    """Returns what the lock stands at; one failed question is no reason to leave a release half-way."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(SurroundingsError):
            return gitrefs.at_origin(root)
        time.sleep(1)
    return gitrefs.at_origin(root)


def here() -> str:
    """Returns where process numbers mean what they mean to us: two containers may have one host name."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        return f"{socket.gethostname()}/{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"
    return socket.gethostname()


def _is_gone(found: re.Match[str]) -> bool:
    """Whether it was a process of this machine, and is no more."""
    if found["host"] != here():
        return False
    try:
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _is_silent(*times: str) -> bool:
    try:
        last = max(datetime.strptime(text, TIME).replace(tzinfo=timezone.utc) for text in times)
    except ValueError:
        return False
    return datetime.now(timezone.utc) - last > SILENT


@contextlib.contextmanager
def _file(folder: Path, what: str) -> Iterator[None]:
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
            os.write(descriptor, f"{what}, process {os.getpid()}".encode())
        yield
    finally:
        os.close(descriptor)
