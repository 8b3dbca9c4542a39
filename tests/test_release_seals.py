"""Signatures, SBOMs and provenance of a release, each judged by its own tool: cosign, oras and syft, buildx."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tasks.engine import sboms
from tasks.planning.address import is_address
from tests import harbour, registries
from tests.scenario import Fleet

pytestmark = pytest.mark.engine

PASSWORD = "anchors-aweigh-0815"  # noqa: S105 - of a key made for the test
BOTH = ("linux/amd64", "linux/arm64")
SEALED = """
[release]
sign = "cosign.key"
sbom = true
provenance = "min"
"""


@pytest.fixture
def sealed(real: Fleet) -> Fleet:
    """Two images for two platforms, in a repository with a key beside it, and another repository to promote to."""
    for name in ("agent", "gateway"):
        real.image(name, f"FROM busybox:stable\nRUN echo {real.owner} {name} > /name\n")
    real.toml(
        '[defaults]\nplatforms = ["linux/amd64", "linux/arm64"]\n[images.agent]\n[images.gateway]\n'
        + SEALED
        + f'[promote.next]\nto = "{real.registry}/{real.owner}/next"\n'
    )
    real.file(".gitignore", "build.lock\ncosign.*\n")
    real.env["COSIGN_PASSWORD"] = PASSWORD
    real.run("cosign", "generate-key-pair").ok()
    real.commit()
    return real


def cosign_takes(fleet: Fleet, reference: str) -> bool:
    words = ("verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", reference)
    return fleet.run("cosign", *words).code == 0


def oras(fleet: Fleet, *words: str) -> Any:
    return json.loads(fleet.run("oras", *words).ok().out)


def repository(fleet: Fleet, below: str = "") -> str:
    return f"{fleet.owner}{below}/agent"


def judged(fleet: Fleet, below: str, tmp_path: Path) -> None:
    """Asks each tool for what is its own, at every digest of the image."""
    where = f"{fleet.registry}/{repository(fleet, below)}"
    named = harbour.manifest(fleet.registry, repository(fleet, below), "v0.2.0")
    assert cosign_takes(fleet, f"{where}:v0.2.0")
    show = ("buildx", "imagetools", "inspect", f"{where}:v0.2.0", "--format", "{{json .Provenance}}")
    provenance = fleet.run("docker", *show).ok().json
    platforms = [entry for entry in named.json["manifests"] if entry["platform"]["os"] == "linux"]
    assert len(platforms) == len(BOTH)
    for entry in platforms:
        platform = f"{entry['platform']['os']}/{entry['platform']['architecture']}"
        assert "SLSA" in provenance[platform]
        digest = f"{where}@{entry['digest']}"
        assert cosign_takes(fleet, digest)
        found = oras(fleet, "discover", "--artifact-type", sboms.KIND, "--format", "json", digest)
        [attached] = found.get("manifests") or found["referrers"]
        [layer] = oras(fleet, "manifest", "fetch", f"{where}@{attached['digest']}")["layers"]
        file = tmp_path / f"{entry['digest'][7:]}.json"
        fleet.run("oras", "blob", "fetch", "--output", str(file), f"{where}@{layer['digest']}").ok()
        told = fleet.run(sboms.program(), "convert", "--quiet", str(file), "--output", "syft-json").ok()
        assert "busybox" in {one["name"] for one in told.json["artifacts"]}


def test_what_a_release_names_is_signed_and_attested_as_its_own_tools_see_it(
    sealed: Fleet, tmp_path: Path
) -> None:
    sealed.inv("push").ok()  # an everyday push keeps the provenance for the release to come
    ran = sealed.inv("release --tag v0.2.0").ok()
    assert "4 platforms passed" in ran.err
    assert "building" not in ran.err
    assert "2 indexes are signed, and cosign verifies them" in ran.err
    judged(sealed, "", tmp_path)

    verified = sealed.inv("verify v0.2.0 --json").ok().json
    assert verified["seals"] == ["signature", "SBOM", "provenance"]
    [told] = {tuple(one["with"]) for one in verified["findings"]}
    assert told == ("signature (cosign verifies it)", "SBOM", "provenance")

    sealed.inv("promote v0.2.0 --to next").ok()
    judged(sealed, "/next", tmp_path)
    sealed.inv(f"verify v0.2.0 --owner {sealed.owner}/next").ok()

    # Nothing is made a second time, and the key's password is nowhere.
    before = harbour.tags(sealed.registry, repository(sealed))
    assert "nothing to do" in sealed.inv("release --tag v0.2.0").ok().err
    assert harbour.tags(sealed.registry, repository(sealed)) == before
    kept = [file for file in Path(sealed.env["XDG_STATE_HOME"]).rglob("*") if file.is_file()]
    assert not [file for file in kept if PASSWORD.encode() in file.read_bytes()]

    # Sweeping leaves what hangs on a named digest, and verify misses what is taken away.
    sealed.inv("clean --addresses --yes").ok()
    assert harbour.tags(sealed.registry, repository(sealed)) == {
        tag for tag in before if not is_address(tag)
    } | {tag for tag in before & harbour.tags(sealed.registry, repository(sealed)) if is_address(tag)}
    index = harbour.manifest(sealed.registry, repository(sealed), "v0.2.0")
    signature = f"{index.digest.replace(':', '-')}.sig"
    assert signature in harbour.tags(sealed.registry, repository(sealed))
    harbour.put(sealed.registry, repository(sealed), signature, index)
    failed = sealed.inv("verify v0.2.0").failed(5)
    assert "its signature is missing or does not hold" in failed.err
    assert "agent" in failed.err
    assert "gateway" not in failed.err


def test_a_registry_that_is_added_later_gets_its_sboms_too(sealed: Fleet) -> None:
    """The first registry has them since an earlier release, so the gate makes none."""
    one = """
    [[project.registries]]
    host = "{registry}"
    owner = "{owner}"
    """
    rest = "[images.agent]\n[release]\nsbom = true\n"
    sealed.toml(rest, head=one)
    sealed.commit()
    sealed.inv("release --tag v0.2.0").ok()
    sealed.toml(rest, head=one + one.replace("{registry}", "{registry}/second"))
    sealed.commit()
    sealed.inv("release --tag v0.3.0").ok()
    found = sealed.inv("verify v0.3.0 --json").ok().json["findings"]
    assert {tuple(name["with"]) for name in found} == {("SBOM",)}
    assert len(found) == 6


def test_verify_believes_no_list_of_what_is_gone(sealed: Fleet) -> None:
    """A clean-up takes manifests; the index and the list of what is attached name them all the same."""
    sealed.toml(
        '[defaults]\nplatforms = ["linux/amd64", "linux/arm64"]\n[images.agent]\n[images.gateway]\n'
        '[release]\nsbom = true\nprovenance = "min"\n'
    )
    sealed.commit()
    sealed.inv("release --tag v0.2.0").ok()
    assert "SBOM, provenance" in sealed.inv("verify v0.2.0").ok().out
    images = {name: f"{sealed.owner}/{name}" for name in ("agent", "gateway")}

    def wrong() -> dict[str, str]:
        found = sealed.inv("verify v0.2.0 --json").failed(5).json["findings"]
        latest = [one for one in found if one["reference"].endswith(":latest")]
        return {one["reference"].split("/")[-1]: one["found"] for one in latest if not one["ok"]}

    named = harbour.manifest(sealed.registry, images["agent"], "latest").json["manifests"]
    spoken = [one for one in named if one["platform"]["os"] == "unknown"]
    assert len(spoken) == len(BOTH)
    harbour.delete(sealed.registry, images["agent"], spoken[0]["digest"])
    assert wrong() == {"agent:latest": "its provenance is missing or does not hold"}

    index = harbour.manifest(sealed.registry, images["gateway"], "latest").json["manifests"]
    [arm] = [one["digest"] for one in index if one["platform"]["architecture"] == "arm64"]
    where = f"{sealed.registry}/{images['gateway']}@{arm}"
    found = oras(sealed, "discover", "--artifact-type", sboms.KIND, "--format", "json", where)
    [attached] = found.get("manifests") or found["referrers"]
    harbour.delete(sealed.registry, images["gateway"], attached["digest"])
    assert wrong()["gateway:latest"] == "its SBOM is missing or does not hold"

    harbour.delete(sealed.registry, images["gateway"], arm)
    assert wrong()["gateway:latest"] == f"platforms are missing: {where}"


def test_no_name_points_to_what_could_not_be_signed_or_listed(sealed: Fleet) -> None:
    wrong = sealed.inv("release --tag v0.2.0", env={"COSIGN_PASSWORD": "another"}).failed(3)
    assert "cosign.key" in wrong.err
    assert harbour.tags(sealed.registry, repository(sealed)) == set(), (
        "a wrong password is told before a build"
    )

    # The second signature fails: cosign itself, but for one image.
    real_one = sealed.run("which", "cosign").ok().out.strip()
    sealed.file(
        "bin/cosign",
        f'#!/bin/sh\ncase "$*" in sign*gateway@*) echo "no signing today" >&2; exit 1;; esac\nexec {real_one} "$@"\n',
        mode=0o755,
    )
    sealed.file(".gitignore", "build.lock\ncosign.*\nbin/\n")
    sealed.commit()
    path = {"PATH": f"{sealed.root}/bin:{sealed.env['PATH']}"}
    assert "no signing today" in sealed.inv("release --tag v0.2.0", env=path).failed(6).err
    for name in ("agent", "gateway"):
        assert not {"v0.2.0", "0.2", "latest"} & harbour.tags(sealed.registry, f"{sealed.owner}/{name}")

    # An SBOM that does not come is a gate that was not passed.
    broken = sealed.file("bin/syft", "#!/bin/sh\necho 'not today' >&2\nexit 1\n", mode=0o755)
    for name in ("agent", "gateway"):
        sealed.image(name, f"FROM busybox:stable\nRUN echo {sealed.owner} other {name} > /name\n")
    sealed.commit()
    failed = sealed.inv("release --tag v0.2.0 --images gateway", env=path).failed(5)
    assert "sbom: gateway linux/arm64" in failed.err
    assert "not today" in failed.err
    broken.unlink()
    assert not {"v0.2.0", "0.2", "latest"} & harbour.tags(sealed.registry, repository(sealed))


def test_a_registry_with_a_login_and_a_certificate_of_its_own_takes_all_of_it(
    sealed: Fleet, tmp_path: Path
) -> None:
    made = registries.certificate(tmp_path / "made")
    folder = tmp_path / "registry"
    with registries.registry(sealed.env, folder, htpasswd=True, certificate=made, delete=True) as running:
        trusted = tmp_path / "config" / "docker" / "certs.d" / running.host
        trusted.mkdir(parents=True)
        (trusted / "ca.crt").write_bytes(made[0].read_bytes())
        client = Path(sealed.env["DOCKER_CONFIG"])
        mine = tmp_path / "docker"
        mine.mkdir()
        (mine / "cli-plugins").symlink_to(client / "cli-plugins")
        sealed.env |= {"DOCKER_CONFIG": str(mine), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        login = ("docker", "login", "--username", registries.USER, "--password-stdin", running.host)
        subprocess.run(
            login, input=registries.PASSWORD, text=True, env=sealed.env, check=True, capture_output=True
        )
        sealed.registry = running.host
        sealed.toml("[images.agent]\n" + SEALED)
        sealed.commit()
        ran = sealed.inv("release --tag v0.2.0").ok()
        assert registries.PASSWORD not in ran.out + ran.err
        assert "cosign verifies it), SBOM, provenance" in sealed.inv("verify v0.2.0").ok().out


def test_signing_that_broke_off_is_done_again_and_missed_by_verify(sealed: Fleet) -> None:
    """The key signs an index first and its platforms after it; whoever pulls one of those tries that signature."""
    sealed.inv("release --tag v0.2.0").ok()
    named = harbour.manifest(sealed.registry, repository(sealed), "latest")
    name = f"{named.of_platform['linux/arm64'].replace(':', '-')}.sig"
    signature = harbour.manifest(sealed.registry, repository(sealed), name)
    harbour.delete(sealed.registry, repository(sealed), signature.digest)
    failed = sealed.inv("verify v0.2.0").failed(5)
    assert "agent:latest: its signature is missing" in failed.err
    sealed.inv("release --tag v0.2.0").ok()
    sealed.inv("verify v0.2.0").ok()


def test_a_promotion_leaves_the_signatures_that_stand_at_its_destination(sealed: Fleet) -> None:
    sealed.inv("release --tag v0.2.0").ok()
    sealed.inv("promote v0.2.0 --to next").ok()
    theirs = f"{sealed.registry}/{repository(sealed, '/next')}:v0.2.0"
    name = f"{harbour.manifest(sealed.registry, repository(sealed), 'v0.2.0').digest.replace(':', '-')}.sig"
    ours = harbour.manifest(sealed.registry, repository(sealed, "/next"), name)
    harbour.delete(sealed.registry, repository(sealed, "/next"), ours.digest)
    sealed.run("cosign", "generate-key-pair", "--output-key-prefix", "cosign.theirs").ok()
    sign = ("sign", "--yes", "--tlog-upload=false", "--key", "cosign.theirs.key", theirs)
    sealed.run("cosign", *sign).ok()
    verify = ("verify", "--insecure-ignore-tlog=true", theirs, "--key")
    assert sealed.run("cosign", *verify, "cosign.pub").code
    sealed.inv("promote v0.2.0 --to next").ok()
    for key in ("cosign.pub", "cosign.theirs.pub"):
        sealed.run("cosign", *verify, key).ok()
    both = harbour.manifest(sealed.registry, repository(sealed, "/next"), name)
    sealed.inv("promote v0.2.0 --to next").ok()
    assert harbour.manifest(sealed.registry, repository(sealed, "/next"), name) == both
