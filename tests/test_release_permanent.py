"""Releases into a registry in which a tag is made once and for ever: nothing is tried there that it must refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.errors import RegistryError
from tasks.registries.registry import Manifest, Remote
from tests import harbour, registries
from tests.registries import Proxy
from tests.scenario import Fleet

pytestmark = pytest.mark.engine


@dataclass
class Archive:
    """A fleet that is published to an everyday registry and to one that answers 409 to a tag that stands."""

    fleet: Fleet
    proxy: Proxy

    def writes(self, text: str) -> None:
        self.fleet.image("api", f"FROM busybox:stable\nRUN echo {self.fleet.owner} {text} > /name\n")
        self.fleet.commit()

    def names(self) -> set[str]:
        found = harbour.tags(self.proxy.host, "kept/api")
        return {tag for tag in found if not tag.startswith(("argosy-", "sha256-"))}


@pytest.fixture
def archive(real: Fleet, tmp_path: Path) -> Iterator[Archive]:
    with (
        registries.registry(real.env, tmp_path / "archive") as running,
        registries.proxy(running.host) as proxy,
    ):
        proxy.permanent = True
        real.file(
            "build.toml",
            f"""
            [project]
            version = "0.1.0"
            [[project.registries]]
            host = "{proxy.host}"
            owner = "kept"
            [[project.registries]]
            host = "{real.registry}"
            owner = "{real.owner}"
            [images.api]
            [release]
            permanent = ["{proxy.host}"]
            provenance = "min"
            """,
        )
        real.file(".gitignore", "build.lock\n")
        found = Archive(real, proxy)
        found.writes("one")
        yield found


def test_one_release_after_another_goes_where_no_tag_moves(archive: Archive) -> None:
    fleet = archive.fleet
    fleet.inv("release --tag v0.1.0").ok()
    archive.writes("two")
    second = fleet.inv("release --tag v0.2.0").ok()
    assert f"stays: {archive.proxy.host} moves no tag" in " ".join(second.out.split())
    assert archive.names() == {"v0.1.0", "v0.2.0"}, "what could never move again is not made there"
    assert {"v0.2.0", "0.2", "latest"} <= harbour.tags(fleet.registry, f"{fleet.owner}/api")
    assert archive.proxy.refused == []
    # The journal and the record are where they can be taken away and written again.
    assert not {
        tag for tag in harbour.tags(archive.proxy.host, "kept/api") if "release" in tag or "journal" in tag
    }
    assert [one["tag"] for one in fleet.inv("history --json").ok().json["releases"]] == ["v0.2.0", "v0.1.0"]
    fleet.inv("verify v0.2.0").ok()
    fleet.inv("rollback v0.2.0").ok()
    assert archive.proxy.refused == []
    assert archive.names() == {"v0.1.0", "v0.2.0"}


def test_what_stands_there_is_refused_before_a_build_even_with_overwrite(archive: Archive) -> None:
    fleet = archive.fleet
    fleet.inv("release --tag v0.1.0").ok()
    fleet.git("tag", "-d", "v0.1.0")
    archive.writes("two")
    before = harbour.tags(fleet.registry, f"{fleet.owner}/api")
    refused = fleet.inv("release --tag v0.1.0 --overwrite").failed(6)
    assert f"{archive.proxy.host}/kept/api:v0.1.0: stands at" in refused.err
    assert f"{archive.proxy.host} never moves one" in refused.err
    assert harbour.tags(fleet.registry, f"{fleet.owner}/api") == before
    assert archive.proxy.refused == []


def test_a_fleet_that_is_only_published_there_is_told_what_a_release_needs(archive: Archive) -> None:
    archive.fleet.toml(
        f'[images.api]\n[release]\npermanent = ["{archive.proxy.host}"]\n',
        head=f'[project]\nregistry = "{archive.proxy.host}"\nowner = "kept"\nversion = "0.1.0"\n',
    )
    archive.fleet.commit()
    refused = archive.fleet.inv("release --tag v0.1.0").failed(2)
    assert "needs one in which its journal can be taken away" in refused.err
    assert archive.names() == set()


def test_a_promotion_to_it_is_refused_before_anything_is_copied(archive: Archive) -> None:
    fleet, proxy = archive.fleet, archive.proxy
    fleet.toml(
        f'[images.api]\n[promote.archive]\nto = "{proxy.host}/promoted"\n[release]\npermanent = ["{proxy.host}"]\n'
    )
    fleet.commit()
    fleet.inv("release --tag v0.1.0").ok()
    refused = fleet.inv("promote v0.1.0 --to archive").failed(6)
    assert f"its journal would be kept at {proxy.host}/promoted/api" in refused.err
    assert harbour.tags(proxy.host, "promoted/api") == set()


def test_a_tag_that_is_refused_for_standing_already_is_not_tried_again(archive: Archive) -> None:
    archive.fleet.inv("push --tags once").ok()
    there = harbour.manifest(archive.proxy.host, "kept/api", "once")
    with pytest.raises(RegistryError, match="already exists"):
        Remote(archive.proxy.host).put("kept/api", "once", Manifest.of(there.raw, there.kind))
    assert len(archive.proxy.refused) == 1


def test_where_nobody_has_declared_it_no_name_moves_at_all(archive: Archive) -> None:
    """What was moved could not be put back, so it is tried before any name, at the journal's own."""
    archive.fleet.toml(
        "[images.api]\n",
        head=f'[project]\nregistry = "{archive.proxy.host}"\nowner = "kept"\nversion = "0.1.0"\n',
    )
    archive.fleet.commit()
    for _ in range(2):
        refused = archive.fleet.inv("release --tag v0.1.0").failed(6)
        assert f"{archive.proxy.host} takes no other there" in refused.err
        assert "release.permanent" in refused.err
        assert archive.names() == set()
