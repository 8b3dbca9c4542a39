"""A registry behind a proxy that can refuse, and orders for images that are in it: what releases are tried on."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tasks.errors import IncompleteError
from tasks.registries.registry import Remote
from tasks.release import finding, keeping, transaction
from tasks.release.content import Child, Place
from tasks.release.index import index
from tasks.release.journal import Journal
from tasks.release.order import Named, Order, Source, annotated
from tests import harbourmaster, registries
from tests.conftest import PrivateEngine
from tests.harbourmaster import Direct
from tests.registries import Running
from tests.saboteur import Fault, Sea, sabotaged

SOURCE = Source("c0ffee", "2026-01-02T03:04:05Z", "https://example.com/acme/fleet")
TAGS = ("v1.2.0", "1.2", "latest")


@dataclass
class World:
    """A registry, a proxy before it, and orders for images that are in it."""

    running: Running
    host: str
    sea: Sea
    folder: Path
    prefix: str
    steps: list[str] = field(default_factory=list)

    @property
    def direct(self) -> Direct:
        return Direct(self.running.host)

    def order(self, *names: str, tag: str = "v1.2.0", host: str = "") -> Order:
        """Puts these images' platforms into the registry and orders a release of them."""
        named = []
        for name in names:
            where = f"{self.prefix}/{name}"
            entries = harbourmaster.image(self.direct, where, f"{tag} {name}")
            children = tuple(Child.of(entry) for entry in entries)
            made = index(children, annotated(name, tag, SOURCE, {}))
            place = Place(host or self.host, where)
            named.append(Named(name, place, made, children, (tag, *TAGS[1:])))
        return Order("fleet", tag, SOURCE, named[0].place, tuple(named))

    def voyage(self, folder: str = "state") -> transaction.Voyage:
        hosts = (self.host, self.running.host)
        clients = {host: Remote(host, {"HOME": str(self.folder)}, tries=2, patience=2.0) for host in hosts}
        return transaction.Voyage(
            clients, self.folder / folder, lambda step, text: self.steps.append(f"{step}: {text}"), 0.2
        )

    def release(self, order: Order, folder: str = "state") -> None:
        voyage = self.voyage(folder)
        transaction.publish(order, transaction.survey(order, voyage), voyage)

    def stays_unfinished(self, order: Order, folder: str = "state") -> Journal:
        """Begins a release whose record is not taken: all its names stand, and its journal is left."""
        self.refuses(f"{order.home.repository.rpartition('/')[2]}/manifests/argosy-release-{order.tag}")
        with contextlib.suppress(IncompleteError):
            self.release(order, folder)
        found = keeping.load(self.voyage(folder).folder)
        assert found
        return found

    def found(self, order: Order, folder: str = "state") -> Journal | None:
        voyage = self.voyage(folder)
        return finding.find(voyage.folder, voyage.clients, order.home, voyage.told)

    def collects(self, repository: str, digest: str) -> None:
        """Takes a blob away, as a registry's own clean-up does with what no manifest names."""
        kept = self.running.folder / "data/docker/registry/v2"
        name = digest.removeprefix("sha256:")
        for folder in (
            kept / "blobs/sha256" / name[:2] / name,
            kept / "repositories" / repository / "_layers/sha256" / name,
        ):
            shutil.rmtree(folder)

    def stands_at(self, name: str, tag: str) -> str:
        return self.direct.stands_at(f"{self.prefix}/{name}", tag)

    def refuses(self, path: str, nth: int = 1) -> None:
        """Lets the next (or nth) write to this path be refused."""
        self.sea.calm(self.prefix)
        self.sea.faults = [Fault(("A", "PUT", path, nth), "refused")]


def world(engine: PrivateEngine, tmp_path: Path, *, delete: bool) -> Iterator[World]:
    with (
        registries.registry(engine.env, tmp_path / "registry", delete=delete) as running,
        sabotaged(sea := Sea(prefix="fleet"), "A", running.host) as host,
    ):
        yield World(running, host, sea, tmp_path, "fleet")
