"""What the five systems ask of a release: every image or none, in every registry, under the names they promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import harbour, registries
from tests.conftest import PrivateEngine
from tests.scenario import Fleet
from tests.systems import programs
from tests.systems.system import edit, own, stand_in, system

pytestmark = pytest.mark.engine

BASES = {
    "lapdev": {"rust:1.90-bullseye": "toolchain", "debian:12-slim": "debian"},
    "carbide": {"golang:1.25.1": "toolchain", "alpine:latest": "alpine"},
    "kiisrv": {"rust:1.75-bookworm": "compiler", "debian:bookworm-slim": "debian"},
    "aic_sos": {"golang:1.21-alpine": "compiler", "rust:1.75-alpine": "compiler", "alpine:3.19": "alpine"},
}
HOSTS = {"lapdev": "ghcr.io", "carbide": "nvcr.io", "aic_sos": "ghcr.io"}
BELOW = {
    "lapdev": "/lapce",
    "carbide": "/nvidia/carbide-dev",
    "aic_sos": "/aic-sos",
    "kiisrv": "/ghcr/kiibohd",
}
CONSTANTS = "crates/api/src/kube_controller/container_images.rs"

Copy = Callable[[str], Fleet]


@pytest.fixture
def copy(engine: PrivateEngine, owners: set[str], tmp_path: Path) -> Copy:
    """Makes a copy of a system's tree below a path of this test's own, committed; `owner` is that path."""

    def made(name: str) -> Fleet:
        mine = own(name.replace("_", "-"))
        owners.add(mine)
        (tmp_path / "packages").mkdir()
        more = {
            "toolchain": {"starts": programs.starts(tmp_path / "starts")},
            "debian": {"packages": tmp_path / "packages"},
        }
        mirror = {
            base: stand_in(engine, kind, base, contexts=more.get(kind)) for base, kind in BASES[name].items()
        }
        words = {HOSTS[name]: f"{engine.registry}/{mine}"} if name in HOSTS else {}
        words |= {
            'host = "ghcr.io"': f'host = "{engine.registry}/{mine}/ghcr"',
            'host = "docker.io"': f'host = "{engine.registry}/{mine}/hub"',
            "target=/app/target": f"id={mine},target=/app/target",
        }
        fleet = system(engine, name, tmp_path, words, mirror)
        fleet.owner = mine + BELOW[name]
        fleet.file(".gitignore", "build.lock\n")
        fleet.commit()
        return fleet

    return made


def names(fleet: Fleet, repository: str) -> set[str]:
    """An image's names; what Argosy keeps for itself beside them is none."""
    found = harbour.tags(fleet.registry, repository)
    return {tag for tag in found if not tag.startswith("argosy-")}


LAPDEV = ("lapdev-api", "lapdev-kube-manager", "lapdev-kube-sidecar-proxy")


def test_lapdev_is_released_as_it_was_built_or_not_at_all(copy: Copy, engine: PrivateEngine) -> None:
    """S0 b, c, f and h."""
    fleet = copy("lapdev")
    places = {image: f"{fleet.owner}/{image}" for image in LAPDEV}
    dockerfile = fleet.root / "pkg/kube-container/Dockerfile"
    text = dockerfile.read_text()
    stage = "FROM runtime-base AS kube-sidecar-proxy\n"
    dockerfile.write_text(text.replace(stage, stage + "RUN echo no compiler here && false\n"))
    fleet.commit()
    fleet.inv("release --tag v0.2.0").failed(4)
    assert [names(fleet, place) for place in places.values()] == [set()] * 3

    dockerfile.write_text(text)
    fleet.commit()
    fleet.inv("build").ok()
    fleet.inv("release --tag v0.2.0").ok()
    as_built(engine, fleet, "0.2.0", {"0.2.0"})

    before = {place: harbour.tags(fleet.registry, place) for place in places.values()}
    ran = fleet.inv("release --tag v0.3.0").failed(6)
    line = next(
        n for n, t in enumerate((fleet.root / CONSTANTS).read_text().splitlines(), 1) if "IMAGE_TAG" in t
    )
    for said in (f"{CONSTANTS}:{line}", "CONTAINER_IMAGE_TAG", "0.2.0", "0.3.0"):
        assert said in ran.err
    assert {place: harbour.tags(fleet.registry, place) for place in places.values()} == before

    fleet.inv("version --set 0.3.0").ok()
    fleet.commit()
    fleet.inv("build").ok()
    fleet.inv("release --tag v0.3.0").ok()
    as_built(engine, fleet, "0.3.0", {"0.2.0", "0.3.0"})


def as_built(engine: PrivateEngine, fleet: Fleet, version: str, every: set[str]) -> None:
    """Asserts that lapdev's images have these names, and that what the version names is what the engine has."""
    for image in LAPDEV:
        place = f"{fleet.owner}/{image}"
        assert names(fleet, place) == every
        released = harbour.manifest(fleet.registry, place, version).json["manifests"]
        local = engine.docker("image", "inspect", "-f", "{{.Id}}", f"{fleet.registry}/{place}:{version}")
        assert [entry["digest"] for entry in released] == [local], image


def test_carbide_is_promoted_digest_for_digest(copy: Copy, tmp_path: Path) -> None:
    """S1 i."""
    fleet = copy("carbide")
    with registries.registry(fleet.env, tmp_path / "registry", delete=True) as second:
        production = fleet.owner.removesuffix("-dev")
        edit(fleet, "build.toml", f'to = "{fleet.registry}/{production}"', f'to = "{second.host}/carbide"')
        fleet.commit()
        images = [image["name"] for image in fleet.inv("list --json").ok().json["images"]]
        assert len(images) == 7
        fleet.inv("release --tag v1.2.3").ok()
        before = {image: digests(fleet, f"{fleet.owner}/{image}") for image in images}
        fleet.inv("promote v1.2.3 --to production").ok()
        for image in images:
            source = harbour.manifest(fleet.registry, f"{fleet.owner}/{image}", "v1.2.3")
            assert harbour.manifest(second.host, f"carbide/{image}", "v1.2.3").digest == source.digest
            for entry in source.json["manifests"]:
                assert (
                    harbour.manifest(second.host, f"carbide/{image}", entry["digest"]).digest
                    == entry["digest"]
                )
        assert {image: digests(fleet, f"{fleet.owner}/{image}") for image in images} == before


def digests(fleet: Fleet, repository: str) -> dict[str, str]:
    """What each tag of a repository stands at, addresses among them."""
    return {
        tag: harbour.manifest(fleet.registry, repository, tag).digest
        for tag in harbour.tags(fleet.registry, repository)
    }


def test_kiisrv_goes_to_two_registries_under_every_name_it_promises(copy: Copy) -> None:
    """S2 c."""
    fleet = copy("kiisrv")
    sha = f"sha-{fleet.git('rev-parse', 'HEAD')[:7]}"
    top = fleet.owner.partition("/")[0]
    places = [
        f"{top}/{way}/kiisrv-{image}"
        for way in ("ghcr/kiibohd", "hub/kiibohdhub")
        for image in ("kiisrv", "controller-057")
    ]
    fleet.inv("release --tag v1.2.3-rc1 --images kiisrv,controller-057").ok()
    assert [names(fleet, place) for place in places] == [{"1.2.3-rc1"}] * 4
    fleet.inv("release --tag v1.2.3 --images kiisrv,controller-057").ok()
    for place in places:
        assert names(fleet, place) == {"1.2.3-rc1", "1.2.3", "1.2", "1", "latest", sha}
    for tag in ("1.2.3", "1.2", "1", "latest", sha):
        ghcr, _, hub, _ = (harbour.manifest(fleet.registry, place, tag).digest for place in places)
        assert ghcr == hub


def test_aic_sos_says_its_version_once_and_releases_it_once(copy: Copy) -> None:
    """S4 j."""
    fleet = copy("aic_sos")
    service = f"{fleet.owner}/agent"
    for key, value in (("user.name", "t"), ("user.email", "t@example.com")):
        fleet.git("config", key, value)
    refused = fleet.inv("release --tag v0.2.0").failed(6)
    assert "VERSION says 0.1.0" in refused.err.replace(":1", "")
    assert "--bump" in refused.err
    services = [image["name"] for image in fleet.inv("list --json").ok().json["images"]]
    assert len(services) == 5
    assert [names(fleet, f"{fleet.owner}/{one}") for one in services] == [set()] * 5

    fleet.file("notes.txt", "not committed yet\n")
    assert "notes.txt" in fleet.inv("release --tag v0.2.0 --bump").failed(6).err
    (fleet.root / "notes.txt").unlink()
    assert (fleet.root / "VERSION").read_text() == "0.1.0\n"

    fleet.inv("release --tag v0.2.0 --bump").ok()
    assert (fleet.root / "VERSION").read_text() == "0.2.0\n"
    assert fleet.git("log", "-1", "--format=%s %an") == "Release v0.2.0 t"
    assert fleet.git("rev-parse", "v0.2.0") == fleet.git("rev-parse", "HEAD")
    assert fleet.git("status", "--porcelain") == ""
    for one in services:
        assert names(fleet, f"{fleet.owner}/{one}") == {"v0.2.0", "latest"}

    first = harbour.manifest(fleet.registry, service, "v0.2.0").digest
    fleet.inv("release --tag v0.2.0").ok()  # the same once more is no other
    assert harbour.manifest(fleet.registry, service, "v0.2.0").digest == first
    fleet.git("tag", "-d", "v0.2.0")
    fleet.file("services/agent/more.txt", "another content\n")
    fleet.commit()
    refused = fleet.inv("release --tag v0.2.0").failed(6)
    assert first in refused.err
    assert "--overwrite" in refused.err
    assert harbour.manifest(fleet.registry, service, "v0.2.0").digest == first
    fleet.inv("release --tag v0.2.0 --overwrite").ok()
    second = harbour.manifest(fleet.registry, service, "v0.2.0").digest
    assert second != first

    fleet.file("VERSION", "0.2.1\n")
    fleet.commit()
    fleet.file("services/agent/more.txt", "not committed yet\n")
    assert "services/agent/more.txt" in fleet.inv("release --tag v0.2.1").failed(6).err
    assert names(fleet, service) == {"v0.2.0", "latest"}
    fleet.inv("release --tag v0.2.1 --dirty").ok()
    assert names(fleet, service) == {"v0.2.0", "v0.2.1", "latest"}
    assert harbour.manifest(fleet.registry, service, "v0.2.1").digest != second
