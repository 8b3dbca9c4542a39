"""kiisrv: a server that finds its siblings by their local names, and a matrix of those."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests import harbour
from tests.conftest import PrivateEngine
from tests.scenario import Fleet
from tests.systems.system import (
    BOTH,
    checks,
    docker_package,
    edit,
    names,
    own,
    published,
    stand_in,
    system,
)

pytestmark = pytest.mark.engine

CONTROLLERS = {"050": "v0.5.0", "054": "v0.5.4", "055": "v0.5.5", "056": "v0.5.6", "057": "v0.5.7"}
NO_ENGINE = {"DOCKER_HOST": "unix:///nope"}
OUTSIDE = ("sh", "src/main.sh")


@pytest.fixture(scope="module")
def bases(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    packages = {"packages": docker_package(tmp_path_factory.mktemp("packages"), engine)}
    return {
        "rust:1.75-bookworm": stand_in(engine, "compiler", "rust:1.75-bookworm"),
        "debian:bookworm-slim": stand_in(engine, "debian", "debian:bookworm-slim", contexts=packages),
    }


@pytest.fixture
def kiisrv(engine: PrivateEngine, bases: dict[str, str], tmp_path: Path, owners: set[str]) -> Fleet:
    """The system in a repository, under a name of this test, here the `owner`; both its registries are here."""
    word = own("kiisrv")
    words = {
        "kiisrv": word,
        'host = "ghcr.io"': f'host = "{engine.registry}/ghcr"',
        'host = "docker.io"': f'host = "{engine.registry}/hub"',
    }
    made = system(engine, "kiisrv", tmp_path, words, bases)
    owners.add(word)
    made.owner = word
    made.commit()
    return made


def verdicts(fleet: Fleet, line: str) -> dict[str, str]:
    return {image["name"]: image["verdict"] for image in fleet.inv(f"{line} --json").ok().json["images"]}


def local(fleet: Fleet, *controllers: str) -> set[str]:
    """The local names of controllers."""
    return {f"{fleet.owner}-controller-{one}:latest" for one in controllers}


def found_by_the_server(fleet: Fleet, engine: PrivateEngine) -> set[str]:
    """What the server asks of the engine, in its own words."""
    reference = f"reference={fleet.owner}-controller-*"
    asked = ("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", reference)
    return set(engine.docker(*asked).splitlines())


def test_six_images_come_of_two_tables(kiisrv: Fleet):
    """S2 a, listed: each controller is one target with one argument."""
    images = kiisrv.inv("list --json").ok().json["images"]
    assert [image["name"] for image in images] == [
        kiisrv.owner,
        *(f"controller-{one}" for one in CONTROLLERS),
    ]
    assert [image["args"] for image in images[1:]] == [{"TAG": tag} for tag in CONTROLLERS.values()]
    assert images[0]["target"] == "server"
    assert {image["target"] for image in images[1:]} == {"build-environment"}
    assert {image["dockerfile"] for image in images} == {"Dockerfile"}


def test_two_are_built_where_two_are_named(kiisrv: Fleet, engine: PrivateEngine):
    """S2 a, named."""
    built = verdicts(kiisrv, f"build --images {kiisrv.owner},controller-057")
    assert built == {kiisrv.owner: "built", "controller-057": "built"}
    assert found_by_the_server(kiisrv, engine) == local(kiisrv, "057")
    assert f"{kiisrv.owner}-server:latest" in names(engine, kiisrv.owner)


def test_the_server_finds_exactly_the_controllers_that_were_built(kiisrv: Fleet, engine: PrivateEngine):
    """S2 a, the group: what all stand on is made once. b: each has its own tag."""
    dockerfile = kiisrv.root / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(" ninja-build", f" ninja-build {kiisrv.owner}"))
    ran = kiisrv.inv("build --group controllers").ok()
    assert "5 built" in ran.out
    assert len(re.findall(r"RUN apt-get install .* ninja-build", ran.err)) == 1
    assert found_by_the_server(kiisrv, engine) == local(kiisrv, *CONTROLLERS)
    for name, tag in CONTROLLERS.items():
        [reference] = local(kiisrv, name)
        assert engine.docker("run", "--rm", reference, "cat", "/controller/TAG") == tag


def test_a_push_brings_every_tag_to_both_registries(kiisrv: Fleet, engine: PrivateEngine):
    """S2 c, as a push."""
    kiisrv.inv(f"push --images {kiisrv.owner},controller-057").ok()
    sha = kiisrv.git("rev-parse", "--short=7", "HEAD")
    for image in (kiisrv.owner, "controller-057"):
        repositories = [f"{path}/{kiisrv.owner}-{image}" for path in ("ghcr/kiibohd", "hub/kiibohdhub")]
        for repository in repositories:
            assert published(engine.registry, repository) == {"main", f"sha-{sha}", "latest"}
        found = {
            harbour.manifest(engine.registry, repository, tag).digest
            for repository in repositories
            for tag in ("main", "latest")
        }
        assert len(found) == 1


def test_releases_and_pre_releases_have_their_own_tags(kiisrv: Fleet):
    """S2 c, as a plan: the release itself is shown with releases."""
    sha = kiisrv.git("rev-parse", "--short=7", "HEAD")
    for tag, expected in (
        ("v1.2.3", {"1.2.3", "1.2", "1", "latest", f"sha-{sha}"}),
        ("v1.2.3-rc1", {"1.2.3-rc1"}),
    ):
        plan = kiisrv.inv(f"plan --tag {tag} --format json", env=NO_ENGINE).ok().json
        for image in plan["images"]:
            published = [ref for ref in image["references"] if ref.startswith(kiisrv.registry)]
            assert len(published) == 2 * len(expected)
            assert {ref.rpartition(":")[2] for ref in published} == expected


def test_a_branch_of_one_s_own_is_never_latest(kiisrv: Fleet):
    """As it is: latest on the default branch."""
    kiisrv.git("checkout", "-q", "-b", "feature/arm")
    references = kiisrv.inv("list --json").ok().json["images"][0]["references"]
    sha = kiisrv.git("rev-parse", "--short=7", "HEAD")
    assert {ref.rpartition(":")[2] for ref in references[:-1]} == {"feature-arm", f"sha-{sha}"}


def test_a_pull_brings_the_local_names_back(kiisrv: Fleet, engine: PrivateEngine):
    """S2 d. What is missing is said, with --strict by the exit code."""
    kiisrv.inv("push --images controller-057").ok()
    kiisrv.inv("clean --yes").ok()
    assert found_by_the_server(kiisrv, engine) == set()
    kiisrv.inv("pull --tag latest --images controller-057").ok()
    assert found_by_the_server(kiisrv, engine) == local(kiisrv, "057")
    ran = kiisrv.inv("pull --tag latest --images controller-05*").ok()
    assert f"kiibohd/{kiisrv.owner}-controller-050 has no latest" in ran.out
    assert found_by_the_server(kiisrv, engine) == local(kiisrv, "057")
    ran = kiisrv.inv("pull --tag latest --images controller-050 --strict").failed(3)
    assert "not there: controller-050" in ran.err


def test_what_is_saved_is_loaded_as_it_was(kiisrv: Fleet, engine: PrivateEngine):
    """S2 e."""
    kiisrv.inv("build --images controller-05[67]").ok()
    before = ids(kiisrv, engine)
    assert len(before) == 14
    kiisrv.inv("save --images controller-05[67] --dir out").ok()
    kiisrv.inv("clean --yes").ok()
    assert ids(kiisrv, engine) == {}
    kiisrv.inv("load --dir out").ok()
    assert ids(kiisrv, engine) == before


def ids(fleet: Fleet, engine: PrivateEngine) -> dict[str, str]:
    """The IDs of the fleet's names in the engine."""
    found = sorted(names(engine, fleet.owner))
    asked = engine.docker("image", "inspect", "-f", "{{.Id}}", *found).splitlines() if found else []
    return dict(zip(found, asked, strict=True))


def test_an_ignored_key_is_in_no_image(kiisrv: Fleet, engine: PrivateEngine, tmp_path: Path):
    """S2 g, with the .dockerignore as it is."""
    key = f"key-of-{kiisrv.owner}"
    kiisrv.file("apikey", key)
    dockerfile = kiisrv.root / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("COPY layouts /srv/layouts", "COPY . /srv/layouts"))
    kiisrv.inv(f"build --images {kiisrv.owner},controller-057").ok()
    for name in (f"{kiisrv.owner}-server:latest", *local(kiisrv, "057")):
        assert not holding(engine, name, key, tmp_path / name.replace(":", "-"))
    edit(kiisrv, ".dockerignore", "apikey\n", "")
    kiisrv.inv(f"build --images {kiisrv.owner}").ok()
    assert holding(engine, f"{kiisrv.owner}-server:latest", key, tmp_path / "not ignored"), (
        "what is there is found"
    )


def holding(engine: PrivateEngine, name: str, word: str, folder: Path) -> list[Path]:
    """The parts of an image, unpacked into a folder, that have a word in them."""
    folder.mkdir()
    engine.docker("image", "save", "-o", str(folder / "image.tar"), name)
    subprocess.run(["tar", "-xf", "image.tar"], cwd=folder, check=True)
    parts = [blob for blob in folder.rglob("*") if blob.is_file() and blob.suffix != ".tar"]
    assert parts
    return [blob for blob in parts if word.encode() in content(blob)]


def content(blob: Path) -> bytes:
    """A layer's bytes, unpacked where it is packed."""
    raw = blob.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        return subprocess.run(["gzip", "-dc"], input=raw, capture_output=True, check=True).stdout
    return raw


def test_a_controller_runs_on_arm64_too(kiisrv: Fleet, engine: PrivateEngine):
    """S2 h."""
    kiisrv.inv(f"push --images controller-056 --platforms {BOTH}").ok()
    repository = f"ghcr/kiibohd/{kiisrv.owner}-controller-056"
    assert harbour.manifest(engine.registry, repository, "latest").platforms == set(BOTH.split(","))
    reference = f"{engine.registry}/{repository}:latest"
    engine.docker("pull", "-q", "--platform", "linux/arm64", reference)
    ran = engine.docker(
        "run", "--rm", "--platform", "linux/arm64", reference, "sh", "-c", "uname -m; cat /controller/TAG"
    )
    assert ran == "aarch64\nv0.5.6"


def test_a_new_version_is_one_line_and_one_where_the_server_knows_it(kiisrv: Fleet, engine: PrivateEngine):
    """S2 i. Its sources are vendored beside it; lockstep sees to the server's own list."""
    kiisrv.file("vendor/v0.5.8/build.sh", "#!/bin/sh\n")
    toml = kiisrv.root / "build.toml"
    line = '    { id = "057", git = "v0.5.7" },\n'
    toml.write_text(toml.read_text().replace(line, line + '    { id = "058", git = "v0.5.8" },\n'))
    images = {image["name"]: image for image in kiisrv.inv("list --json").ok().json["images"]}
    assert len(images) == 7
    assert images["controller-058"]["args"] == {"TAG": "v0.5.8"}
    ran = kiisrv.inv("build --images controller-058").failed(2)
    assert "src/main.rs" in ran.err
    assert f"{kiisrv.owner}-controller-058" in ran.err
    source = kiisrv.root / "src/main.rs"
    old = f'    ("v0.5.7", "{kiisrv.owner}-controller-057"),\n'
    assert old in source.read_text()
    source.write_text(source.read_text().replace(old, old + old.replace("5.7", "5.8").replace("057", "058")))
    kiisrv.inv("build --images controller-058").ok()
    assert found_by_the_server(kiisrv, engine) == local(kiisrv, "058")
    source.write_text(source.read_text().replace("controller-050", "controller-049"))
    ran = kiisrv.inv("build --images controller-058").failed(2)
    assert "src/main.rs:3" in ran.err
    assert "controller-049" in ran.err


def test_the_server_sees_its_siblings_and_ends_when_told(kiisrv: Fleet):
    """S2 f and k. It is given the engine's socket, and the group that owns it; nothing of it stays."""
    kiisrv.inv(f"build --images {kiisrv.owner},controller-057").ok()
    edit(kiisrv, "build.toml", "size = 165", "size = 5")
    found = checks(kiisrv, f"test --images {kiisrv.owner},controller-057", 5)
    server = {check: one for (image, check), one in found.items() if image == kiisrv.owner}
    assert [check for check, one in server.items() if one["outcome"] == "failed"] == ["size"]
    for check in ("user", "ports", "commands", "http /versions", "http /stats", "stops", "healthy"):
        assert server[check]["outcome"] == "passed", check
    assert found["controller-057", "run cat /controller/TAG"]["detail"] == "v0.5.7"
    lines = (kiisrv.root / "Dockerfile").read_text().splitlines()
    log = server["size"]["log"]
    number = next(n for n, line in enumerate(lines, 1) if "docker.io" in line)
    assert any(f"Dockerfile:{number} " in line for line in log)
    layers = [line for line in log if re.search(r"MB +(Dockerfile:\d+ |of what it stands on: )", line)]
    large = [float(line.split()[0]) for line in layers]
    assert large == sorted(large, reverse=True)
    assert [log[0], *layers] == log[: len(layers) + 1]
    assert any("COPY --from=" in line for line in log[len(layers) + 1 :]), "the remedy"
    assert not kiisrv.under_test()


def test_what_does_not_belong_into_the_server_s_image_breaks_its_promise(kiisrv: Fleet):
    """S2, challenges 1 and 7: it starts its siblings by `docker run`, with no compose file; .git stays outside."""
    folder = f"WORKDIR /srv/{kiisrv.owner}\n"
    edit(kiisrv, "Dockerfile", folder, f"{folder}COPY compose.prod.yaml ./\nCOPY .git/HEAD .git/\n")
    edit(kiisrv, ".dockerignore", ".git\n", "")
    kiisrv.inv(f"build --images {kiisrv.owner},controller-057").ok()
    said = kiisrv.inv(f"test --images {kiisrv.owner}").failed(5).out
    place = f"/srv/{kiisrv.owner}"
    assert f"there all the same: {place}/compose.prod.yaml, {place}/.git" in said


def test_the_server_makes_its_git_folder_at_its_start(kiisrv: Fleet, engine: PrivateEngine):
    """S2, challenges 7 and 8: .git is not in the image, git is, and is run at the start."""
    kiisrv.inv(f"build --images {kiisrv.owner}").ok()
    server = engine.docker("run", "--detach", f"{kiisrv.owner}-server:latest")
    there = ("docker", "exec", server, "test", "-d", f"/srv/{kiisrv.owner}/.git")
    try:
        deadline = time.monotonic() + 60
        while kiisrv.run(*there).code and time.monotonic() < deadline:
            time.sleep(0.1)
        kiisrv.run(*there).ok()
    finally:
        engine.docker("rm", "--force", "--volumes", server)


def test_a_key_in_the_context_is_warned_of(kiisrv: Fleet):
    """S2 g, without the line in the .dockerignore."""
    kiisrv.file("apikey", "-----BEGIN PRIVATE KEY-----\nMIIE\n")
    assert "apikey" not in kiisrv.inv(f"lint --images {kiisrv.owner}").ok().out
    edit(kiisrv, ".dockerignore", "apikey\n", "")
    ran = kiisrv.inv(f"lint --images {kiisrv.owner}").ok()
    assert re.search(r"key.*warned.*apikey", ran.out)


def test_the_server_s_siblings_work_for_it_in_a_container_and_outside(kiisrv: Fleet, engine: PrivateEngine):
    """S2 j. Compose as in production: the host's paths are build.toml's folder, wherever the test is started from.

    The same program answers alike in a container, once more on the same folders, and outside.
    """
    kiisrv.inv(f"build --images {kiisrv.owner},controller-057").ok()
    for folder in ("tmp_config", "tmp_builds"):
        (kiisrv.root / folder).mkdir()
        (kiisrv.root / folder).chmod(0o777)
    assert engine.docker("run", "--rm", f"{kiisrv.owner}-server:latest", "id", "-u") == "1000"
    outside = answer(kiisrv, "versions")
    assert outside == f"{kiisrv.owner}-controller-057\n"
    asked = f'compose = "compose.prod.yaml", service = "{kiisrv.owner}", port = 3001'
    edit(
        kiisrv,
        "build.toml",
        '    { http = "/stats", output = "up", healthy = true },\n',
        f'    {{ name = "siblings", {asked}, http = "/build/057", output = "v0.5.7" }},\n'
        f'    {{ name = "the same", {asked}, http = "/versions", regex = "^{outside.strip()}$" }},\n',
    )
    line = f"test --images {kiisrv.owner}"
    for _ in range(2):
        ran = kiisrv.inv(f"{line} --json", cwd="src").ok()  # the socket's real group is found
        found = {one["name"]: one["outcome"] for one in ran.json["checks"]}
        assert (found["siblings"], found["the same"]) == ("passed", "passed")
        assert (kiisrv.root / "tmp_builds/firmware").read_text() == "v0.5.7\nlayout of 057\n"
        assert (kiisrv.root / "tmp_config/layout").stat().st_uid == 1000
    # Unset, what it gives its siblings is below its working directory: in a container, and outside.
    sock = Path(engine.env["DOCKER_HOST"].removeprefix("unix://"))
    root = str(kiisrv.root)
    given = (
        "--group-add",
        str(sock.stat().st_gid),
        "-v",
        f"{sock}:/var/run/docker.sock",
        "-v",
        f"{root}:{root}",
    )
    inside = (
        "docker",
        "run",
        "--rm",
        "-i",
        *given,
        "-w",
        root,
        f"{kiisrv.owner}-server:latest",
        kiisrv.owner,
    )
    for program in (inside, OUTSIDE):
        (kiisrv.root / "tmp_builds/firmware").unlink()
        assert answer(kiisrv, "build/057", program) == "v0.5.7\nlayout of 057\n"


def answer(fleet: Fleet, path: str, program: tuple[str, ...] = OUTSIDE) -> str:
    """What the server's program says: outside a container, unless it is another command that runs it."""
    ran = fleet.run(*program, "answer", input=f"GET /{path} HTTP/1.0\r\n\r\n").ok()
    return ran.out.partition("\n\n")[2]


def test_what_the_server_lacks_is_named(kiisrv: Fleet):
    """Challenges 4 to 8: no git, no layouts, siblings under no name that the server looks for."""
    edit(kiisrv, "Dockerfile", "ca-certificates git", "ca-certificates")
    edit(kiisrv, "Dockerfile", "COPY layouts /srv/layouts\n", "")
    edit(kiisrv, "build.toml", "socket = true, stops", 'socket = true, within = "30s", stops')
    edit(kiisrv, "build.toml", f'local = ["{kiisrv.owner}-controller-{{v.id}}:latest"]\n', "")
    kiisrv.inv(f"build --images {kiisrv.owner},controller-057").ok()
    found = checks(kiisrv, f"test --images {kiisrv.owner}", 5)
    failed = {name: str(one) for (_, name), one in found.items() if one["outcome"] == "failed"}
    assert failed.keys() >= {"commands", "files./srv/layouts/k-type.json", "http /versions"}
    assert "git" in failed["commands"]
    assert f"{kiisrv.owner}-controller-057" in failed["http /versions"]
    assert f"{kiisrv.owner}-controller-057" not in answer(kiisrv, "versions")
