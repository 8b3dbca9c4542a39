"""A release that did not end: found, completed or taken back, on whichever machine, and what another has ended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Timer

import pytest

from tasks.errors import IncompleteError, RefusedError
from tasks.release import ending, finding, keeping, looking, moving, record, rolling, transaction, undoing
from tests import harbourmaster
from tests.conftest import PrivateEngine
from tests.harbourmaster import INDEX
from tests.saboteur import Fault
from tests.world import TAGS, World, world

pytestmark = pytest.mark.engine


@pytest.fixture
def harbour(engine: PrivateEngine, tmp_path: Path) -> Iterator[World]:
    yield from world(engine, tmp_path, delete=True)


def somebody_else_moves(harbour: World, tag: str) -> str:
    """Returns what a name of the image api stands at then."""
    others = {"schemaVersion": 2, "mediaType": INDEX, "annotations": {"by": "somebody"}}
    others["manifests"] = harbourmaster.image(harbour.direct, "fleet/api", "theirs")
    return str(harbour.direct.put("fleet/api", tag, others, INDEX)["digest"])


def elsewhere(harbour: World) -> str:
    """A second machine: it has nothing of the first one's disk."""
    shutil.rmtree(harbour.folder / "elsewhere", ignore_errors=True)
    return "elsewhere"


def test_what_another_machine_has_completed_is_put_away_here(harbour: World) -> None:
    order = harbour.order("api", "worker")
    journal = harbour.stays_unfinished(order)
    ending.resume(journal, harbour.voyage(elsewhere(harbour)))
    later = harbour.order("api", tag="v1.3.0")
    later = replace(later, named=tuple(replace(one, tags=("v1.3.0", "latest")) for one in later.named))
    harbour.release(later, elsewhere(harbour))
    assert harbour.found(order) is None
    assert any("the release v1.2.0, which is over" in step for step in harbour.steps)
    assert not (harbour.voyage().folder / keeping.FILE).exists()
    assert harbour.stands_at("api", "v1.2.0") == order.named[0].index.digest
    assert harbour.stands_at("api", "latest") == later.named[0].index.digest


def test_what_another_machine_has_taken_back_is_put_away_here(harbour: World) -> None:
    order = harbour.order("api", "worker")
    ending.roll_back(harbour.stays_unfinished(order), harbour.voyage(elsewhere(harbour)))
    assert harbour.found(order) is None
    harbour.release(order)
    assert harbour.stands_at("api", "latest") == order.named[0].index.digest


def test_the_journal_of_a_release_elsewhere_is_found_past_one_that_is_over(harbour: World) -> None:
    order = harbour.order("api", "worker")
    ending.roll_back(harbour.stays_unfinished(order), harbour.voyage(elsewhere(harbour)))
    shutil.copytree(harbour.folder / "state", harbour.folder / "first", dirs_exist_ok=True)
    other = harbour.order("api", tag="v1.3.0")
    theirs = harbour.stays_unfinished(other, "theirs")
    found = harbour.found(order)
    assert found
    assert found.id == theirs.id


def test_of_two_releases_that_did_not_end_each_is_told_where_its_journal_is(harbour: World) -> None:
    """build.toml's first image is another one by now, so that is not where this release's home is."""
    order = harbour.order("api", "worker")
    harbour.stays_unfinished(order)
    link = harbour.running.folder.joinpath(
        "data/docker/registry/v2/repositories", harbour.prefix, "api/_manifests"
    )
    shutil.rmtree(link / "tags/argosy-journal")
    harbour.stays_unfinished(harbour.order("api", tag="v1.3.0"), "theirs")
    voyage = harbour.voyage()
    with pytest.raises(RefusedError, match="two releases did not end") as caught:
        finding.find(
            voyage.folder, voyage.clients, replace(order.home, repository=f"{harbour.prefix}/worker")
        )
    assert "the release v1.3.0, begun " in str(caught.value)
    assert f"(journal: {keeping.name(order.home)})" in str(caught.value)


def test_a_journal_that_a_clean_up_took_from_the_registry_is_found_on_disk(harbour: World) -> None:
    """Names stand and no record does: that the registry has no journal proves nothing then."""
    order = harbour.order("api", "worker")
    journal = harbour.stays_unfinished(order)
    where = keeping.name(order.home)
    kept = harbour.stands_at("api", where.tag)
    assert harbour.direct.ask("DELETE", f"/v2/{where.repository}/manifests/{kept}")[0] == 202
    assert harbour.found(order) == journal
    ending.roll_back(journal, harbour.voyage())
    assert {harbour.stands_at(name, tag) for name in ("api", "worker") for tag in TAGS} == {""}


def test_a_release_that_was_recorded_ends_although_a_later_one_has_moved_its_names(harbour: World) -> None:
    order = harbour.order("api", "worker")
    journal = harbour.stays_unfinished(order)
    where = journal.record.reference
    remote = harbour.voyage().clients[where.registry]
    remote.put(where.repository, where.tag, journal.record.new)
    later = harbour.order("api", tag="v1.3.0")
    remote.put(later.home.repository, later.named[0].index.digest, later.named[0].index)
    remote.put(later.home.repository, "latest", later.named[0].index)
    ending.resume(journal, harbour.voyage())
    assert harbour.found(order) is None
    assert harbour.stands_at("api", "latest") == later.named[0].index.digest


@pytest.mark.parametrize("way", [ending.resume, ending.roll_back])
def test_a_torn_journal_on_disk_is_no_loss_while_the_registry_has_one(harbour: World, way) -> None:
    order = harbour.order("api", "worker")
    journal = harbour.stays_unfinished(order)
    (harbour.voyage().folder / keeping.FILE).write_text('{"schema": 1, "mo')
    with pytest.raises(RefusedError, match="did not end"):
        harbour.release(harbour.order("api", tag="v1.3.0"))
    assert harbour.found(order) == journal
    way(journal, harbour.voyage())
    assert harbour.found(order) is None


def test_whoever_has_lost_the_lock_writes_no_record(harbour: World) -> None:
    """Another machine may be taking the release back at that moment: what stood when it was read may fall again."""
    order = harbour.order("api")
    asked: list[str] = []

    def lost() -> str:
        asked.append("")
        return "" if len(asked) == 1 else "somebody else has the lock"

    voyage = replace(harbour.voyage(), lost=lost)
    planned = transaction.survey(order, voyage)
    with pytest.raises(IncompleteError, match="somebody else has the lock"):
        transaction.publish(order, planned, voyage)
    assert not harbour.stands_at("api", f"argosy-release-{order.tag}")
    journal = harbour.found(order)
    assert journal
    ending.roll_back(journal, harbour.voyage())
    assert {harbour.stands_at("api", tag) for tag in TAGS} == {""}


def test_whoever_has_lost_the_lock_while_building_moves_nothing(harbour: World) -> None:
    order = harbour.order("api")
    voyage = replace(harbour.voyage(), lost=lambda: "somebody else has the lock")
    planned = transaction.survey(order, voyage)
    with pytest.raises(RefusedError, match="somebody else has the lock"):
        transaction.publish(order, planned, voyage)
    assert harbour.found(order) is None
    assert {harbour.stands_at("api", tag) for tag in TAGS} == {""}


def test_whoever_is_interrupted_once_the_journal_is_kept_leaves_none(harbour: World) -> None:
    order = harbour.order("api")

    def told(step: str, _text: str) -> None:
        if step == "journal":
            raise KeyboardInterrupt

    voyage = replace(harbour.voyage(), told=told)
    planned = transaction.survey(order, voyage)
    with pytest.raises(RefusedError, match="interrupted before any name moved"):
        transaction.publish(order, planned, voyage)
    assert not (voyage.folder / keeping.FILE).exists()
    assert not harbour.stands_at("api", "argosy-journal")


def test_taking_back_says_what_somebody_else_has_moved(harbour: World) -> None:
    order = harbour.order("api")
    journal = harbour.stays_unfinished(order)
    theirs = somebody_else_moves(harbour, "latest")
    ending.roll_back(journal, harbour.voyage())
    assert f"as before but these: {order.named[0].place}:latest stands at {theirs}" in harbour.steps[-1]


def test_a_clean_up_between_a_release_and_its_resumption_takes_nothing_that_is_needed(harbour: World) -> None:
    """Nothing names the record's text until the record is written, so a registry may collect it."""
    order = harbour.order("api", "worker")
    journal = harbour.stays_unfinished(order)
    harbour.collects(order.home.repository, harbourmaster.sha(journal.document))
    ending.resume(journal, harbour.voyage())
    assert harbour.stands_at("api", f"argosy-release-{order.tag}")


def test_a_name_that_cannot_be_read_for_a_moment_is_not_written_over(harbour: World) -> None:
    """It may be somebody else's by now."""
    journal = harbour.stays_unfinished(harbour.order("api"))
    theirs = somebody_else_moves(harbour, "latest")
    harbour.sea.calm(harbour.prefix)
    harbour.sea.faults = [Fault(("A", "GET", "api/manifests/latest", nth), "busy") for nth in (1, 2)]
    [latest] = [move for move in journal.moves if move.reference.tag == "latest"]
    clients = harbour.voyage().clients
    assert undoing.back(latest, journal, clients).stuck
    assert harbour.stands_at("api", "latest") == theirs
    assert "by somebody else" in undoing.back(latest, journal, clients).foreign
    assert harbour.stands_at("api", "latest") == theirs


def test_whatever_breaks_while_names_move_they_are_put_back(
    harbour: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a body that is none")

    monkeypatch.setattr(moving, "verified", broken)
    with pytest.raises(RefusedError, match="ValueError: a body that is none"):
        harbour.release(harbour.order("api", "worker"))
    assert {harbour.stands_at(name, tag) for name in ("api", "worker") for tag in TAGS} == {""}


@pytest.mark.parametrize("back", [False, True], ids=["a release", "a way back"])
def test_what_somebody_else_has_moved_meanwhile_keeps_nothing_half_way(harbour: World, back: bool) -> None:
    """A way back has no other way to end, nor has a release whose first names can never be taken away."""
    order = harbour.order("api", "worker")
    harbour.release(order)
    order = harbour.order("api", "worker", tag="v1.3.0")
    if back:
        harbour.release(order)
        clients = harbour.voyage().clients
        found = record.read(clients, order.home, "v1.3.0")
        assert found
        names = rolling.names(found, clients)
        harbour.refuses("api/manifests/argosy-release-v1.3.0")
        with pytest.raises(IncompleteError):
            transaction.carry_out(
                lambda: rolling.journal(found, names, order.home, clients), harbour.voyage()
            )
        journal = harbour.found(order)
        assert journal
    else:
        journal = harbour.stays_unfinished(order)
    theirs = somebody_else_moves(harbour, "latest")
    ending.resume(journal, harbour.voyage())
    assert any("api:latest was moved by somebody else" in step for step in harbour.steps)
    assert harbour.stands_at("api", "latest") == theirs
    assert (harbour.stands_at("api", "1.2") == order.named[0].index.digest) is not back
    assert harbour.found(order) is None


def test_a_name_that_was_to_stay_and_was_moved_meanwhile_is_left_too(harbour: World) -> None:
    """`latest` of an image with the same content stood where the release wanted it."""
    order = harbour.order("worker", "api")
    harbour.release(order)
    later = harbour.order("worker", tag="v1.3.0")
    same = replace(order.named[1], tags=("v1.3.0", "latest"))
    journal = harbour.stays_unfinished(replace(later, named=(later.named[0], same)))
    theirs = somebody_else_moves(harbour, "latest")
    ending.resume(journal, harbour.voyage())
    assert harbour.stands_at("api", "latest") == theirs
    assert harbour.stands_at("api", "v1.3.0") == same.index.digest
    assert harbour.found(order) is None


def test_a_full_version_that_somebody_else_has_moved_is_not_left_to_them(harbour: World) -> None:
    journal = harbour.stays_unfinished(harbour.order("api"))
    somebody_else_moves(harbour, "v1.2.0")
    with pytest.raises(IncompleteError, match="somebody else moved it"):
        ending.resume(journal, harbour.voyage())


def test_an_interruption_while_it_is_looked_whether_all_is_recorded_leaves_it_half_way(
    harbour: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = harbour.stays_unfinished(harbour.order("api"))

    def interrupted(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(transaction, "is_committed", interrupted)
    with pytest.raises(IncompleteError, match="half-way: interrupted"):
        ending.roll_back(journal, harbour.voyage())


@pytest.mark.parametrize("stays", [True, False], ids=["torn", "a bad moment"])
def test_a_journal_is_torn_only_if_it_stays_so(
    harbour: World, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    monkeypatch.setattr(looking, "PAUSES", (0.2, 1.0))
    order = harbour.order("api")
    journal = harbour.stays_unfinished(order)
    harbour.sea.calm(harbour.prefix)
    link = harbour.running.folder.joinpath(
        "data/docker/registry/v2/repositories",
        harbour.prefix,
        "api/_manifests/tags/argosy-journal/current/link",
    )
    written = link.read_text()
    link.write_text("")
    voyage = harbour.voyage(elsewhere(harbour))
    with pytest.raises(RefusedError, match="cannot be read"):
        finding.find(voyage.folder, voyage.clients, order.home)
    if not stays:
        Timer(1.0, link.write_text, [written]).start()
    found = finding.find(voyage.folder, voyage.clients, order.home, mend=True)
    assert found == (None if stays else journal)
    assert bool(harbour.stands_at("api", "argosy-journal")) is not stays


def test_where_no_tag_can_be_moved_that_is_found_before_a_name_is(harbour: World) -> None:
    """Nobody has declared it, and no registry tells: it shows when the journal is put over another manifest."""
    order = harbour.order("api")
    harbour.refuses("api/manifests/argosy-journal", 2)
    with pytest.raises(RefusedError, match=r"takes no other there: (.|\n)*release\.permanent"):
        harbour.release(order)
    assert {harbour.stands_at("api", tag) for tag in (*TAGS, "argosy-journal")} == {""}
    assert harbour.found(order) is None
