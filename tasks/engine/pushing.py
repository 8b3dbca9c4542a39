"""Names in registries, everyday way: permission asked first, then (when all is built) the names moved.

A name that a release made is not moved unless that is asked for. The transaction that makes names fit to be
relied upon is a release's; this is the plain push that people make all day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial

from ..errors import IncompleteError, RefusedError, SurroundingsError
from ..model import HUB, Reference
from ..planning.plan import Plan, PlannedImage
from ..registries import registry
from ..registries.moved import Moved, point
from .publishing import INDEX, Clients, Content, index

THREADS = 8


@dataclass(frozen=True, slots=True)
class _Name:
    """One name to be moved, the manifest it is to stand at, the one it stands at now."""

    reference: Reference
    remote: registry.Remote
    new: registry.Manifest
    old: registry.Manifest | None


def pushed(plan: Plan) -> tuple[PlannedImage, ...]:
    """The plan's images that get names in a registry."""
    return tuple(image for image in plan.selected if image.publish)


def check_permission(plan: Plan, clients: Clients) -> None:
    """Asks every repository whether it may be pushed to. Raises SurroundingsError with all that refuse."""
    places = sorted({(r.registry or HUB, r.repository) for image in pushed(plan) for r in image.published})
    hosts = sorted({host for host, _ in places})
    with ThreadPoolExecutor(THREADS) as pool:
        refusals = dict(
            zip(hosts, pool.map(lambda host: _refused(clients[host].reachable), hosts), strict=True)
        )
        asked = [(host, repository) for host, repository in places if not refusals[host]]
        denied = list(pool.map(lambda place: _refused(partial(clients[place[0]].may_push, place[1])), asked))
    said = [text for text in dict.fromkeys([*refusals.values(), *denied]) if text]
    if said:
        raise SurroundingsError("\n".join(said))


def _refused(ask: Callable[[], None]) -> str:
    """Returns what a registry answers to a question if it refuses, "" if it does not."""
    try:
        ask()
    except SurroundingsError as error:
        return str(error)
    return ""


def name_all(
    plan: Plan, contents: Mapping[str, Mapping[Reference, Content]], clients: Clients, *, overwrite: bool
) -> tuple[Moved, ...]:
    """Moves every name of the plan to what is there (publishing.settle). Reads first; then moves.

    Raises RefusedError, before the first name moves, for names that a release made; IncompleteError if the
    registry fails half-way or Ctrl-C is pressed.
    """
    new = {
        (name, place): index(found) for name, places in contents.items() for place, found in places.items()
    }
    wanted = [
        (reference, new[image.name, replace(reference, tag="")])
        for image in pushed(plan)
        for reference in image.published
    ]
    with ThreadPoolExecutor(THREADS) as pool:
        indexes = [(place, found) for (_, place), found in new.items() if found.media_type == INDEX]
        list(pool.map(lambda one: _put(one[0], one[1], clients), indexes))
        names = list(pool.map(lambda one: _look(one[0], one[1], clients), wanted))
        refused = [] if overwrite else [name for name in names if _is_released(name)]
        if refused:
            raise RefusedError(_refusal(refused))
        moves = [pool.submit(point, n.remote, n.reference.repository, n.new, n.reference.tag) for n in names]
        interrupted = _settled(moves)
    failed = ["interrupted" if move.cancelled() else str(move.exception() or "") for move in moves]
    if interrupted or any(failed):
        raise IncompleteError(_incomplete(names, failed))
    return tuple(move.result() for move in moves)


def _settled(moves: Sequence[Future[Moved]]) -> bool:
    """Waits for all moves; Ctrl-C ends those that have not begun. Returns whether it was pressed."""
    try:
        wait(moves)
    except KeyboardInterrupt:
        for move in moves:
            move.cancel()
        wait(moves)
        return True
    return False


def _put(place: Reference, new: registry.Manifest, clients: Clients) -> None:
    clients[place.registry or HUB].put(place.repository, new.digest, new)


def _look(reference: Reference, new: registry.Manifest, clients: Clients) -> _Name:
    remote = clients[reference.registry or HUB]
    return _Name(reference, remote, new, remote.manifest(reference.repository, reference.tag))


def _is_released(name: _Name) -> bool:
    return name.old is not None and name.old.digest != name.new.digest and bool(registry.released(name.old))


def _refusal(names: Iterable[_Name]) -> str:
    lines = [
        f"  {name.reference}: stands at {name.old.digest} (release {registry.released(name.old)}), "
        f"would move to {name.new.digest}"
        for name in names
        if name.old
    ]
    return "\n".join(
        [
            "these names were made by a release and no name was moved:",
            *lines,
            "Push under another tag (--tags), release a new version, or move them all the same with --overwrite.",
        ]
    )


def _incomplete(names: Sequence[_Name], failed: Sequence[str]) -> str:
    pairs = list(zip(names, failed, strict=True))
    return "\n".join(
        [
            "some names were moved and others not; `inv push` again completes it:",
            *(f"  moved      {name.reference} -> {name.new.digest}" for name, error in pairs if not error),
            *(f"  not moved  {name.reference}: {error}" for name, error in pairs if error),
        ]
    )
