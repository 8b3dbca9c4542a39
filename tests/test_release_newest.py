"""What counts as newer than a release: what stands, of the same fleet or the same image, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.registries.registry import Remote
from tasks.release import transaction
from tasks.release.content import Child, Place
from tasks.release.index import index, withdrawn
from tasks.release.order import Named, Order, Source, annotated
from tests import harbourmaster, registries
from tests.conftest import PrivateEngine
from tests.harbourmaster import INDEX, Direct

pytestmark = pytest.mark.engine


@dataclass
class Port:
    """One registry in which nothing is deleted, and releases of images that are in it."""

    host: str
    folder: Path

    @property
    def direct(self) -> Direct:
        return Direct(self.host)

    @property
    def clients(self) -> Mapping[str, Remote]:
        return {self.host: Remote(self.host, {"HOME": str(self.folder)})}

    def stays(self, tag: str, **tags: tuple[str, ...]) -> dict[str, str]:
        """Releases these images with these tags; returns which names stayed, and why."""
        named = []
        for name, names in tags.items():
            where = f"fleet/{name}"
            children = tuple(
                Child.of(one) for one in harbourmaster.image(self.direct, where, f"{tag} {name}")
            )
            made = index(children, annotated(name, tag, Source(), {}))
            named.append(Named(name, Place(self.host, where), made, children, names))
        order = Order("fleet", tag, Source(), Place(self.host, "fleet/home"), tuple(named))
        voyage = transaction.Voyage(self.clients, self.folder, lambda *_: None, 0.2)
        plan = transaction.survey(order, voyage)
        transaction.publish(order, plan, voyage)
        return {f"{name.image}:{name.reference.tag}": name.stays for name in plan if name.stays}

    def withdrawn(self, repository: str, tag: str) -> None:
        """Puts what a withdrawal leaves where nothing is deleted."""
        empty = withdrawn(f"gone {repository}:{tag}")
        status, _, _ = self.direct.ask("PUT", f"/v2/{repository}/manifests/{tag}", empty.raw, INDEX)
        assert status == 201


@pytest.fixture
def port(engine: PrivateEngine, tmp_path: Path) -> Iterator[Port]:
    with registries.registry(engine.env, tmp_path / "registry") as running:
        yield Port(running.host, tmp_path)


def test_a_release_that_was_withdrawn_does_not_hold_the_next_one_back(port: Port) -> None:
    port.stays("v0.2.0", api=("v0.2.0", "latest"))
    port.withdrawn("fleet/api", "v0.3.0")
    port.withdrawn("fleet/home", "argosy-release-v0.3.0")
    assert port.stays("v0.2.1", api=("v0.2.1", "latest")) == {}
    assert ahead(port, "v0.3.0-rc.1") is None


def test_the_version_of_one_image_says_nothing_of_the_others(port: Port) -> None:
    port.stays("v0.1.0", base=("3.0.0", "3.0", "latest"), api=("v0.1.0", "latest"))
    assert port.stays("v0.2.0", base=("3.1.0", "3.1", "latest"), api=("v0.2.0", "latest")) == {}
    patched = port.stays("v0.2.1", base=("3.0.1", "3.0", "latest"), api=("v0.2.1", "latest"))
    assert patched == {"base:3.0": "3.1.0 is newer", "base:latest": "3.1.0 is newer"}


def test_a_release_of_the_fleet_is_newer_for_all_of_its_images(port: Port) -> None:
    port.stays("v0.2.0", api=("v0.2.0", "latest"), web=("latest",))
    assert port.stays("v0.1.9", web=("latest",)) == {"web:latest": "0.2.0 is newer"}


def test_a_name_with_an_ending_rolls_like_one_without(port: Port) -> None:
    def tags(version: str) -> tuple[str, ...]:
        return (version, f"{version}-slim", "latest", "latest-slim")

    port.stays("0.2.0", api=tags("0.2.0"))
    assert set(port.stays("0.1.9", api=tags("0.1.9"))) == {"api:latest", "api:latest-slim"}
    assert port.stays("0.2.1", api=tags("0.2.1")) == {}
    port.stays("0.3.0-rc.1", api=("0.3.0-rc.1", "0.3.0-rc.1-slim"))
    assert port.stays("0.3.0-rc.2", api=("0.3.0-rc.2", "0.3.0-rc.2-slim")) == {}
    assert ahead(port, "0.3.0-rc.2", "0.3.0-rc.2", "0.3.0-rc.2-slim") is None
    assert str(ahead(port, "0.3.0-rc.1", "0.3.0-rc.1", "0.3.0-rc.1-slim")) == "0.3.0-rc.2"


def test_the_variant_of_a_pre_release_is_no_later_one(port: Port) -> None:
    """Another image has its own names in the same repository, and this one knows nothing of them."""
    port.stays("1.0.0-rc.1", api=("1.0.0-rc.1", "1.0.0-rc.1-slim"))
    assert ahead(port, "1.0.0-rc.2") is None
    assert str(ahead(port, "1.0.0-rc.0")) == "1.0.0-rc.1"


def ahead(port: Port, tag: str, *tags: str) -> object:
    """What a release of the image api under this tag would come before, though it may not."""
    from tasks.release import newest, versions
    from tasks.release.looking import Lists

    release = versions.full(tag)
    assert release
    home = Place(port.host, "fleet/home")
    schemes = [(Place(port.host, "fleet/api"), versions.scheme(tags or (tag,), release))]
    return newest.ahead(port.clients, Lists(port.clients), home, schemes, release)
