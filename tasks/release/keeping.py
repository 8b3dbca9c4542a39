"""Where the journal is kept while a release is under way: on disk, and in the registry for when the disk dies.

A journal that is found is a release that did not end: nobody starts another one over it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ..engine.sweeping import JOURNAL
from ..engine.together import together
from ..errors import RefusedError, RegistryError, SurroundingsError
from ..model import HUB, Reference
from ..registries.registry import Manifest, Remote
from . import artifact
from .content import Place
from .index import is_free
from .journal import Journal
from .looking import is_torn, look
from .withdrawing import withdraw

KIND = "application/vnd.argosy.journal.v1+json"
TAG = JOURNAL
FILE = "journal.json"

Told = Callable[[str, str], None]


def _unheard(_step: str, _text: str) -> None:
    pass


def name(home: Place) -> Reference:
    """Returns the name the journal has in the registry."""
    return Reference(home.host, home.repository, TAG)


def write(folder: Path, journal: Journal) -> Path:
    """Puts the journal on disk, synced. Raises SurroundingsError if it cannot be; then nothing is left of it."""
    target = folder / FILE
    temporary = target.with_suffix(".new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(journal.dumps())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        _sync(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
        raise SurroundingsError(
            f"the journal cannot be written to {target}: {error.strerror or error}. "
            "Free some room, or set XDG_STATE_HOME to a folder that has it."
        ) from None
    return target


def publish(clients: Mapping[str, Remote], journal: Journal, *, mend: bool = False) -> None:
    """Puts the journal into the registry, with `mend` also over one that can no longer be read.

    Raises RefusedError if another release's is there.
    """
    try:
        there = read(clients, journal.home)
    except RegistryError as error:
        if not (mend and is_torn(error)):
            raise
        there = None
    if there is not None and there.id != journal.id:
        raise RefusedError(said(there, str(name(journal.home))))
    remote, where = clients[journal.home.host], name(journal.home)
    about = {"dev.argosy.journal": journal.id, "org.opencontainers.image.version": journal.tag}
    manifest = artifact.upload(remote, where.repository, KIND, journal.dumps(), about)
    remote.put(where.repository, where.tag, manifest)


def load(folder: Path) -> Journal | None:
    """Returns the journal on disk."""
    try:
        return Journal.loads((folder / FILE).read_bytes(), str(folder / FILE))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SurroundingsError(f"{folder / FILE} cannot be read: {error.strerror}.") from None


def ensure(folder: Path, journal: Journal) -> None:
    """Puts the journal on disk unless it is there. Raises as `write`."""
    with contextlib.suppress(SurroundingsError):  # one that cannot be read is not there
        if (here := load(folder)) is not None and here.id == journal.id:
            return
    write(folder, journal)


def read(clients: Mapping[str, Remote], home: Place) -> Journal | None:
    """Returns the journal in the registry."""
    where = name(home)
    manifest = look(clients, where)
    if manifest is None or is_free(manifest):
        return None
    data = artifact.download(clients[home.host], home.repository, manifest, KIND)
    if data is None:
        raise SurroundingsError(
            f"{where} is no journal of ours. Take that tag away; Argosy keeps its journal there."
        )
    return Journal.loads(data, str(where))


def find(
    folder: Path, clients: Mapping[str, Remote], home: Place, told: Told = _unheard, *, mend: bool = False
) -> Journal | None:
    """Returns the journal of a release that did not end, from disk or else from the registry.

    A journal on disk that its registry does not have (any more) is of a release that moved nothing yet, or that was
    ended from another machine: it is put away if the names say so too. So this is asked under the lock only. Raises
    RefusedError where both hold one, they are of different releases, and neither is over; and for one that is torn in
    the registry and not on disk: `mend` takes it away.
    """
    try:
        here = load(folder)
    except SurroundingsError:
        if (there := read(clients, home)) is None:
            raise
        return there
    if here is None:
        return _alone(folder, clients, home, told, mend=mend)
    if here.home.host not in clients:
        return here
    try:
        there = read(clients, here.home)
    except RegistryError as error:
        if not is_torn(error):
            raise
        return here
    if there is not None and there.id == here.id:
        return here
    if is_over(here, clients):
        forget(folder)
        told("journal", f"{folder / FILE} was of {here.what}, which is over: it is put away")
        return read(clients, home)
    if there is None:
        return here
    raise RefusedError(
        f"two releases did not end: {said(here, str(folder / FILE))}\n{said(there, str(name(here.home)))}\n"
        "End the second one first, from another checkout, then the first from this one."
    )


def _alone(
    folder: Path, clients: Mapping[str, Remote], home: Place, told: Told, *, mend: bool
) -> Journal | None:
    """Returns the registry's journal, where there is none on disk to write a torn one again from."""
    try:
        return read(clients, home)
    except RegistryError as error:
        if not is_torn(error):
            raise
        if not mend:
            raise RefusedError(
                f"the journal {name(home)} cannot be read, and {folder} has none: {error}\nIts registry was killed "
                "while a release wrote it. If that release was another machine's, end it there. If no machine has its "
                "journal, it had moved no name yet, or was over: --resume --yes takes the torn one away."
            ) from None
    withdraw(clients, name(home), "torn")
    told("journal", f"{name(home)} could not be read, and is taken away")
    return None


def glance(folder: Path, clients: Mapping[str, Remote], home: Place) -> Journal | None:
    """Returns the journal in the registry, or else on disk. Without the lock it may be a live release's."""
    looks: tuple[Callable[[], Journal | None], ...] = (lambda: read(clients, home), lambda: load(folder))
    for seen in looks:
        with contextlib.suppress(
            SurroundingsError
        ):  # torn, perhaps: under the lock it is looked at with more care
            if (found := seen()) is not None:
                return found
    return None


def is_over(journal: Journal, clients: Mapping[str, Remote]) -> bool:
    """Whether a release without a journal in the registry is half-way no more: it is recorded, or has no name.

    A registry's own clean-up may have removed the journal; that a name stands at what the release wanted and no
    record does tells it.
    """
    if any((move.reference.registry or HUB) not in clients for move in journal.every):
        return False
    try:
        record, *nows = together(
            lambda move: _digest(look(clients, move.reference)), (journal.record, *journal.moves)
        )
    except RegistryError as error:
        if not is_torn(error):
            raise
        return False
    if record != _digest(journal.record.old):
        return True
    moves = zip(journal.moves, nows, strict=True)
    return not any(now == move.new.digest != _digest(move.old) for move, now in moves)


def _digest(manifest: Manifest | None) -> str:
    return "" if manifest is None or is_free(manifest) else manifest.digest


def close(folder: Path, clients: Mapping[str, Remote], journal: Journal) -> None:
    """Takes the journal away, first from the registry, then from disk. Raises RegistryError if it stays there."""
    where = name(journal.home)
    remote = clients[where.registry or HUB]
    try:
        manifest = look(clients, where)
    except RegistryError as error:
        if not is_torn(error):
            raise
        withdraw(clients, where, journal.id)
        manifest = None
    if manifest is not None and not is_free(manifest):
        data = artifact.download(remote, where.repository, manifest, KIND)
        if data is None or Journal.loads(data, str(where)).id == journal.id:
            withdraw(clients, where, journal.id)
            if not is_free(look(clients, where)):
                raise RegistryError(f"the journal {where} cannot be taken away")
    forget(folder)


def forget(folder: Path) -> None:
    """Removes the journal from disk."""
    with contextlib.suppress(FileNotFoundError):
        (folder / FILE).unlink()
        _sync(folder)


def said(journal: Journal, where: str) -> str:
    """Returns the sentence for a journal that was found."""
    return f"{journal.what}, begun {journal.started}, did not end (journal: {where}).\n{journal.ways}"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
