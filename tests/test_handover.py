"""A fleet handed over as files: the same IDs and all names on the other side, and no half of it ever loaded."""

from __future__ import annotations

import json
import shutil
import tarfile

import pytest

from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = pytest.mark.engine
BOTH = "linux/amd64,linux/arm64"


def ids(engine: PrivateEngine, fleet: Fleet) -> dict[str, str]:
    """Every name in the engine that the fleet's owner is in, with its ID; addresses left out."""
    lines = engine.docker(
        "image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"
    ).splitlines()
    pairs = (line.split() for line in lines if fleet.owner in line and ":argosy-" not in line)
    return {name.removeprefix(f"{fleet.registry}/"): digest for name, digest in pairs}


@pytest.fixture
def two(real: Fleet) -> Fleet:
    """One image of two platforms with a local name, and one that is never published."""
    real.image("api", f"FROM busybox:stable\nRUN uname -m > /machine && echo {real.owner} > /mark\n")
    real.image("web", f"FROM busybox:stable\nRUN echo web {real.owner} > /mark\n")
    real.toml(f"""
    [images.api]
    platforms = ["linux/amd64", "linux/arm64"]
    local = ["{real.owner}-api:dev"]
    [images.web]
    publish = false
    """)
    real.inv("build").ok()
    return real


def test_what_was_saved_is_loaded_with_its_ids_names_and_platforms(two: Fleet, engine: PrivateEngine):
    before = ids(engine, two)
    assert len(before) == 5
    saved = two.inv("save --dir out --json").ok().json
    two.inv("clean --yes").ok()
    assert not ids(engine, two)
    # The other machine has the folder and nothing else: no build.toml, no Dockerfile.
    (two.root / "elsewhere").mkdir()
    shutil.move(two.root / "out", two.root / "elsewhere" / "out")
    (two.root / "build.toml").unlink()
    ran = two.inv("load --dir out", cwd="elsewhere").ok()
    assert ids(engine, two) == before
    assert f"{two.owner}-api:dev" in ran.out
    machine = engine.docker(
        "run", "--rm", "--platform", "linux/arm64", f"{two.owner}-api:dev", "cat", "/machine"
    )
    assert machine == "aarch64"
    listed = json.loads((two.root / "elsewhere" / "out" / "fleet.json").read_text())
    assert listed["images"] == saved["images"]
    assert list(listed["images"][0]["platforms"]) == BOTH.split(",")
    assert before[f"{two.owner}/api:0.1.0"] in listed["images"][0]["ids"]


def test_a_folder_that_is_not_whole_loads_nothing(two: Fleet, engine: PrivateEngine):
    two.inv("save --dir out").ok()
    two.inv("clean --yes").ok()
    api, web = two.root / "out" / "api.tar", two.root / "out" / "web.tar"
    whole, length = api.read_bytes(), api.stat().st_size
    api.write_bytes(whole[:1000])
    web.unlink()
    ran = two.inv("load --dir out").failed(3)
    assert f"api.tar: 1000 bytes of {length}" in ran.err
    assert "web.tar: not there" in ran.err
    assert "nothing was loaded" in ran.err
    api.write_bytes(whole[:-1] + b"x")
    assert "api.tar: its content has changed" in two.inv("load --dir out --images api").failed(3).err
    assert not ids(engine, two)
    api.write_bytes(whole)
    two.inv("load --dir out --images a*").ok()
    assert "Available images in out: api, web." in two.inv("load --dir out --images nope").failed(2).err
    (two.root / "out" / "fleet.json").write_text("{}")
    assert "is not what `inv save` writes" in two.inv("load --dir out").failed(3).err
    (two.root / "out" / "fleet.json").unlink()
    assert "out has no fleet.json" in two.inv("load --dir out").failed(3).err


def test_what_the_engine_lacks_is_said_and_nothing_is_written(two: Fleet):
    two.image("absent")
    with (two.root / "build.toml").open("a") as file:
        file.write("[images.absent]\n")
    ran = two.inv("save --dir out").failed(3)
    assert f"{two.registry}/{two.owner}/absent:0.1.0" in ran.err
    assert "inv build --images absent" in ran.err
    ran = two.inv("save --dir out --images web --platforms linux/arm64").failed(3)
    assert "for linux/amd64, not for linux/arm64" in ran.err
    assert not (two.root / "out").exists()
    ran = two.inv("save --dir docker --images web").failed(2)
    assert "docker is not empty" in ran.err
    assert two.inv("save --dir /proc/nope --images web").failed(3).err.startswith("cannot write")


def test_saving_again_replaces_what_was_there(two: Fleet):
    two.inv("save --dir out").ok()
    two.inv("save --dir out --images web").ok()
    assert sorted(path.name for path in (two.root / "out").iterdir()) == ["fleet.json", "web.tar"]


def test_a_list_that_names_files_outside_its_folder_is_none_of_ours(two: Fleet):
    two.inv("save --dir out --images web").ok()
    listed = two.root / "out" / "fleet.json"
    for outside in ("../build.toml", f"{two.root}/build.toml"):
        value = json.loads(listed.read_text())
        value["images"][0]["file"] = outside
        listed.write_text(json.dumps(value))
        for task in ("save", "load"):
            assert "is not what `inv save` writes" in two.inv(f"{task} --dir out --images web").failed(3).err
        assert (two.root / "build.toml").exists()


def test_the_classic_store_keeps_ids_too_and_its_archives_suit_the_other_store(
    real: Fleet, engine: PrivateEngine, classic: PrivateEngine
):
    real.image("api", f"FROM busybox:stable\nRUN echo {real.owner} > /mark\n")
    real.toml("[images.api]\n")
    real.inv("build", env=classic.env).ok()
    before = ids(classic, real)
    real.inv("save --dir out", env=classic.env).ok()
    real.inv("clean --yes", env=classic.env).ok()
    real.inv("load --dir out", env=classic.env).ok()
    assert ids(classic, real) == before
    real.inv("clean --yes", env=classic.env).ok()
    real.inv("load --dir out").ok()
    assert set(ids(engine, real)) == set(before)
    with tarfile.open(real.root / "out" / "api.tar") as archive:
        assert "index.json" in archive.getnames()
