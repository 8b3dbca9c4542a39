"""Where the journal is kept while a release is under way: on disk, and in the registry for when the disk dies."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from .. import writing
from ..engine.sweeping import JOURNAL
from ..errors import RefusedError, RegistryError, SurroundingsError
from ..model import Reference
from ..registries import documents
from ..registries.registry import Manifest, Remote
from .content import Place
from .index import is_free, mark, withdrawn
from .journal import Journal
from .looking import is_torn, look
from .withdrawing import withdraw

KIND = "application/vnd.argosy.journal.v1+json"
FILE = "journal.json"


def name(home: Place) -> Reference:
    """Returns the name the journal has in the registry."""
    return Reference(home.host, home.repository, JOURNAL)


def write(folder: Path, journal: Journal) -> Path:
    """Puts the journal on disk, synced. Raises SurroundingsError if it cannot be; then nothing is left of it."""
    target = folder / FILE
    try:
        writing.write(target, journal.dumps())
    except OSError as error:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)
        raise SurroundingsError(
            f"the journal cannot be written to {target}: {error.strerror or error}. "
            "Free some room, or set XDG_STATE_HOME to a folder that has it."
        ) from None
    return target


def publish(clients: Mapping[str, Remote], journal: Journal, *, mend: bool = False) -> None:
    """Puts the journal into the registry, with `mend` also over one that can no longer be read.

    Raises RefusedError if another release's is there, RegistryError where it cannot be put, or not over another
    manifest: then no name could be put back.
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
    manifest = documents.upload(remote, where.repository, KIND, journal.dumps(), annotations=about)
    try:
        if there is None:
            # No registry tells whether tags can be moved there, and one that could not be put back must not be moved.
            remote.put(where.repository, where.tag, withdrawn(f"{journal.id} {where}"))
        remote.put(where.repository, where.tag, manifest)
    except RegistryError as error:
        if there is not None or not 400 <= (error.status or 0) < 500 or look(clients, where) is None:
            raise
        raise RegistryError(
            f"{error}\nA manifest stands at {where}, and {remote.host} takes no other there: if tags cannot be moved, "
            "none could be put back. Where that is wanted, list the registry in release.permanent.",
            error.status,
        ) from None


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
    data = documents.download(clients[home.host], home.repository, manifest, KIND)
    if data is None:
        raise SurroundingsError(
            f"{where} is no journal of ours. Take that tag away; Argosy keeps its journal there."
        )
    return Journal.loads(data, str(where))


def close(folder: Path, clients: Mapping[str, Remote], journal: Journal) -> None:
    """Takes the journal away, first from the registry, then from disk. Raises RegistryError if it stays there."""
    where = name(journal.home)
    remote = clients[where.host]
    try:
        manifest = look(clients, where)
    except RegistryError as error:
        if not is_torn(error):
            raise
        withdraw(clients, where, journal.id)
        manifest = None
    if manifest is not None and _is_of(journal, manifest, remote):
        # No other name stands at it, so nothing need be written over it first.
        with contextlib.suppress(RegistryError):
            remote.delete(where.repository, manifest.digest)
        if not is_free(look(clients, where)):
            withdraw(clients, where, journal.id)
    forget(folder)


def _is_of(journal: Journal, manifest: Manifest, remote: Remote) -> bool:
    """Whether what stands at a journal's name is this one, or what was put there to try the name."""
    if is_free(manifest):
        return mark(manifest).startswith(journal.id)
    data = documents.download(remote, journal.home.repository, manifest, KIND)
    return data is not None and Journal.loads(data, str(name(journal.home))).id == journal.id


def forget(folder: Path) -> None:
    """Removes the journal from disk."""
    with contextlib.suppress(FileNotFoundError):
        (folder / FILE).unlink()
        writing.sync_folder(folder)


def said(journal: Journal, where: str) -> str:
    """Returns the sentence for a journal that was found."""
    return f"{journal.what}, begun {journal.started}, did not end (journal: {where}).\n{journal.ways}"
