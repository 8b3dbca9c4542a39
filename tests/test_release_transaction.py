"""The transaction where registries differ: deletion off, tags that stay for ever, somebody else's hand; its cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.errors import IncompleteError, RefusedError
from tasks.release import ending, finding, keeping, record, transaction
from tasks.release.content import Child, Place
from tasks.release.index import index
from tasks.release.moving import phases
from tasks.release.order import annotated
from tests import harbourmaster
from tests.conftest import PrivateEngine
from tests.harbourmaster import INDEX
from tests.world import SOURCE, TAGS, World, world

pytestmark = pytest.mark.engine


@pytest.fixture
def harbour(engine: PrivateEngine, tmp_path: Path) -> Iterator[World]:
    yield from world(engine, tmp_path, delete=True)


@pytest.fixture
def keeping_all(engine: PrivateEngine, tmp_path: Path) -> Iterator[World]:
    """A registry in which deletion is off."""
    yield from world(engine, tmp_path, delete=False)


def test_where_deletion_is_off_an_empty_index_stays_and_counts_as_free(keeping_all: World) -> None:
    order = keeping_all.order("api", "worker")
    keeping_all.refuses("worker/manifests/latest")
    with pytest.raises(RefusedError, match="every name stands as before"):
        keeping_all.release(order)
    assert any("deletion is off" in step for step in keeping_all.steps)
    status, raw, _ = keeping_all.direct.ask("GET", "/v2/fleet/api/manifests/v1.2.0")
    assert (status, json.loads(raw)["manifests"]) == (200, [])
    planned = transaction.survey(order, keeping_all.voyage())
    assert {name.change for name in planned} == {"new"}
    keeping_all.release(order)
    assert {keeping_all.stands_at(name, tag) for name in ("api",) for tag in TAGS} == {
        order.named[0].index.digest
    }


def test_where_tags_stay_for_ever_the_way_is_forward(harbour: World) -> None:
    order = harbour.order("api", "worker")
    kept = harbour.order("agent", "indexer")  # in the registry that keeps every tag
    there = replace(order.named[1], place=Place(harbour.running.host, order.named[1].place.repository))
    home = Place(harbour.running.host, order.home.repository)
    order = replace(order, named=(there, *kept.named), home=home, permanent=frozenset({harbour.host}))
    harbour.refuses("indexer/manifests/v1.2.0")
    with pytest.raises(IncompleteError, match="way is forward") as caught:
        harbour.release(order)
    assert "--resume" in str(caught.value)
    assert harbour.stands_at("agent", "v1.2.0") == kept.named[0].index.digest
    with pytest.raises(RefusedError, match="did not end"):
        harbour.release(order)
    voyage = harbour.voyage()
    journal = finding.find(voyage.folder, voyage.clients, order.home)
    assert journal
    ending.resume(journal, voyage)
    assert harbour.stands_at("indexer", "v1.2.0") == kept.named[1].index.digest
    assert harbour.stands_at("worker", "latest") == there.index.digest
    assert harbour.stands_at("agent", "latest") == "", "it could never move again"
    assert finding.find(voyage.folder, voyage.clients, order.home) is None


def test_a_name_that_somebody_else_moves_meanwhile_is_left_alone(harbour: World) -> None:
    order = harbour.order("api")
    voyage = harbour.voyage()
    planned = transaction.survey(order, voyage)
    others = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"by": "somebody"}}
    others["manifests"] = harbourmaster.image(harbour.direct, "fleet/api", "theirs")
    theirs = harbour.direct.put("fleet/api", "latest", others, INDEX)["digest"]
    with pytest.raises(RefusedError, match="somebody else moved it") as caught:
        transaction.publish(order, planned, voyage)
    assert f"as before but these: {order.named[0].place}:latest stands at {theirs}, by" in str(caught.value)
    assert harbour.stands_at("api", "latest") == theirs
    assert harbour.stands_at("api", "v1.2.0") == harbour.stands_at("api", "1.2") == ""
    assert any("by somebody else" in step for step in harbour.steps)


@pytest.mark.parametrize("images", [("api",), ("api", "worker")], ids=["nothing to do", "one to name"])
def test_a_name_that_needs_no_move_is_read_back_too(harbour: World, images: tuple[str, ...]) -> None:
    """It stood at what the release wants when it was read, and somebody else moves it before the end."""
    first = harbour.order("api")
    harbour.release(first)
    record = harbour.stands_at("api", "argosy-release-v1.2.0")
    order = harbour.order(*images)
    voyage = harbour.voyage()
    planned = transaction.survey(order, voyage)
    assert {name.change for name in planned if name.image == "api"} == {"unchanged"}
    others = {"schemaVersion": 2, "mediaType": INDEX, "annotations": {"by": "somebody"}}
    others["manifests"] = harbourmaster.image(harbour.direct, "fleet/api", "theirs")
    theirs = harbour.direct.put("fleet/api", "latest", others, INDEX)["digest"]
    with pytest.raises(
        RefusedError, match=rf"api:latest stands at {theirs}, not at {first.named[0].index.digest}"
    ):
        transaction.publish(order, planned, voyage)
    assert harbour.stands_at("api", "latest") == theirs
    assert harbour.stands_at("api", "v1.2.0") == first.named[0].index.digest
    assert {harbour.stands_at("worker", tag) for tag in TAGS} == {""}
    assert harbour.stands_at("api", "argosy-release-v1.2.0") == record
    assert harbour.found(order) is None


def test_an_image_whose_names_stand_already_is_put_on_record(harbour: World) -> None:
    """A push had named it; a release of it alone moves nothing, and must not leave it out of the release."""
    first, second = harbour.order("api"), harbour.order("worker")
    harbour.release(first)
    named = second.named[0]
    for tag in named.tags:
        harbour.voyage().clients[harbour.host].put("fleet/worker", tag, named.index)
    assert harbour.stands_at("worker", "latest") == named.index.digest
    harbour.release(replace(second, home=first.home))
    found = record.read(harbour.voyage().clients, first.home, first.tag)
    assert found
    assert {one.image for one in found.entries} == {"api", "worker"}
    harbour.steps.clear()
    harbour.release(replace(second, home=first.home))
    assert any("nothing to do" in step for step in harbour.steps)


def test_a_release_that_is_released_again_goes_back_to_what_stood_there_then(harbour: World) -> None:
    """It was the first one; it went back, something else got the name, and the release took it again."""
    order = harbour.order("api")
    harbour.release(order)
    others = {"schemaVersion": 2, "mediaType": INDEX, "annotations": {"by": "somebody"}}
    others["manifests"] = harbourmaster.image(harbour.direct, "fleet/api", "theirs")
    theirs = harbour.direct.put("fleet/api", "latest", others, INDEX)["digest"]
    for images in (("api",), ("api", "worker")):
        harbour.release(harbour.order(*images))
        found = record.read(harbour.voyage().clients, order.home, order.tag)
        assert found
        previous = {one.reference.split("/")[-1]: one.previous for one in found.entries}
        assert previous["api:latest"] == theirs
        assert previous["api:v1.2.0"] == ""


def test_withdrawing_a_name_leaves_what_stands_on_the_same_digest(harbour: World) -> None:
    order = harbour.order("api")
    raw = json.loads(order.named[0].index.raw)
    status, _, _ = harbour.direct.ask("PUT", "/v2/fleet/api/manifests/mine", order.named[0].index.raw, INDEX)
    assert status == 201
    harbour.refuses("api/manifests/latest")
    with pytest.raises(RefusedError):
        harbour.release(order)
    assert harbour.stands_at("api", "mine") == order.named[0].index.digest
    assert all(harbour.stands_at("api", entry["digest"]) for entry in raw["manifests"])


def test_a_record_that_is_not_taken_is_completed_without_the_disk(harbour: World) -> None:
    order = harbour.order("api", "worker")
    harbour.refuses(f"api/manifests/argosy-release-{order.tag}")
    with pytest.raises(IncompleteError, match="all names of"):
        harbour.release(order)
    voyage = harbour.voyage("another machine's state")
    journal = finding.find(voyage.folder, voyage.clients, order.home)
    assert journal
    ending.resume(journal, voyage)
    assert harbour.stands_at("api", f"argosy-release-{order.tag}")
    assert finding.find(voyage.folder, voyage.clients, order.home) is None
    with pytest.raises(RefusedError, match="recorded"):
        ending.roll_back(journal, voyage)


@pytest.mark.parametrize("torn", ["latest", "argosy-journal", "argosy-release-v1.2.0"])
def test_what_a_killed_registry_has_torn_is_written_anew(harbour: World, torn: str) -> None:
    """A registry that is killed while it writes a tag answers 500 for it until it is written again."""
    order = harbour.order("api", "worker")
    harbour.refuses(f"api/manifests/argosy-release-{order.tag}")
    with pytest.raises(IncompleteError):
        harbour.release(order)
    tags = (
        harbour.running.folder
        / "data/docker/registry/v2/repositories"
        / harbour.prefix
        / "api/_manifests/tags"
    )
    link = tags / torn / "current/link"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.write_text("")
    voyage = harbour.voyage()
    journal = finding.find(voyage.folder, voyage.clients, order.home)
    assert journal
    ending.resume(journal, voyage)
    assert {harbour.stands_at("api", tag) for tag in TAGS} == {order.named[0].index.digest}
    assert harbour.stands_at("api", f"argosy-release-{order.tag}")
    assert finding.find(voyage.folder, voyage.clients, order.home) is None


def test_a_release_that_did_not_end_can_be_taken_back(harbour: World) -> None:
    order = harbour.order("api", "worker")
    harbour.refuses(f"api/manifests/argosy-release-{order.tag}")
    with pytest.raises(IncompleteError):
        harbour.release(order)
    voyage = harbour.voyage()
    journal = keeping.load(voyage.folder)
    assert journal
    ending.roll_back(journal, voyage)
    assert {harbour.stands_at(name, tag) for name in ("api", "worker") for tag in TAGS} == {""}
    assert finding.find(voyage.folder, voyage.clients, order.home) is None


def test_platforms_that_a_clean_up_removed_are_seen_before_a_name_moves(harbour: World) -> None:
    order = harbour.order("api")
    harbour.direct.ask("DELETE", f"/v2/fleet/api/manifests/{order.named[0].children[0].digest}")
    with pytest.raises(RefusedError, match="not there"):
        harbour.release(order)
    assert harbour.stands_at("api", "latest") == ""


def test_names_move_in_the_order_that_finds_trouble_first(harbour: World) -> None:
    order = harbour.order("api", "worker")
    here, there = order.named[0].place.host, harbour.running.host
    moved = replace(order.named[1], place=Place(there, order.named[1].place.repository))
    order = replace(order, named=(order.named[0], moved))
    planned = transaction.survey(order, harbour.voyage())
    from tasks.release import journal

    record = journal.Move(planned[0].reference, None, planned[0].new)
    begun = journal.begin(
        planned, record, id=journal.new_id(), project="fleet", tag=order.tag, home=order.home
    )
    told = [
        [f"{m.reference.registry}:{m.reference.tag}" for m in phase]
        for phase in phases(begun.moves, frozenset())
    ]
    assert told[0] == [f"{here}:v1.2.0", f"{there}:v1.2.0"]
    assert sorted(told[-1]) == sorted(f"{host}:{tag}" for host in (here, there) for tag in ("1.2", "latest"))
    told = [[m.reference.registry for m in phase] for phase in phases(begun.moves, frozenset({there}))]
    assert told[:2] == [[here], [there]]
    assert journal.Journal.loads(begun.dumps(), "here") == begun


def test_a_journal_of_a_later_version_is_not_guessed_at(harbour: World) -> None:
    voyage = harbour.voyage()
    voyage.folder.mkdir()
    (voyage.folder / keeping.FILE).write_text('{"schema": 99}')
    order = harbour.order("api")
    with pytest.raises(RefusedError, match="no journal that this version"):
        transaction.survey(order, voyage)


def test_naming_twenty_images_costs_little_more_than_looking(harbour: World) -> None:
    """Counted, not timed: a name is looked at once, then read, moved and read back."""
    order = harbour.order(*(f"image{number}" for number in range(20)))
    voyage = harbour.voyage()
    planned = transaction.survey(order, voyage)
    looked = len(harbour.sea.seen)
    transaction.publish(order, planned, voyage)
    named = Counter((method, path) for _, method, path, _ in harbour.sea.seen[looked:])
    assert len(planned) == 60
    assert looked <= 60 + 20 + 2, "each name, each image's list, the journal"
    for number in range(20):
        for tag in TAGS:
            place = f"image{number}/manifests/{tag}"
            assert named["PUT", place] == 1
            assert named["GET", place] <= 2
    assert named.total() <= 3 * 60 + 10 * 20


def test_what_replaces_an_older_release_has_not_its_floating_names(harbour: World) -> None:
    """They are a newer release's by now; a promotion of the record would give them the replaced content."""
    old = harbour.order("api")
    old = replace(old, named=tuple(replace(one, tags=("v1.2.0", "latest")) for one in old.named))
    harbour.release(old)
    new = harbour.order("api", tag="v1.3.0")
    harbour.release(replace(new, named=tuple(replace(one, tags=("v1.3.0", "latest")) for one in new.named)))
    children = (Child.of(entry) for entry in harbourmaster.image(harbour.direct, "fleet/api", "other"))
    other = index(children, annotated("api", "v1.2.0", SOURCE, {}))
    again = replace(old, overwrite=True, named=tuple(replace(one, index=other) for one in old.named))
    harbour.release(again)
    found = record.read(harbour.voyage().clients, old.home, "v1.2.0")
    assert found
    assert {one.reference.rpartition(":")[2]: one.digest for one in found.entries} == {"v1.2.0": other.digest}
    assert harbour.stands_at("api", "latest") == new.named[0].index.digest
