"""What stands at an address in a registry: found before a build, and made the same in all repositories after it.

Two repositories of one image, in two real registries; what "the build has pushed" is put there by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tasks.engine import attestations, publishing, standings
from tasks.engine.results import Result, Results, Verdict
from tasks.model import Reference
from tasks.planning.address import Address
from tasks.planning.bakefile import bakefile
from tasks.planning.deciding import Standing, decide
from tasks.planning.plan import Plan
from tasks.registries.registry import Manifest, Remote
from tasks.release.content import content
from tests import harbourmaster, planned, registries
from tests.conftest import PrivateEngine
from tests.harbourmaster import Direct
from tests.planned import AMD
from tests.scenario import Fleet

pytestmark = pytest.mark.engine

ADDRESS = Address("a" * 64)


@dataclass
class Docks:
    """Two registries, an image "api" that goes to both, and one "web" that stands on it."""

    fleet: Fleet
    hosts: tuple[str, str]
    plan: Plan
    clients: dict[str, Remote] = field(default_factory=dict)

    def place(self, at: int) -> Reference:
        return Reference(self.hosts[at], "acme/api")

    def pushed(self, at: int, note: str, address: bool = False) -> str:
        """Puts what a build would push; returns its digest."""
        direct = Direct(self.hosts[at])
        digest = str(harbourmaster.image(direct, "acme/api", note)[0]["digest"])
        if address:
            self.tag(at, digest)
        return digest

    def everywhere(self, note: str, address: bool = False) -> str:
        """Puts what a build would push into both; returns its digest."""
        return {self.pushed(at, note, address) for at in (0, 1)}.pop()

    def tag(self, at: int, digest: str) -> None:
        """Gives it the address, as the machine that built it would."""
        raw = Direct(self.hosts[at]).read(f"/v2/acme/api/manifests/{digest}")[1]
        Remote(self.hosts[at]).put("acme/api", ADDRESS.tag, Manifest.of(raw, harbourmaster.MANIFEST))

    def stands(self, at: int) -> str:
        return Direct(self.hosts[at]).stands_at("acme/api", ADDRESS.tag)

    def settled(self, digest: str, **image: object) -> set[str]:
        """Settles after a build; returns the digests that the image then is, in whichever repository."""
        made = replace(self.plan["api"], addresses={AMD: ADDRESS.tag}, building=(AMD,), **image)  # type: ignore[arg-type]
        plan = replace(self.plan, images=(made,))
        results = Results((Result("api", Verdict.BUILT, digest=digest),))
        found = publishing.settle(plan, results, self.clients)
        assert len({tuple(one) for one in content(found)["api"].values()}) == 1, (
            "it can be released as one thing"
        )
        for place, platforms in found["api"].items():
            for one in platforms.values():
                assert Direct(place.registry).stands_at(place.repository, one.digest) == one.digest
        return {one.digest for platforms in found["api"].values() for one in platforms.values()}


@pytest.fixture
def docks(
    engine: PrivateEngine, fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Docks]:
    for name in ("PATH", "DOCKER_HOST", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, engine.env[name])
    with (
        registries.registry(engine.env, tmp_path / "first") as first,
        registries.registry(engine.env, tmp_path / "second") as second,
    ):
        fleet.image("api")
        fleet.image("web", "FROM acme/api\n")
        listed = ", ".join(f'{{ host = "{one.host}", owner = "acme" }}' for one in (first, second))
        fleet.file(
            "build.toml",
            f'[project]\nversion = "1.0.0"\nregistries = [{listed}]\n[images.api]\n[images.web]\n',
        )
        plan = planned.plan(fleet, request={"output": "push"}, engine=planned.engine(platforms=(AMD,)))
        yield Docks(fleet, (first.host, second.host), plan, publishing.remotes(plan))


def test_a_sibling_that_is_reused_is_given_by_digest(docks: Docks) -> None:
    """Its address is a tag, and a tag can be moved before the build comes to it."""
    digest = docks.pushed(0, "base", address=True)
    docks.pushed(1, "base", address=True)
    known = {
        name: Standing(addresses={AMD: one}) for name, one in (("api", ADDRESS), ("web", Address("b" * 64)))
    }
    plan = decide(docks.plan, standings.in_registries(docks.plan, known))
    assert [image.action for image in plan.images] == ["reuse", "build"]
    [given] = [
        one["dockerfile-inline"] for one in bakefile(plan)["target"].values() if "dockerfile-inline" in one
    ]
    assert given == f"FROM {docks.hosts[0]}/acme/api@{digest}\n"


@pytest.mark.parametrize("where", [0, 1])
def test_what_one_repository_has_at_the_address_goes_to_the_other(docks: Docks, where: int) -> None:
    """A second registry came into build.toml, or one did not answer the last time; the build made other bytes."""
    first = docks.pushed(where, "first", address=True)
    assert docks.settled(docks.everywhere("second")) == {first}
    assert docks.stands(0) == docks.stands(1) == first


def test_two_repositories_that_differ_at_the_address_agree_again(docks: Docks) -> None:
    first = docks.pushed(0, "first", address=True)
    docks.pushed(1, "second", address=True)
    known = {"api": Standing(addresses={AMD: ADDRESS})}
    alone = replace(docks.plan, images=(docks.plan["api"],))
    [image] = decide(alone, standings.in_registries(alone, known)).images
    assert image.action == "reuse"
    assert docks.settled("", action="reuse", stands=image.stands) == {first}
    assert docks.stands(0) == docks.stands(1) == first


def test_where_no_tag_moves_the_content_is_there_all_the_same(docks: Docks) -> None:
    first = docks.pushed(0, "first", address=True)
    second = docks.pushed(1, "second", address=True)
    built = docks.everywhere("third")
    with registries.proxy(docks.hosts[1]) as proxy:
        proxy.permanent = True
        docks.clients[proxy.host] = Remote(proxy.host)
        published = (Reference(docks.hosts[0], "acme/api", "1"), Reference(proxy.host, "acme/api", "1"))
        found = docks.settled(built, published=published, staging={proxy.host: "argosy-staging-1"})
        assert found == {first}
        assert docks.stands(1) == second


def test_provenance_goes_with_what_is_copied(docks: Docks) -> None:
    first = docks.pushed(0, "first", address=True)
    direct, said = Direct(docks.hosts[0]), attestations.tag(first)
    config = {"mediaType": harbourmaster.CONFIG, **direct.upload("acme/api", b"{}")}
    layer = {"mediaType": "application/vnd.in-toto+json", **direct.upload("acme/api", b'{"it": "was built"}')}
    body = {"schemaVersion": 2, "mediaType": harbourmaster.MANIFEST, "config": config, "layers": [layer]}
    spoken = direct.put("acme/api", said, body, harbourmaster.MANIFEST)["digest"]
    docks.plan = replace(docks.plan, provenance="min")
    assert docks.settled(docks.everywhere("second")) == {first}
    assert Direct(docks.hosts[1]).stands_at("acme/api", said) == spoken


def test_of_two_machines_the_first_to_have_pushed_an_address_wins(docks: Docks) -> None:
    """The second has built other bytes meanwhile; it takes what is there, and so does whoever comes later."""
    built = docks.everywhere("second")
    first = docks.everywhere("first", address=True)
    assert docks.settled(built) == {first}
    assert docks.settled(first) == {first}


def test_what_was_asked_to_be_built_anew_takes_the_place_of_what_stood_there(docks: Docks) -> None:
    old = docks.everywhere("old", address=True)
    new = docks.everywhere("new")
    known = {
        "api": Standing(addresses={AMD: ADDRESS}, there=frozenset({AMD})),
    }
    alone = replace(docks.plan, images=(docks.plan["api"],))
    [image] = decide(alone, known, rebuild=True).images
    assert image.action == "build"
    assert docks.settled(new, anew=image.anew) == {new} != {old}
    assert docks.stands(0) == docks.stands(1) == new


def test_of_two_machines_that_write_at_once_both_take_what_stays(docks: Docks) -> None:
    """Both have looked and found nothing; no registry writes a tag only where there is none, so the later one stays."""
    theirs = docks.everywhere("theirs")
    ours = docks.everywhere("ours")

    class Slower(Remote):
        """Between our look and our reading back the other machine writes too."""

        def put(self, repository: str, reference: str, manifest: Manifest) -> None:
            super().put(repository, reference, manifest)
            if reference == ADDRESS.tag and manifest.digest == ours:
                docks.tag(docks.hosts.index(self.host), theirs)

    docks.clients = {host: Slower(host) for host in docks.hosts}
    assert docks.settled(ours) == {theirs}
    docks.clients = publishing.remotes(docks.plan)
    assert docks.settled(theirs) == {theirs}
    assert docks.stands(0) == docks.stands(1) == theirs


def test_an_address_that_nobody_else_has_costs_one_look_more(docks: Docks) -> None:
    built = docks.everywhere("ours")
    assert docks.settled(built) == {built}
    assert docks.stands(0) == docks.stands(1) == built
    assert json.loads(Direct(docks.hosts[0]).read("/v2/acme/api/tags/list")[1])["tags"] == [ADDRESS.tag]
