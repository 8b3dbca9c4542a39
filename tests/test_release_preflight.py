"""What a release refuses before the first build second, and what it says of repositories that are not there yet."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.errors import RefusedError
from tasks.registries.registry import Remote
from tasks.release import preflight
from tasks.release.content import Place
from tests import harbour, registries
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

UNKNOWN = json.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]}).encode()


@pytest.fixture
def api(fleet: Fleet) -> Fleet:
    """One image in a repository with one commit; no engine and no registry is in reach."""
    fleet.image("api")
    fleet.toml('[images.api]\n[release]\nbranches = ["main", "release/*"]\n')
    fleet.commit()
    return fleet


def test_a_release_is_made_from_the_branches_that_build_toml_names(api: Fleet) -> None:
    api.git("checkout", "-q", "-b", "feature")
    refused = api.inv("release --tag v1.0.0").failed(6)
    assert "HEAD is on feature" in refused.err
    assert "main, release/*" in refused.err
    api.git("checkout", "-q", "--detach")
    assert "on no branch" in api.inv("release --tag v1.0.0").failed(6).err
    api.git("checkout", "-q", "-b", "release/1.0")
    assert "HEAD" not in api.inv("release --tag v1.0.0").failed(3).err


def test_a_file_that_is_in_no_commit_is_named(api: Fleet) -> None:
    api.file("docker/api/notes.txt", "new\n")
    assert "docker/api/notes.txt" in api.inv("release --tag v1.0.0").failed(6).err
    api.file(".gitignore", "notes.txt\n")
    api.commit()
    assert "notes.txt" not in api.inv("release --tag v1.0.0").failed(3).err


def test_a_bump_and_a_plan_are_not_both_to_be_had(api: Fleet) -> None:
    assert "--plan changes nothing" in api.inv("release --tag v1.0.0 --bump --plan").failed(2).err


@pytest.mark.parametrize("stuck", [False, True])
def test_a_bump_that_git_does_not_commit_says_how_the_files_stand(api: Fleet, *, stuck: bool) -> None:
    """A commit that a hook refuses can be taken back; where git's index is locked, nothing can."""
    api.file(".git/hooks/pre-commit", "#!/bin/sh\necho no >&2; exit 1\n", 0o755)
    if stuck:
        api.file(".git/index.lock")
    before = (api.root / "build.toml").read_text()
    said = api.inv("release --tag v1.0.0 --bump").failed(3).err
    assert "git does not commit the version" in said
    if stuck:
        assert "nor does it put the files back" in said
        assert "git checkout HEAD -- build.toml" in said
        assert 'version = "1.0.0"' in (api.root / "build.toml").read_text()
    else:
        assert "the files stand as before" in said
        assert (api.root / "build.toml").read_text() == before


def test_a_disk_without_room_refuses(api: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks import config

    project = config.load(api.root, {})
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    assert "GB free" in preflight.disks(project)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10, used=9, free=1))
    with pytest.raises(RefusedError, match="too little room"):
        preflight.disks(project)


@pytest.mark.engine
def test_repositories_exist_or_will_be_created_or_must_be(engine: PrivateEngine, tmp_path: Path) -> None:
    with (
        registries.registry(engine.env, tmp_path / "registry", delete=True) as running,
        registries.proxy(running.host) as before,
    ):
        clients = {running.host: Remote(running.host), before.host: Remote(before.host)}
        new = Place(running.host, "acme/new")
        [found] = preflight.harbours([new], clients)
        assert (found.state, found.deletes) == ("will be created", True)
        assert "will be created: " in preflight.told([found])
        clients[running.host].put_blob("acme/old", b"{}")
        body = {"schemaVersion": 2, "mediaType": harbour.KINDS[0], "manifests": []}
        harbour.put(running.host, "acme/old", "1", harbour.Found(harbour.KINDS[0], json.dumps(body).encode()))
        [found] = preflight.harbours([Place(running.host, "acme/old")], clients)
        assert found.state == "exists"
        assert "1 of them exist" in preflight.told([found])
        # Some registries (ECR, Harbor) make no repository by themselves.
        before.at, before.body = "blobs/uploads/", UNKNOWN
        before.faults = [(404, {"Content-Type": "application/json"})] * 2
        with pytest.raises(RefusedError, match="acme/new must be created first"):
            preflight.harbours([Place(before.host, "acme/new")], clients)


@pytest.mark.engine
def test_a_platform_that_the_builder_cannot_do_is_said_before_anything_is_built(real: Fleet) -> None:
    real.image("api")
    real.toml("[images.api]\n")
    refused = real.inv("release --tag v1.0.0 --platforms windows/amd64")
    assert refused.code in {2, 3}
    assert "windows/amd64" in refused.err
    assert harbour.tags(real.registry, f"{real.owner}/api") == set()


@pytest.mark.engine
def test_an_image_that_is_not_to_be_annotated_is_named_by_its_own_manifest(real: Fleet) -> None:
    real.image("function", f"FROM busybox:stable\nRUN echo {real.owner} > /name\n")
    real.toml("[images.function]\nannotate = false\n")
    real.inv("release --tag v1.0.0").ok()
    named = harbour.manifest(real.registry, f"{real.owner}/function", "v1.0.0")
    assert "manifests" not in named.json
    assert named.json["config"]
    [release] = real.inv("history --json").ok().json["releases"]
    assert list(release["platforms"]["function"].values()) == [named.digest]
    real.inv("verify v1.0.0").ok()


@pytest.mark.engine
def test_an_image_without_annotations_has_its_provenance_and_is_known_by_the_records(real: Fleet) -> None:
    """Nothing on a plain manifest says which release named it; neither does an index have its provenance."""
    to = f"{real.registry}/{real.owner}/next"
    real.toml(
        f'[images.function]\nannotate = false\n[release]\nprovenance = "min"\n[promote.next]\nto = "{to}"\n'
    )
    for tag in ("v1.0.0", "v1.1.0"):
        real.image("function", f"FROM busybox:stable\nRUN echo {real.owner} {tag} > /name\n")
        real.inv(f"release --tag {tag}").ok()
        assert "manifests" not in harbour.manifest(real.registry, f"{real.owner}/function", tag).json
    assert "has moved on to v1.1.0" in " ".join(real.inv("verify v1.0.0").ok().out.split())
    real.inv("verify v1.1.0").ok()
    real.inv("promote v1.1.0 --to next").ok()
    real.inv(f"verify v1.1.0 --registry {real.registry} --owner {real.owner}/next").ok()
    other = harbour.manifest(real.registry, f"{real.owner}/function", "v1.0.0")
    harbour.put(real.registry, f"{real.owner}/function", "latest", other)
    assert "was moved, and not by a release" in real.inv("verify v1.1.0").failed(5).err
