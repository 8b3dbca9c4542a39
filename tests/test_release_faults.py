"""The guarantee of a release under faults: a selection of what `scripts/faults` tries, one of each kind.

Every fault meets one request of a release of 5 images for 2 platforms into 2 real registries; the verdict is read
from the registries by code that shares nothing with the release.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import faults, rivals, voyages
from tests import port as ports
from tests.conftest import PrivateEngine
from tests.faults import Range
from tests.harbour import manifest
from tests.harbour import put as overwrite
from tests.harbourmaster import INDEX, NEW, Harbour
from tests.port import Port
from tests.saboteur import Fault, Key

pytestmark = pytest.mark.engine

WORKERS = 4

TAG: Key = ("A", "PUT", f"api/manifests/{NEW}", 1)
LATER: Key = ("B", "PUT", "worker/manifests/latest", 1)
READ: Key = ("A", "GET", "agent/manifests/latest", 1)
TRIED: Key = ("A", "PUT", "api/manifests/argosy-journal", 1)
JOURNAL: Key = ("A", "PUT", "api/manifests/argosy-journal", 2)
RECORD: Key = ("A", "PUT", f"api/manifests/argosy-release-{NEW}", 1)
INDEXES: Key = ("B", "PUT", "agent/manifests/DIGEST", 1)


@pytest.fixture(scope="module")
def harbour(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    with faults.harbour(engine.env, tmp_path_factory.mktemp("harbour")) as made:
        yield made


@pytest.fixture
def place(harbour: Harbour, tmp_path: Path) -> Iterator[Range]:
    made = Range(harbour, tmp_path)
    yield made
    made.close()


CASES = [
    (Fault(TAG, "lost"), 0),
    (Fault(TAG, "busy"), 0),
    (Fault(TAG, "cut"), 0),
    (Fault(TAG, "refused"), 6),
    (Fault(LATER, "expired"), 6),
    (Fault(LATER, "refused"), 6),
    (Fault(LATER, "late"), 0),
    (Fault(LATER, "outage"), 7),
    (Fault(TAG, "lost, then outage"), 7),
    (Fault(READ, "false 404"), 0),
    (Fault(INDEXES, "refused"), 6),
    (Fault(TRIED, "refused"), 6),
    (Fault(TRIED, "SIGKILL after"), -9),
    (Fault(JOURNAL, "refused"), 6),
    (Fault(RECORD, "refused"), 7),
    (Fault(LATER, "SIGKILL before"), -9),
    (Fault(JOURNAL, "SIGKILL before"), -9),
    (Fault(JOURNAL, "SIGKILL after"), -9),
    (Fault(TAG, "SIGKILL after"), -9),
    (Fault(RECORD, "SIGKILL after"), -9),
    (Fault(LATER, "SIGINT"), 6),
    (Fault(LATER, "SIGTERM"), 6),
    (Fault(LATER, "registry killed"), 7),
    (Fault(TAG, "late", Fault(LATER, "refused")), 6),
    (Fault(TAG, "lost", Fault(LATER, "refused")), 6),
]


def test_the_guarantee_holds_whatever_happens_to_one_request(
    harbour: Harbour, engine: PrivateEngine, tmp_path: Path
) -> None:
    """Several at once, each behind proxies of its own: most of the time is spent waiting for what may come late."""
    waiting = list(CASES)
    told: list[str] = []

    def work(number: int) -> None:
        (tmp_path / str(number)).mkdir()
        place = Range(harbour, tmp_path / str(number), engine.env)
        trials = []
        while waiting:
            fault, code = waiting.pop()
            trial = place.attempt(fault)
            trials.append(trial)
            if fault not in place.sea.struck:
                told.append(f"{fault}: the request to strike was never made")
            elif trial.code != code:
                told.append(f"{trial.told()}, and not {code}")
        told.extend(trial.told() for trial in place.settled(trials))
        place.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    assert not told, "\n".join(told)


@pytest.mark.parametrize("locked", [True, False], ids=["with the git lock", "without it"])
def test_of_two_releases_at_once_none_breaks_its_word(place: Range, locked: bool) -> None:
    trial = rivals.race(place, locked=locked)
    assert not trial.wrong, "\n".join(trial.wrong)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
@pytest.mark.parametrize("kilobytes", [4, 16])
def test_a_disk_that_is_full_at_the_journal_leaves_every_name(place: Range, kilobytes: int) -> None:
    with faults.full_disk(kilobytes) as folder:
        trial = place.attempt(None, folder)
    assert trial.code == 6, trial.told()
    assert not trial.wrong, trial.told()
    assert "journal cannot be written" in trial.log.read_text()


def test_the_judge_sees_what_is_wrong(harbour: Harbour) -> None:
    harbour.berth("judged")
    direct = harbour.direct()["B"]
    assert not list(harbour.wrong_as_before(harbour.now("judged")))
    other = {"schemaVersion": 2, "mediaType": INDEX, "manifests": harbour.children["api"], "annotations": {}}
    direct.put("judged/api", "latest", other, INDEX)
    state = harbour.now("judged")
    assert [line.split()[:3] for line in harbour.wrong_as_before(state)] == [["B", "api", "latest"]]
    assert any("another release" in line for line in harbour.wrong_as_released("judged", state))
    assert list(harbour.wrong_half_way(state, {"on disk": set()}))
    assert list(harbour.wrong_half_way(state, {"on disk": None}))
    assert not list(harbour.wrong_half_way(state, {"on disk": {"h/judged/api:latest"}}))
    direct.put("judged/api", "edge", other, INDEX)
    assert any(
        "bystander" in line for line in harbour.wrong_half_way(harbour.now("judged"), {"x": {"h/api:edge"}})
    )
    harbour.clear("judged")


@pytest.fixture(scope="module")
def port(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    with ports.port(engine.env, tmp_path_factory.mktemp("port")) as made:
        yield made


def put(path: str, kind: str) -> Fault:
    return Fault(("A", "PUT", path, 1), kind)


SAILED = {
    "promotion": {
        put("agent/manifests/v0.2.0", "lost"): 0,
        put("agent/manifests/argosy-journal", "refused"): 6,
        put("gateway/manifests/latest", "outage"): 7,
        put("agent/manifests/latest", "SIGKILL after"): -9,
    },
    "seals": {
        put("agent/manifests/v0.2.0", "cut"): 0,
        put("gateway/manifests/latest", "refused"): 6,
        put("agent/manifests/argosy-release-v0.2.0", "outage"): 7,
        put("gateway/manifests/0.2", "SIGKILL before"): -9,
    },
    "return": {
        put("agent/manifests/latest", "lost"): 0,
        put("gateway/manifests/latest", "refused"): 6,
        put("agent/manifests/argosy-release-v0.2.0", "outage"): 7,
        put("agent/manifests/latest", "SIGKILL after"): -9,
    },
}


@pytest.mark.parametrize("name", SAILED)
def test_a_promotion_a_release_with_seals_and_a_way_back_keep_the_guarantee(
    port: Port, name: str, tmp_path: Path
) -> None:
    cases = SAILED[name]
    trials = list(voyages.tried(port, ports.VOYAGES[name], list(cases), tmp_path, WORKERS))
    assert {trial.fault: trial.code for trial in trials} == cases
    assert not [trial.told() for trial in trials if trial.wrong or not trial.struck]


def test_the_judge_sees_a_name_without_a_signature(port: Port) -> None:
    port.copy("fleet", "unsigned")
    named = port.names("unsigned")
    assert not list(port.unsealed("unsigned", named))
    index = manifest(port.host, "unsigned/agent", "v0.2.0")
    overwrite(port.host, "unsigned/agent", f"{index.digest.replace(':', '-')}.sig", index)
    wrong = {line.split()[0] for line in port.unsealed("unsigned", named)}
    assert wrong == {"agent:v0.2.0", "agent:0.2", "agent:latest"}
