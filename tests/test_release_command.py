"""`inv release` from end to end on the real engine and real registries, judged by reading the registry directly."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import harbour, registries
from tests.conftest import PrivateEngine
from tests.saboteur import Fault, Sea, sabotaged
from tests.scenario import Fleet

pytestmark = pytest.mark.engine

SERVICES = ("agent", "indexer", "gateway")


@pytest.fixture
def services(real: Fleet) -> Fleet:
    """Three services, in a repository with one commit."""
    for name in SERVICES:
        real.image(name, f"FROM busybox:stable\nRUN echo {real.owner} {name} > /name\n")
    real.toml("".join(f"[images.{name}]\n" for name in SERVICES))
    real.file(".gitignore", "build.lock\n")
    real.commit()
    return real


@contextmanager
def stormy(services: Fleet, folder: Path, *, delete: bool = True) -> Iterator[tuple[Sea, str, str]]:
    """A registry of one's own behind a proxy that can do wrong: what lies between, the proxy's address, its own."""
    with (
        registries.registry(services.env, folder / "registry", delete=delete) as running,
        sabotaged(sea := Sea(), "A", running.host) as host,
    ):
        yield sea, host, running.host


def names(fleet: Fleet, image: str = "agent") -> set[str]:
    """The names an image has: what Argosy keeps for itself in the repository is none."""
    found = harbour.tags(fleet.registry, f"{fleet.owner}/{image}")
    return {tag for tag in found if not tag.startswith("argosy-")}


def digest(fleet: Fleet, image: str, tag: str) -> str:
    return harbour.manifest(fleet.registry, f"{fleet.owner}/{image}", tag).digest


def test_a_release_names_every_image_and_says_what_it_is(services: Fleet) -> None:
    commit = services.git("rev-parse", "HEAD")
    released = services.inv("release --tag v0.2.0 --platforms linux/amd64,linux/arm64").ok()
    assert released.err.endswith("done       v0.2.0 is released: 3 images under 9 names\n")
    for name in SERVICES:
        assert names(services, name) == {"v0.2.0", "0.2", "latest"}
        found = harbour.manifest(services.registry, f"{services.owner}/{name}", "latest")
        assert found.platforms == {"linux/amd64", "linux/arm64"}
        annotations = found.json["annotations"]
        assert annotations["org.opencontainers.image.version"] == "0.2.0"
        assert annotations["org.opencontainers.image.revision"] == commit
        assert annotations["org.opencontainers.image.title"] == name
        assert annotations["dev.argosy.release"] == "v0.2.0"
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", annotations["org.opencontainers.image.created"]
        )
        assert digest(services, name, "v0.2.0") == found.digest
    assert services.git("rev-parse", "v0.2.0") == commit
    assert services.inv("history --json").ok().json["releases"][0]["revision"] == commit
    assert "9 of 9 names stand" in services.inv("verify v0.2.0").ok().out


def test_a_release_again_changes_nothing_and_another_content_is_refused(services: Fleet) -> None:
    services.inv("release --tag v0.2.0").ok()
    first = digest(services, "agent", "v0.2.0")
    again = services.inv("release --tag v0.2.0").ok()
    assert "unchanged" in again.out
    assert digest(services, "agent", "v0.2.0") == first
    before = harbour.tags(services.registry, f"{services.owner}/agent")
    services.git("tag", "-d", "v0.2.0")
    services.image("agent", f"FROM busybox:stable\nRUN echo {services.owner} other > /name\n")
    commit = services.commit()
    refused = services.inv("release --tag v0.2.0").failed(6)
    assert "Nothing was built" in refused.err
    assert first in refused.err
    assert "--overwrite" in refused.err
    assert harbour.tags(services.registry, f"{services.owner}/agent") == before, (
        "it was refused before a build"
    )
    services.inv("release --tag v0.2.0 --overwrite").ok()
    assert digest(services, "agent", "v0.2.0") != first
    named = harbour.manifest(services.registry, f"{services.owner}/agent", "v0.2.0").json
    assert named["annotations"]["org.opencontainers.image.revision"] == commit


def test_more_platforms_and_a_name_that_no_release_made_are_refused_before_a_build(services: Fleet) -> None:
    services.inv("release --tag v0.2.0 --images agent").ok()
    more = services.inv("release --tag v0.2.0 --images agent --platforms linux/amd64,linux/arm64").failed(6)
    assert "agent:v0.2.0: stands at" in more.err
    assert "release v0.2.0 for linux/amd64" in more.err
    services.inv("push --images gateway --tags v0.2.0").ok()
    pushed = services.inv("release --tag v0.2.0 --images gateway").failed(6)
    assert f"{digest(services, 'gateway', 'v0.2.0')}, which no release made" in pushed.err


def test_the_plan_of_names_is_shown_before_what_stands_in_the_way_is_refused(services: Fleet) -> None:
    services.inv("release --tag v0.2.0").ok()
    services.git("tag", "-d", "v0.2.0")
    services.image("agent", f"FROM busybox:stable\nRUN echo {services.owner} other > /name\n")
    services.commit()
    for line in ("release --tag v0.2.0 --plan", "release --tag v0.2.0 --plan --json"):
        planned = services.inv(line).failed(6)
        assert "WOULD OVERWRITE" in planned.out
        assert digest(services, "agent", "v0.2.0") in planned.err
        assert "--overwrite" in planned.err
    # The revision is the same and the content is not: that shows only in what was built.
    services.inv("release --tag v0.2.0 --overwrite").ok()
    services.image("agent", f"FROM busybox:stable\nRUN echo {services.owner} dirty > /name\n")
    dirty = services.inv("release --tag v0.2.0 --dirty").failed(6)
    assert "WOULD OVERWRITE" in dirty.out
    assert "Nothing was moved" in dirty.err


def test_a_plan_of_names_moves_none(services: Fleet) -> None:
    planned = services.inv("release --tag v0.2.0 --plan --json").ok().json
    assert planned["released"] is False
    assert {name["change"] for name in planned["names"]} == {"new"}
    assert names(services) == set()


def test_a_version_file_that_says_another_version_refuses_the_release(services: Fleet) -> None:
    services.file("VERSION", "0.1.0\n")
    services.toml(
        "".join(f"[images.{name}]\n" for name in SERVICES) + '[version]\nsources = [{ file = "VERSION" }]\n',
        head='[project]\nregistry = "{registry}"\nowner = "{owner}"\n',
    )
    services.commit()
    refused = services.inv("release --tag v0.2.0").failed(6)
    assert "VERSION says 0.1.0" in refused.err
    services.file("VERSION", "0.2.0\n")
    dirty = services.inv("release --tag v0.2.0").failed(6)
    assert "VERSION" in dirty.err
    assert "--dirty" in dirty.err
    assert names(services) == set()
    services.commit()
    services.inv("release --tag v0.2.0").ok()
    assert names(services) == {"v0.2.0", "0.2", "latest"}


def test_an_older_version_and_a_pre_release_leave_the_names_people_pull_by(services: Fleet) -> None:
    services.toml(
        "".join(f"[images.{name}]\n" for name in SERVICES)
        + '[tags]\nrelease = ["{version}", "{major}.{minor}", "{major}", "latest", "sha-{sha}"]\n'
        + 'prerelease = ["{version}", "latest"]\n'
    )
    sha = services.commit()[:7]
    services.inv("release --tag v1.2.3-rc1").ok()
    assert names(services) == {"1.2.3-rc1"}
    services.inv("release --tag v1.2.3").ok()
    assert names(services) == {"1.2.3-rc1", "1.2.3", "1.2", "1", "latest", f"sha-{sha}"}
    latest = digest(services, "agent", "latest")
    services.inv("release --tag v1.1.9").ok()
    assert digest(services, "agent", "latest") == digest(services, "agent", "1") == latest
    assert "1.1" not in names(services)
    refused = services.inv("release --tag v1.2.2").failed(6)
    assert "1.2.3" in refused.err


def test_images_that_share_a_repository_have_versions_of_their_own_names(services: Fleet) -> None:
    """`agent-1.2.3` is a full version like any other, and `agent-latest` rolls."""
    services.toml(
        "".join(f"[images.{name}]\n" for name in SERVICES)
        + '[tags]\nrelease = ["{image}-{version}", "{image}-{major}.{minor}", "{image}-latest"]\n',
        head=f'[project]\nregistry = "{services.registry}"\nowner = "{services.owner}"\nrepository = "fleet"\n'
        'version = "0.1.0"\n',
    )
    services.commit()
    services.inv("release --tag v1.2.3").ok()
    assert names(services, "fleet") == {
        f"{name}-{tag}" for name in SERVICES for tag in ("1.2.3", "1.2", "latest")
    }
    services.git("tag", "-d", "v1.2.3")
    services.image("agent", f"FROM busybox:stable\nRUN echo {services.owner} other > /name\n")
    services.commit()
    refused = services.inv("release --tag v1.2.3").failed(6)
    assert "fleet:agent-1.2.3: stands at" in refused.err
    assert "Nothing was built" in refused.err
    before = services.inv("release --tag v1.1.9 --plan").ok()
    assert before.out.count("stays: 1.2.3 is newer") == 6
    services.inv("release --tag v1.2.4").ok()
    services.inv("rollback v1.2.4").ok()
    assert digest(services, "fleet", "agent-latest") == digest(services, "fleet", "agent-1.2.3")
    assert digest(services, "fleet", "agent-1.2.4") != digest(services, "fleet", "agent-1.2.3")


def test_an_image_with_a_version_of_its_own_keeps_and_rolls_it_also_behind_a_word(
    services: Fleet, tmp_path: Path
) -> None:
    """`agent-3.1.0` never moves and `agent-latest` rolls, here and where it is promoted to."""
    with registries.registry(services.env, tmp_path / "registry", delete=True) as running:

        def released(tag: str, version: str) -> str:
            services.toml(
                f'[images.agent]\nversion = "{version}"\n[images.gateway]\n'
                '[tags]\nrelease = ["{image}-{version}", "{image}-latest"]\n'
                f'[promote.production]\nto = "{running.host}/production"\n'
            )
            services.image("agent", f"FROM busybox:stable\nRUN echo {services.owner} {version} > /name\n")
            services.commit()
            services.inv(f"release --tag {tag}").ok()
            services.inv(f"promote {tag} --to production").ok()
            return digest(services, "agent", f"agent-{version}")

        first = released("v0.1.0", "3.1.0")
        older = released("v0.2.0", "3.0.9")
        for host, owner in ((services.registry, services.owner), (running.host, "production")):
            at = {
                name: harbour.manifest(host, f"{owner}/agent", f"agent-{name}")
                for name in ("latest", "3.0.9")
            }
            assert {name: found.digest for name, found in at.items()} == {"latest": first, "3.0.9": older}
            rolled = harbour.manifest(host, f"{owner}/gateway", "gateway-latest").json
            assert rolled["annotations"]["dev.argosy.release"] == "v0.2.0"
        services.image("agent", f"FROM busybox:stable\nRUN echo {services.owner} other > /name\n")
        services.commit()
        refused = services.inv("release --tag v0.3.0").failed(6)
        assert f"agent:agent-3.0.9: stands at {older}" in refused.err
        assert "Nothing was built" in refused.err


def test_an_image_that_fails_leaves_nothing_published(services: Fleet) -> None:
    services.image("gateway", "FROM busybox:stable\nRUN false\n")
    services.commit()
    services.inv("release --tag v0.2.0").failed(4)
    assert [names(services, name) for name in SERVICES] == [set(), set(), set()]


def test_what_changes_while_it_is_built_is_not_released(services: Fleet) -> None:
    """What was built is of no commit: it gets no name, and nobody finds it at the address of what was there first."""
    services.image("gateway", "FROM busybox:stable\nCOPY main.txt /\nRUN sleep 4\n")
    services.file("docker/gateway/main.txt", f"{services.owner} one")
    services.commit()
    running = services.start("release --tag v0.2.0")
    assert running.stderr
    while "COPY main.txt" not in running.stderr.readline():  # said once it is done; four seconds are left
        pass
    services.file("docker/gateway/main.txt", f"{services.owner} two")
    _, said = running.communicate(timeout=120)
    assert running.returncode == 6, said
    assert "files of gateway changed while they were built" in said
    assert [names(services, name) for name in SERVICES] == [set(), set(), set()]
    services.file("docker/gateway/main.txt", f"{services.owner} one")
    planned = services.inv("plan --output push --format json").ok().json["images"]
    assert {image["name"]: image["action"] for image in planned} == {
        "agent": "reuse",
        "gateway": "build",
        "indexer": "reuse",
    }
    services.inv("release --tag v0.2.0").ok()


def test_what_is_read_after_the_tree_was_looked_at_must_be_of_the_commit_too(services: Fleet) -> None:
    """`before` and build.lock write between the look at the tree and the reading of files."""
    services.image("gateway", "FROM busybox:stable\nCOPY main.txt /\n")
    services.file("docker/gateway/main.txt", f"{services.owner} one")
    before = 'before = [["sh", "-c", "echo two > docker/gateway/main.txt"]]\n'
    plain = (services.root / "build.toml").read_text()
    services.file("build.toml", plain.replace("[images.gateway]\n", f"[images.gateway]\n{before}"))
    services.commit()
    refused = services.inv("release --tag v0.2.0").failed(6)
    assert "differ from the commit that would be released: docker/gateway/main.txt" in refused.err
    services.git("checkout", "-q", ".")
    services.file("build.toml", plain)
    (services.root / ".gitignore").unlink()
    (services.root / "build.lock").unlink(missing_ok=True)
    services.commit()
    refused = services.inv("release --tag v0.2.0").failed(6)
    assert "differ from the commit that would be released: build.lock" in refused.err
    assert "build.lock keeps the digests of outside bases. Commit them" in refused.err
    assert [names(services, name) for name in SERVICES] == [set(), set(), set()]
    services.commit()
    services.inv("release --tag v0.2.0").ok()


def test_one_image_of_the_fleet_can_be_released(services: Fleet) -> None:
    services.inv("release --tag v0.2.0 --images gateway").ok()
    assert names(services, "gateway") == {"v0.2.0", "0.2", "latest"}
    assert names(services, "agent") == set()
    assert "gateway" in services.inv("history").ok().out


def test_push_leaves_a_release_alone_and_rollback_brings_the_names_back(services: Fleet) -> None:
    services.toml(
        "".join(f"[images.{name}]\n" for name in SERVICES)
        + f'[promote.next]\nto = "{services.registry}/{services.owner}/next"\n'
    )
    services.commit()
    services.inv("release --tag v0.2.0").ok()
    old = {name: digest(services, name, "latest") for name in SERVICES}
    services.inv("push --tags v0.2.0,latest").ok()  # over what they have already its names stay
    assert {name: digest(services, name, "latest") for name in SERVICES} == old
    services.image("agent", "FROM busybox:stable\nRUN echo newer > /name\n")
    services.commit()
    assert old["agent"] in services.inv("push --tags v0.2.0").failed(6).err
    services.inv("release --tag v0.3.0").ok()
    assert digest(services, "agent", "latest") != old["agent"]
    services.inv("rollback v0.3.0").ok()
    assert {name: digest(services, name, "latest") for name in SERVICES} == old
    assert "v0.3.0" in names(services)
    assert "went back" in services.inv("verify v0.3.0").ok().out
    assert "v0.3.0 went back" in services.inv("promote v0.3.0 --to next").ok().err


def test_a_release_that_ended_is_rolled_back_by_its_own_flag_too(services: Fleet) -> None:
    services.inv("release --tag v0.2.0").ok()
    old = {name: digest(services, name, "latest") for name in SERVICES}
    services.image("agent", f"FROM busybox:stable\nRUN echo {services.owner} newer > /name\n")
    services.commit()
    services.inv("release --tag v0.3.0").ok()
    full = {name: digest(services, name, "v0.3.0") for name in SERVICES}
    back = services.inv("release --tag v0.3.0 --rollback", env={"DOCKER_HOST": "unix:///nowhere.sock"}).ok()
    assert "it means this version for ever" in " ".join(back.out.split())
    assert {name: digest(services, name, "latest") for name in SERVICES} == old
    assert {name: digest(services, name, "v0.3.0") for name in SERVICES} == full


def test_a_way_back_that_did_not_end_is_completed_whatever_is_typed(services: Fleet, tmp_path: Path) -> None:
    """It is no release under way: `inv rollback` again must not put `latest` back onto it."""
    with stormy(services, tmp_path) as (sea, host, _):
        services.registry = host
        services.toml("[images.agent]\n")
        services.commit()
        services.inv("release --tag v0.2.0").ok()
        old = digest(services, "agent", "latest")
        services.commit()
        services.inv("release --tag v0.3.0").ok()
        new = digest(services, "agent", "latest")
        for again in ("rollback v0.3.0", "release --tag v0.3.0 --rollback", "release --tag v0.3.0 --resume"):
            sea.calm("")
            record = f"/v2/{services.owner}/agent/manifests/argosy-release-v0.3.0"
            sea.faults = [Fault(("A", "PUT", record, 1), "refused")]
            failed = services.inv("rollback v0.3.0").failed(7)
            assert "Complete it: inv rollback v0.3.0  (its names are at " in failed.err
            refused = services.inv("release --tag v0.4.0").failed(6)
            assert "the way back of v0.3.0, begun" in refused.err
            assert "--rollback" not in refused.err
            services.inv(again).ok()
            assert digest(services, "agent", "latest") == old
            assert services.inv("history --json").ok().json["releases"][0]["rolled_back"]
            services.inv("release --tag v0.3.0").ok()
            assert digest(services, "agent", "latest") == new


def test_names_go_back_only_to_what_is_whole(services: Fleet) -> None:
    services.inv("release --tag v0.2.0").ok()
    old = harbour.manifest(services.registry, f"{services.owner}/agent", "latest")
    for name in SERVICES:
        services.image(name, f"FROM busybox:stable\nRUN echo {services.owner} newer {name} > /name\n")
    services.commit()
    services.inv("release --tag v0.3.0").ok()
    now = {name: digest(services, name, "latest") for name in SERVICES}
    [child] = old.json["manifests"]
    harbour.delete(services.registry, f"{services.owner}/agent", child["digest"])
    refused = services.inv("rollback v0.3.0").failed(6)
    assert "not whole any more" in refused.err
    assert f"{services.owner}/agent@{child['digest']}" in refused.err
    harbour.delete(services.registry, f"{services.owner}/agent", old.digest)
    assert (
        f"stood at {old.digest} before, and that is not there"
        in services.inv("rollback v0.3.0").failed(6).err
    )
    assert {name: digest(services, name, "latest") for name in SERVICES} == now


def test_history_says_which_commit_made_a_digest(services: Fleet) -> None:
    services.inv("release --tag v0.2.0").ok()
    first = harbour.manifest(services.registry, f"{services.owner}/agent", "v0.2.0")
    services.image("agent", f"FROM busybox:stable\nRUN echo {services.owner} newer > /name\n")
    commit = services.commit()
    services.inv("release --tag v0.3.0").ok()
    second = harbour.manifest(services.registry, f"{services.owner}/agent", "v0.3.0")

    def made(digest: str) -> list[tuple[str, str]]:
        found = services.inv(f"history --digest {digest} --json").ok().json["releases"]
        return [(one["tag"], one["revision"]) for one in found]

    assert made(second.digest) == [("v0.3.0", commit)]
    assert made(second.json["manifests"][0]["digest"]) == [("v0.3.0", commit)]
    [(tag, revision)] = made(f"{services.registry}/{services.owner}/agent@{first.digest}")
    assert (tag, revision) == ("v0.2.0", services.git("rev-parse", "v0.2.0"))
    # The platform of an image that did not change is in both, the newest first.
    same = harbour.manifest(services.registry, f"{services.owner}/gateway", "v0.2.0").json["manifests"][0]
    assert [one for one, _ in made(same["digest"])] == ["v0.3.0", "v0.2.0"]
    assert made("sha256:" + "0" * 64) == []
    none = services.inv("history --digest 0000").ok()
    assert none.out == ""
    assert none.err == f"no release with 0000 is on record at {services.registry}/{services.owner}/agent\n"
    shown = services.inv(f"history --digest {second.digest}").ok().out
    assert commit[:12] in shown
    assert "v0.2.0" not in shown


def test_the_record_is_a_file_as_well_and_every_step_that_is_skipped_is_said(services: Fleet) -> None:
    ran = services.inv("release --tag v0.2.0").ok()
    [file] = Path(services.env["XDG_STATE_HOME"]).glob("argosy/*/release/records/v0.2.0.json")
    assert f"record     a copy of it is in {file}" in ran.err
    kept = json.loads(file.read_text())
    assert (kept["schema"], kept["tag"], kept["rolled_back"]) == (1, "v0.2.0", "")
    assert kept["revision"] == services.git("rev-parse", "HEAD")
    assert {one["digest"] for one in kept["names"]} == {digest(services, name, "latest") for name in SERVICES}
    steps = ran.err.splitlines()
    for skipped in (
        "bump       skipped: no --bump",
        "lockstep   skipped: build.toml has no [[lockstep]]",
        "gates      skipped: none is set",
        "seal       skipped: no SBOM (release.sbom), no signature (release.sign), no provenance (release.provenance)",
    ):
        assert skipped in steps
    services.inv("release --tag v0.2.0 --rollback").ok()
    assert json.loads(file.read_text())["rolled_back"] == "", "no name was to go back"


def test_verify_tells_what_was_moved_and_prints_references(services: Fleet, engine: PrivateEngine) -> None:
    services.inv("release --tag v0.2.0").ok()
    printed = services.inv("verify v0.2.0 --references").ok().out.split()
    assert f"{services.registry}/{services.owner}/agent@{digest(services, 'agent', 'v0.2.0')}" in printed
    engine.docker("pull", "-q", printed[1])
    engine.docker("image", "rm", printed[1])
    assert services.inv("verify v9.9.9").failed(2).err.count("v0.2.0") == 1


def test_a_journal_refuses_the_next_release_until_it_is_resumed(services: Fleet) -> None:
    services.inv("release --tag v0.2.0").ok()
    [record] = services.inv("history --json").ok().json["releases"]
    assert record["tag"] == "v0.2.0"
    folder = next(Path(services.env["XDG_STATE_HOME"]).glob("argosy/*/release"))
    assert not (folder / "journal.json").exists()
    assert services.inv("release --tag v0.2.0 --resume").failed(6).err.count("v0.2.0 is not under way") == 1


def test_a_release_that_did_not_end_is_resumed_or_taken_back(services: Fleet, tmp_path: Path) -> None:
    """The record is refused once: all names stand, the release is not over, and no other may begin."""
    with stormy(services, tmp_path) as (sea, host, _):
        services.registry = host
        services.toml("[images.agent]\n[images.gateway]\n")
        services.commit()
        record = f"/v2/{services.owner}/agent/manifests/argosy-release-v0.2.0"
        for way in ("--rollback", "--resume"):
            sea.calm("")
            sea.faults = [Fault(("A", "PUT", record, 1), "refused")]
            failed = services.inv("release --tag v0.2.0").failed(7)
            assert "--resume" in failed.err
            refused = services.inv("release --tag v0.3.0").failed(6)
            assert "v0.2.0" in refused.err
            assert "did not end" in refused.err
            assert "v0.2.0" in services.inv("release --tag v0.3.0 --resume").failed(6).err
            assert names(services) == {"v0.2.0", "0.2", "latest"}
            services.inv(f"release --tag v0.2.0 {way}", env={"DOCKER_HOST": "unix:///nowhere.sock"}).ok()
            assert names(services) == (set() if way == "--rollback" else {"v0.2.0", "0.2", "latest"})
        assert services.git("rev-parse", "v0.2.0") == services.git("rev-parse", "HEAD")
        assert services.inv("verify v0.2.0").ok()
        services.inv("release --tag v0.3.0").ok()


@pytest.mark.parametrize("delete", [True, False], ids=["deletion is on", "deletion is off"])
def test_what_a_release_that_did_not_end_needs_is_not_swept(
    services: Fleet, tmp_path: Path, delete: bool
) -> None:
    """Its journal is with the agent; what it staged, and no name stands on yet, is with the gateway too."""
    with stormy(services, tmp_path, delete=delete) as (sea, host, direct):
        services.registry = host
        services.toml("[images.agent]\n[images.gateway]\n")
        services.commit()
        sea.faults = [Fault(("A", "PUT", f"/v2/{services.owner}/agent/manifests/v0.2.0", 1), "outage")]
        services.inv("release --tag v0.2.0").failed(7)
        sea.calm("")
        kept = harbour.tags(direct, f"{services.owner}/gateway")
        swept = services.inv("clean --addresses --images gateway --yes").ok().out
        assert f"{services.owner}/agent: a release is under way or was cut off" in swept
        assert harbour.tags(direct, f"{services.owner}/gateway") == kept
        services.inv("release --tag v0.2.0 --resume").ok()
        assert "under way" not in services.inv("clean --addresses --yes").ok().out


def test_a_journal_that_nobody_can_read_any_more_is_taken_away_by_a_person(
    services: Fleet, tmp_path: Path
) -> None:
    """Its registry was killed while it wrote the tag, and whoever began the release has nothing on disk."""
    with registries.registry(services.env, tmp_path / "registry", delete=True) as running:
        services.registry = running.host
        services.toml("[images.agent]\n")
        services.commit()
        services.inv("release --tag v0.2.0").ok()
        kept = running.folder / "data/docker/registry/v2/repositories" / services.owner / "agent"
        link = kept / "_manifests/tags/argosy-journal/current/link"
        link.parent.mkdir(parents=True)
        link.write_text("")
        for line in ("release --tag v0.3.0", "release --tag v0.3.0 --resume", "rollback v0.2.0 --yes"):
            refused = services.inv(line).failed(6)
            assert "argosy-journal cannot be read" in refused.err
            assert "--resume --yes takes the torn one away" in refused.err
        mended = services.inv("release --tag v0.3.0 --resume --yes").failed(6)
        assert "argosy-journal could not be read, and is taken away" in mended.err
        services.inv("release --tag v0.3.0").ok()


def test_two_registries_get_the_same_digests(services: Fleet) -> None:
    services.file(
        "build.toml",
        f"""
        [project]
        version = "0.1.0"
        [[project.registries]]
        host = "{services.registry}"
        owner = "{services.owner}"
        [[project.registries]]
        host = "{services.registry}/second"
        owner = "{services.owner}"
        repository = "kiisrv-{{image}}"
        [images.agent]
        """,
    )
    services.commit()
    services.inv("release --tag v0.2.0").ok()
    second = harbour.manifest(services.registry, f"second/{services.owner}/kiisrv-agent", "latest")
    assert second.digest == digest(services, "agent", "latest") == digest(services, "agent", "v0.2.0")


def test_a_promotion_copies_digests_and_leaves_the_source_as_it_is(services: Fleet, tmp_path: Path) -> None:
    with registries.registry(services.env, tmp_path / "registry", delete=True) as running:
        services.toml(
            f"""
            [images.agent]
            [images.gateway]
            [promote.production]
            to = "{running.host}/production"
            [promote.next]
            to = "{services.registry}/{services.owner}/next"
            """
        )
        services.commit()
        services.inv("release --tag v0.2.0 --platforms linux/amd64,linux/arm64").ok()
        before = harbour.tags(services.registry, f"{services.owner}/agent")
        services.inv("promote v0.2.0 --to production").ok()
        services.inv("promote v0.2.0 --to next").ok()
        for host, owner in ((running.host, "production"), (services.registry, f"{services.owner}/next")):
            for name in ("agent", "gateway"):
                for tag in ("v0.2.0", "0.2", "latest"):
                    found = harbour.manifest(host, f"{owner}/{name}", tag)
                    assert found.digest == digest(services, name, tag)
                for entry in found.json["manifests"]:
                    assert (
                        harbour.manifest(host, f"{owner}/{name}", entry["digest"]).digest == entry["digest"]
                    )
        assert harbour.tags(services.registry, f"{services.owner}/agent") == before
        assert "production" in services.inv("promote v0.2.0 --to producton").failed(2).err


def test_a_promotion_is_found_where_its_history_is_asked_for(services: Fleet) -> None:
    """What stands on what, and which images were released, moves no record: build.toml's first image has it."""
    services.image("agent", f"FROM {services.owner}/gateway\n")
    to = f"{services.registry}/{services.owner}/next"
    services.toml(f'[images.agent]\n[images.gateway]\n[promote.next]\nto = "{to}"\n')
    services.commit()
    there = f"--registry {services.registry} --owner {services.owner}/next"
    for line, tag in (("", "v0.2.0"), ("--images gateway", "v0.3.0")):
        services.inv(f"release --tag {tag} {line}").ok()
        services.inv(f"promote {tag} --to next").ok()
        assert services.inv(f"history {there} --json").ok().json["releases"][0]["tag"] == tag
        services.inv(f"verify {tag} {there}").ok()
    services.inv(f"rollback v0.3.0 {there}").ok()


@pytest.mark.parametrize("disk", ["here", "lost"])
def test_a_promotion_that_did_not_end_is_completed_or_taken_back(
    services: Fleet, tmp_path: Path, disk: str
) -> None:
    with stormy(services, tmp_path) as (sea, host, direct):
        services.toml(f'[images.agent]\n[images.gateway]\n[promote.production]\nto = "{host}/production"\n')
        services.commit()
        services.inv("release --tag v0.2.0").ok()
        record = "/v2/production/agent/manifests/argosy-release-v0.2.0"
        there = {"agent": "production/agent", "gateway": "production/gateway"}

        def found() -> set[str]:
            tags = [tag for where in there.values() for tag in harbour.tags(direct, where)]
            return {tag for tag in tags if not tag.startswith(("argosy-", "sha256-"))}

        for way in ("--rollback", "--resume"):
            sea.calm("")
            sea.faults = [Fault(("A", "PUT", record, 1), "refused")]
            failed = services.inv("promote v0.2.0 --to production").failed(7)
            assert f"inv promote v0.2.0 --to production {way}" in failed.err
            if disk == "lost":
                shutil.rmtree(services.env["XDG_STATE_HOME"])
            again = services.inv("promote v0.2.0 --to production").failed(6)
            assert "the promotion of v0.2.0 to production, begun" in again.err
            assert f"inv promote v0.2.0 --to production {way}" in again.err
            assert found() == {"v0.2.0", "0.2", "latest"}
            services.inv(f"promote v0.2.0 --to production {way}").ok()
            assert found() == (set() if way == "--rollback" else {"v0.2.0", "0.2", "latest"})
        nothing = services.inv("promote v0.2.0 --to production --rollback").failed(6)
        assert "the promotion of v0.2.0 to production is not under way" in nothing.err
        assert names(services) == {"v0.2.0", "0.2", "latest"}


def test_a_second_release_at_the_same_time_is_kept_out_by_a_git_ref(services: Fleet, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    services.git("init", "-q", "--bare", str(remote))
    services.git("remote", "add", "origin", str(remote))
    from tasks.engine import gitrefs

    commit = gitrefs.take(services.root, "v0.2.0 is being released by somebody")
    assert commit
    refused = services.inv("release --tag v0.2.0").failed(6)
    assert "somebody" in refused.err
    assert names(services) == set()
    assert gitrefs.give_back(services.root, commit)
    services.inv("release --tag v0.2.0").ok()
    assert services.git("ls-remote", "origin").split()[1::2] == ["refs/tags/v0.2.0"]


@contextmanager
def stopped(services: Fleet, folder: Path) -> Iterator[None]:
    """A release v0.2.0 of two images whose record was not taken, in a registry that is there for this block."""
    with stormy(services, folder) as (sea, host, _):
        services.registry = host
        services.toml("[images.agent]\n[images.gateway]\n")
        services.commit()
        record = f"/v2/{services.owner}/agent/manifests/argosy-release-v0.2.0"
        sea.faults = [Fault(("A", "PUT", record, 1), "refused")]
        services.inv("release --tag v0.2.0").failed(7)
        yield


@pytest.fixture
def half_way(services: Fleet, tmp_path: Path) -> Iterator[Fleet]:
    """A release that did not end, in a clone whose remote takes pushes."""
    remote = tmp_path / "remote.git"
    services.git("init", "-q", "--bare", str(remote))
    services.git("remote", "add", "origin", str(remote))
    with stopped(services, tmp_path):
        yield services


def test_a_lock_is_taken_over_only_from_a_release_that_is_dead(half_way: Fleet) -> None:
    from tasks.engine import gitrefs

    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert gitrefs.take(half_way.root, f"the release v0.2.0 is under way: process 1 on elsewhere since {now}")
    for way in ("--rollback", "--resume"):
        # What it was to end is half-way still, and that is what the code says.
        refused = half_way.inv(f"release --tag v0.2.0 {way}").failed(7)
        assert "the release v0.2.0 is half-way" in refused.err
        assert "process 1 on elsewhere" in refused.err
        assert "--yes" in refused.err
    assert names(half_way) == {"v0.2.0", "0.2", "latest"}
    half_way.inv("release --tag v0.2.0 --rollback --yes").ok()
    assert names(half_way) == set()
    assert half_way.git("ls-remote", "origin") == ""


def test_a_release_that_another_ends_first_is_not_ended_twice(half_way: Fleet, tmp_path: Path) -> None:
    """The journal is read again under the lock: here it goes while the lock is being taken."""
    [journal] = Path(half_way.env["XDG_STATE_HOME"]).glob("argosy/*/release/journal.json")
    where = f"{half_way.owner}/agent"
    kept = harbour.manifest(half_way.registry, where, "argosy-journal").digest
    hook = tmp_path / "remote.git/hooks/pre-receive"
    hook.write_text(
        f"#!{sys.executable}\nimport pathlib, urllib.request as web\n"
        f"pathlib.Path({str(journal)!r}).unlink(missing_ok=True)\n"
        f"web.urlopen(web.Request('http://{half_way.registry}/v2/{where}/manifests/{kept}', method='DELETE'))\n"
    )
    hook.chmod(0o755)
    assert "ended from elsewhere" in half_way.inv("release --tag v0.2.0 --rollback").failed(6).err
    assert names(half_way) == {"v0.2.0", "0.2", "latest"}


def test_a_journal_that_is_over_is_put_away_under_the_lock_only(half_way: Fleet) -> None:
    """Without it the journal may be of a live release, which has it on disk and not in the registry yet."""
    [journal] = Path(half_way.env["XDG_STATE_HOME"]).glob("argosy/*/release/journal.json")
    text = journal.read_bytes()
    half_way.inv("release --tag v0.2.0 --rollback").ok()
    journal.write_bytes(text)
    with (journal.parent / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "on this machine" in half_way.inv("release --tag v0.2.0 --resume").failed(7).err
    assert journal.exists()
    assert "nothing was done here" in half_way.inv("release --tag v0.2.0 --resume").failed(6).err
    assert not journal.exists()


def test_a_release_that_died_when_only_its_git_tag_was_left_is_completed(half_way: Fleet) -> None:
    [journal] = Path(half_way.env["XDG_STATE_HOME"]).glob("argosy/*/release/journal.json")
    text = journal.read_bytes()
    half_way.inv("release --tag v0.2.0 --resume").ok()
    half_way.git("tag", "-d", "v0.2.0")
    half_way.git("push", "-q", "origin", ":v0.2.0")
    journal.write_bytes(text)
    completed = half_way.inv("release --tag v0.2.0 --resume").ok()
    assert "argosy-release-v0.2.0 is the release: no name is left to move" in completed.err
    assert not journal.exists()
    assert half_way.git("rev-parse", "HEAD") in half_way.git("ls-remote", "origin", "refs/tags/v0.2.0")
    assert names(half_way) == {"v0.2.0", "0.2", "latest"}
    journal.write_bytes(text)
    assert "ended from elsewhere" in half_way.inv("release --tag v0.2.0 --rollback").failed(6).err
    assert names(half_way) == {"v0.2.0", "0.2", "latest"}


def test_a_tag_that_stands_at_another_commit_is_left_and_said(half_way: Fleet) -> None:
    released = half_way.git("rev-parse", "HEAD")
    half_way.commit()
    half_way.git("tag", "v0.2.0")
    said = half_way.inv("release --tag v0.2.0 --resume").ok().err
    assert (
        f"v0.2.0 stands at {half_way.git('rev-parse', 'HEAD')[:12]} here, and {released[:12]} was released"
        in said
    )
    assert half_way.git("ls-remote", "origin", "refs/tags/v0.2.0") == ""


def test_what_is_half_way_is_half_way_also_where_nobody_answers(services: Fleet, tmp_path: Path) -> None:
    def stays() -> None:
        for way in ("--resume", "--rollback"):
            failed = services.inv(f"release --tag v0.2.0 {way}").failed(7)
            assert "the release v0.2.0 is half-way" in failed.err
            assert "--resume" in failed.err

    with stopped(services, tmp_path):
        services.git("remote", "add", "origin", "/nowhere")
        stays()
        services.git("remote", "remove", "origin")
    stays()  # now the registry is gone


def test_a_release_that_died_before_its_git_tag_gets_it(half_way: Fleet) -> None:
    """Its journal is closed; what is tagged is what the record says, wherever HEAD is by now."""
    half_way.inv("release --tag v0.2.0 --resume").ok()
    released = half_way.git("rev-parse", "v0.2.0")
    half_way.commit()
    half_way.git("push", "-q", "origin", ":v0.2.0")
    for local in ("kept", "gone"):
        if local == "gone":
            half_way.git("tag", "-d", "v0.2.0")
        assert "git tag is left to do" in half_way.inv("release --tag v0.2.0 --resume").ok().err
        assert half_way.git("rev-parse", "v0.2.0") == released
        assert released in half_way.git("ls-remote", "origin", "refs/tags/v0.2.0")
    assert "is not under way" in half_way.inv("release --tag v0.2.0 --resume").failed(6).err


def test_ctrl_c_at_the_git_tag_does_not_hide_that_the_release_happened(
    half_way: Fleet, tmp_path: Path
) -> None:
    half_way.inv("release --tag v0.2.0 --rollback").ok()
    hook = tmp_path / "remote.git/hooks/pre-receive"
    hook.write_text(f"#!/bin/sh\ngrep -q refs/tags/ && touch {tmp_path}/tagging && sleep 20\nexit 0\n")
    hook.chmod(0o755)
    running = half_way.start("release --tag v0.2.0")
    while not (tmp_path / "tagging").exists():
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert "interrupted. v0.2.0 is released" in said
    hook.unlink()
    assert names(half_way) == {"v0.2.0", "0.2", "latest"}
    half_way.inv("release --tag v0.2.0 --resume").ok()
    assert "v0.2.0" in half_way.git("ls-remote", "origin")


def test_a_tag_that_is_no_version_is_refused_before_anything_is_asked(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]\n")
    assert "semver" in fleet.inv("release --tag tomorrow").failed(2).err
