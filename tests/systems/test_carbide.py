"""Carbide REST: seven Dockerfiles on the repository's root, secrets, versions from git."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import tarfile
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_E_MACHINE

from tests import harbour
from tests.conftest import PrivateEngine
from tests.pages import steps
from tests.scenario import ROOT, Fleet
from tests.systems import programs
from tests.systems.recorded import Recording
from tests.systems.system import SYSTEMS, own, stand_in, system

# Image -> its program, port ("" for none) and what the VERSION file beside its source says.
IMAGES = {
    "carbide-rest-api": ("api", "8388", "0.2.71"),
    "carbide-rest-db": ("migrations", "", "0.2.71"),
    "carbide-rest-ipam": ("ipam", "9090", "0.1.24"),
    "carbide-rest-site-manager": ("site-manager", "8100", "0.3.5"),
    "carbide-rest-workflow": ("workflow", "9360", "0.2.71"),
    "carbide-rest-cert-manager": ("cert-manager", "8000", "0.1.9"),
    "carbide-site-agent": ("elektra", "8080", "1.0.3"),
}
BOTH = "linux/amd64,linux/arm64"
MACHINES = {"linux/amd64": 62, "linux/arm64": 183}
"""What a program's ELF header says of its processor (e_machine)."""


def carbide(engine: PrivateEngine, owners: set[str], folder: Path) -> Fleet:
    """A copy of the tree below a path of this run's own in the private registry, committed and tagged v1.2.3."""
    mine = own("carbide")
    owners.add(mine)
    starts = programs.starts(folder / "starts")
    mirror = {
        "golang:1.25.1": stand_in(engine, "toolchain", "golang:1.25.1", contexts={"starts": starts}),
        "alpine:latest": stand_in(engine, "alpine", "alpine:latest"),
    }
    # Unqualified names are this run's own, too: several runs share an engine.
    words = {
        "nvcr.io": f"{engine.registry}/{mine}",
        "localhost:5000": f"{engine.registry}/{mine}/dev",
        "{image}:latest": f"{mine}-{{image}}:latest",
    }
    fleet = system(engine, "carbide", folder, words, mirror)
    fleet.owner = f"{mine}/nvidia/carbide-dev"
    fleet.commit("the fleet")
    fleet.git("tag", "v1.2.3")
    return fleet


@pytest.fixture(scope="module")
def built(engine: PrivateEngine, owners: set[str], tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Carbide, built once by its own make target for all tests that only look at it."""
    fleet = carbide(engine, owners, tmp_path_factory.mktemp("carbide"))
    fleet.run("make", "build-production-images").ok()
    return fleet


@pytest.fixture
def fresh(engine: PrivateEngine, owners: set[str], tmp_path: Path) -> Fleet:
    """Carbide, nothing built or pushed yet, for tests that change it."""
    return carbide(engine, owners, tmp_path)


def names(fleet: Fleet, image: str) -> set[str]:
    """An image's tags in the registry, without its addresses."""
    found = harbour.tags(fleet.registry, f"{fleet.owner}/{image}")
    return {tag for tag in found if not tag.startswith("argosy-")}


def reference(fleet: Fleet, image: str, tag: str = "v1.2.3") -> str:
    return f"{fleet.registry}/{fleet.owner}/{image}:{tag}"


def local(fleet: Fleet, image: str) -> str:
    """The name that `docker run` finds it by, here."""
    return f"{fleet.owner.partition('/')[0]}-{image}:latest"


def config(engine: PrivateEngine, name: str) -> dict[str, Any]:
    """An image's configuration as `docker inspect` shows it."""
    found: dict[str, Any] = json.loads(engine.docker("image", "inspect", "-f", "{{json .Config}}", name))
    return found


def change(fleet: Fleet, path: str, old: str, new: str) -> None:
    """Changes one place in a file of the project."""
    file = fleet.root / path
    text = file.read_text()
    assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new))


def tree(folder: Path) -> Fleet:
    """A copy of the tree that meets no engine, for tests that only plan."""
    shutil.copytree(SYSTEMS / "carbide", folder / "carbide")
    return Fleet(
        folder / "carbide", {"DOCKER_HOST": "unix:///nowhere.sock", "PATH": "/usr/bin:/bin"}, "nvcr.io"
    )


def test_the_plan_covers_the_recorded_calls(tmp_path: Path):
    plan = tree(tmp_path).inv("plan --format json --registry localhost:5000 --tags latest").ok()
    names = {"carbide-rest-site-agent": "carbide-site-agent"}
    later = "the recording is a later state: this service came after the document"
    expected = {
        "carbide-rla: not planned": later,
        "carbide-psm: not planned": later,
        "carbide-rest-ipam: not recorded": "later given up",
        "carbide-site-agent: dockerfile docker/production/Dockerfile.carbide-rest-site-agent -> "
        "docker/production/Dockerfile.carbide-site-agent": "later renamed",
        "carbide-site-agent: reference localhost:5000/carbide-rest-site-agent:latest -> none": "later renamed",
        "carbide-site-agent: reference none -> localhost:5000/carbide-site-agent:latest": "later renamed",
    }
    for image in IMAGES.keys() - {"carbide-rest-ipam"}:
        expected[f"{image}: reference none -> {image}:latest"] = "the document's own name for a local build"
        expected[f"{image}: argument none -> GO_VERSION=1.25.1"] = "one constant instead of seven FROM lines"
    assert Recording.of("carbide").differences(plan.json, names) == expected.keys()


@pytest.mark.engine
def test_one_make_target_builds_seven_images_under_three_tags(built: Fleet, engine: PrivateEngine):
    """S1 a."""
    listed = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    mine = {name for name in listed if f"/{built.owner}/" in name and ":argosy-" not in name}
    tags = (built.git("rev-parse", "--short=7", "HEAD"), "v1.2.3", "latest")
    assert mine == {reference(built, image, tag) for image in IMAGES for tag in tags}
    for image, (program, port, _) in IMAGES.items():
        said = config(engine, reference(built, image))
        assert said["User"] == "appuser"
        assert list(said.get("ExposedPorts") or ()) == [f"{port}/tcp"] * bool(port)
        health = said.get("Healthcheck") or {"Test": None}
        assert health["Test"] == (["CMD", f"/app/{program}", "health"] if port else None)
        assert health.get("Interval", 30e9) == 30e9
        user = engine.docker("run", "--rm", "--entrypoint", "id", reference(built, image))
        assert user.startswith("uid=1000(appuser) gid=1000(appuser)")


@pytest.mark.engine
def test_every_folder_of_the_repository_builds_the_same(built: Fleet):
    """S1 d, first half: the original had to be started from the root."""
    ran = built.inv("build --json", cwd="docker/production").ok().json
    assert {(image["name"], image["verdict"]) for image in ran["images"]} == {(i, "reused") for i in IMAGES}


@pytest.mark.engine
def test_a_file_that_the_context_lacks_names_image_dockerfile_and_context(fresh: Fleet):
    """S1 d, second half, and the document's first trouble: "missing modules"."""
    table = "[images.carbide-rest-ipam]\n"
    change(fresh, "build.toml", table, f'{table}context = "carbide-rest-ipam"\n')
    ran = fresh.inv("build --images carbide-rest-ipam").failed(4)
    # Which of its COPY lines is met first is BuildKit's to say.
    assert re.search(r"FAILED carbide-rest-ipam  docker/production/Dockerfile.carbide-rest-ipam:\d", ran.out)
    assert re.search(
        r'\S+ is not in the build context "carbide-rest-ipam": check the path, the image', ran.out
    )


def holders(engine: PrivateEngine, name: str, secret: bytes, folder: Path) -> list[str]:
    """Which parts of an image as `docker save` writes it hold these bytes: layers, configuration and its history."""
    archive = folder / "image.tar"
    engine.docker("save", "-o", str(archive), name)
    found = []
    with tarfile.open(archive) as tar:
        for member in filter(tarfile.TarInfo.isfile, tar):
            file = tar.extractfile(member)
            raw = file.read() if file else b""
            raw = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
            found += [member.name] if secret in raw or base64.b64encode(secret) in raw else []
    return found


@pytest.mark.engine
def test_a_secret_is_read_by_the_build_and_is_in_no_part_of_the_image(
    fresh: Fleet, engine: PrivateEngine, tmp_path: Path
):
    """S1 c, and the document's second trouble: `go mod download` fails."""
    secret = "machine github.com login sailor password " + token_hex(12)
    home = {"HOME": str(tmp_path)}
    dockerfile = "docker/production/Dockerfile.carbide-rest-db"
    mount = "RUN --mount=type=secret,id=gitcreds,target=/root/.netrc "
    change(fresh, dockerfile, f"{mount}go mod", f"{mount}wc -c /root/.netrc > /size && go mod")
    change(fresh, dockerfile, "USER appuser", "COPY --from=build /size /size\nUSER appuser")
    # Without a private module the optional secret is not missed.
    fresh.inv("build --images carbide-rest-ipam", env=home).ok()
    change(fresh, "go.mod", "carbide-protos v0.4.0", "carbide-protos v0.4.0 // private")
    ran = fresh.inv("build --images carbide-rest-ipam", env=home).failed(4)
    assert "could not read Username for 'https://github.com'" in ran.out
    assert "A private repository wants a login" in ran.out
    (tmp_path / ".netrc").write_text(secret)
    ran = fresh.inv("build --images carbide-rest-db", env=home).ok()
    name = reference(fresh, "carbide-rest-db")
    said = engine.docker("run", "--rm", "--entrypoint", "cat", name, "/size")
    assert said.split() == [str(len(secret)), "/root/.netrc"]
    assert not holders(engine, name, secret.split()[-1].encode(), tmp_path)
    assert holders(engine, name, b"/root/.netrc", tmp_path)  # what is there is found
    assert secret.split()[-1] not in ran.out + ran.err
    change(fresh, "build.toml", ", optional = true } }", " }, token = { env = 'TOKEN', optional = true } }")
    ran = fresh.inv("build --rebuild --images carbide-rest-db", env=home).ok()
    assert "secret token is given and mounted by no RUN" in ran.out + ran.err
    (tmp_path / ".netrc").unlink()
    ran = fresh.inv("build --rebuild --images carbide-rest-db", env=home).failed(3)
    assert "secret gitcreds of image carbide-rest-db: there is no file ~/.netrc" in ran.err


@pytest.mark.engine
def test_a_program_for_the_wrong_processor_is_found(fresh: Fleet):
    """S1 f, second half: the original fixes GOARCH; such an image builds and runs without a word."""
    change(fresh, "docker/production/Dockerfile.carbide-rest-ipam", "GOARCH=$TARGETARCH", "GOARCH=amd64")
    some = "--images carbide-rest-ipam,carbide-rest-db --platforms linux/arm64"
    fresh.inv(f"build {some}").ok()
    ran = fresh.inv(f"lint {some}").failed(5)
    said = " ".join(ran.out.split())
    assert "a program in an image for linux/arm64 was built for amd64: /app/ipam" in said
    assert "/app/migrations" not in said


def test_the_version_follows_git_s_state(tmp_path: Path):
    """S1 e."""
    fleet = tree(tmp_path)

    def tags() -> list[str]:
        plan = fleet.inv("list --json --images carbide-rest-api").ok().json["images"][0]
        published = [name for name in plan["references"] if name.startswith("nvcr.io/")]
        return [name.rpartition(":")[2] for name in published]

    def sha() -> str:
        return fleet.git("rev-parse", "HEAD")[:7]

    assert fleet.inv("version").ok().out.startswith("v0.0.0 ")  # no git at all
    assert "{sha} needs a git repository" in fleet.inv("list").failed(2).err
    assert "v0.0.0" in fleet.inv("list --tags {version}").ok().out
    fleet.commit("first")
    assert tags() == [sha(), f"v0.0.0-0-g{sha()}", "latest"]
    fleet.git("tag", "v1.2.3")
    assert tags() == [sha(), "v1.2.3", "latest"]
    fleet.commit("second")
    assert tags() == [sha(), f"v1.2.3-1-g{sha()}", "latest"]
    fleet.git("checkout", "-q", "-b", "feat/My_X")
    assert tags() == [f"feat-My_X-{sha()}"]
    shallow = Fleet(tmp_path / "shallow", fleet.env)
    fleet.run("git", "clone", "-q", "--depth=1", f"file://{fleet.root}", str(shallow.root)).ok()
    fleet = shallow
    fleet.git("checkout", "-q", "-B", "main")
    assert tags() == [sha(), f"v0.0.0-0-g{sha()}", "latest"]


@pytest.mark.engine
def test_two_platforms_are_pushed_and_every_program_is_for_its_own(built: Fleet, engine: PrivateEngine):
    """S1 f."""
    built.inv(f"push --platforms {BOTH}").ok()
    for image in IMAGES:
        assert (
            harbour.manifest(built.registry, f"{built.owner}/{image}", "v1.2.3").platforms == MACHINES.keys()
        )
    name = reference(built, "carbide-rest-api")
    for platform, machine in MACHINES.items():
        engine.docker("pull", "-q", "--platform", platform, name)
        shown = ("--rm", "--platform", platform, "--entrypoint", "xxd", name, "-p", "-l", "20", "/app/api")
        raw = engine.docker("run", *shown)
        assert int.from_bytes(bytes.fromhex(raw)[18:20], "little") == machine
    ran = built.inv(f"lint --platforms {BOTH} --json").ok().json
    found = {(one["image"], one["platform"]) for one in ran["checks"] if one["name"] == "processor"}
    assert found == {(image, platform) for image in IMAGES for platform in MACHINES}
    assert {one["outcome"] for one in ran["checks"] if one["name"] == "processor"} == {"passed"}
    # The same said of a build: `--output push` is what others spell `--push`.
    built.inv(f"build --output push --platforms {BOTH} --images carbide-rest-db --tags by-build").ok()
    pushed = harbour.manifest(built.registry, f"{built.owner}/carbide-rest-db", "by-build")
    assert pushed.platforms == MACHINES.keys()


@pytest.mark.engine
def test_a_build_without_push_leaves_the_registry_as_it_was(fresh: Fleet):
    """S1 j."""
    summary = fresh.root.parent / "summary.md"
    fresh.inv("build --images carbide-rest-db", env={"GITHUB_STEP_SUMMARY": str(summary)}).ok()
    assert summary.read_text().startswith("### Argosy: Not pushed. 1 built")
    assert not harbour.tags(fresh.registry, f"{fresh.owner}/carbide-rest-db")


@pytest.mark.engine
def test_a_build_for_nothing_but_the_cache_leaves_nothing_and_says_so(fresh: Fleet, engine: PrivateEngine):
    """S1 o. That both platforms were built shows the second time: every step of both is in the cache."""
    for image in ("carbide-rest-db", "carbide-rest-ipam"):  # steps that no other test has run
        dockerfile = f"docker/production/Dockerfile.{image}"
        change(fresh, dockerfile, "tzdata &&", f"tzdata && echo {fresh.owner} &&")
        change(fresh, dockerfile, "RUN version=", f"RUN echo {fresh.owner}; version=")
        change(fresh, dockerfile, "USER ", f"LABEL fleet={fresh.owner}\nUSER ")
    line = f"build --output none --platforms {BOTH} --images carbide-rest-db,carbide-rest-ipam"
    first = fresh.inv(f"{line} --json").ok().json["images"]
    for _ in range(10):  # a step that another build runs at this moment is not told as cached
        again = fresh.inv(f"{line} --json").ok().json["images"]
        if all(one["cached"] == one["steps"] for one in again):
            break
    for one, other in zip(first, again, strict=True):
        assert (one["verdict"], other["verdict"]) == ("built", "built")
        assert one["platforms"] == BOTH.split(",")
        assert one["cached"] <= one["steps"] - 4, "two of its own for each platform"
        assert (
            other["cached"] == other["steps"] >= 4
        )  # what lies behind a step that is known is not always told
    ran = fresh.inv(line).ok()
    assert ran.out.count("not loaded, not pushed") >= 2
    listed = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    assert fresh.owner not in listed
    mine = ("image", "ls", "--all", "--quiet", "--filter", f"label=fleet={fresh.owner}")
    assert not engine.docker(*mine), "nor an image without a name"
    fresh.inv("build --images carbide-rest-db").ok()
    assert engine.docker(*mine), "one that is loaded is found so"
    for image in ("carbide-rest-db", "carbide-rest-ipam"):
        assert not harbour.tags(fresh.registry, f"{fresh.owner}/{image}")


@pytest.mark.engine
def test_programs_are_taken_out_for_every_platform(built: Fleet):
    """S1 h, first half; and f and n: each is for its own processor, static and stripped."""
    built.inv(f"build --platforms {BOTH}").ok()
    built.inv(f"extract --platforms {BOTH}").ok()
    for image, (program, *_) in IMAGES.items():
        for platform, machine in MACHINES.items():
            folder = built.root / "artifacts" / image / platform.replace("/", "-")
            with (folder / "app" / program).open("rb") as file:
                elf = ELFFile(file)
                assert ENUM_E_MACHINE[elf["e_machine"]] == machine
                assert not [one for one in elf.iter_segments() if one["p_type"] == "PT_INTERP"]
                assert elf.get_section_by_name(".symtab") is None


@pytest.mark.engine
def test_saved_images_come_back_as_they_were(fresh: Fleet, engine: PrivateEngine, tmp_path: Path):
    """S1 h, second half: by docker's own command, into an engine that has nothing of the image any more."""
    name = reference(fresh, "carbide-rest-db")
    fresh.file("carbide-rest-db/NOTICE", f"of {fresh.owner} alone\n")
    dockerfile = "docker/production/Dockerfile.carbide-rest-db"
    change(fresh, dockerfile, "USER appuser", "COPY carbide-rest-db/NOTICE /\nUSER appuser")
    fresh.inv("build --images carbide-rest-db").ok()
    before = engine.docker("image", "inspect", "-f", "{{.Id}}", name)
    fresh.inv(f"save --images carbide-rest-db --dir {tmp_path / 'out'}").ok()
    fresh.inv("clean --yes --images carbide-rest-db").ok()
    assert fresh.run("docker", "image", "inspect", before).code, "nothing of it is left"
    engine.docker("load", "-i", str(tmp_path / "out" / "carbide-rest-db.tar"))
    assert engine.docker("image", "inspect", "-f", "{{.Id}}", name) == before
    assert engine.docker("run", "--rm", "--entrypoint", "cat", name, "/NOTICE") == f"of {fresh.owner} alone"


def test_one_constant_reaches_every_place_that_repeats_it_or_none(tmp_path: Path):
    """S1 k, and the document's "updating the Go version": seven edits, a README, and nothing forgotten."""
    fleet = tree(tmp_path)
    fleet.commit()
    images = fleet.inv("list --json").ok().json["images"]
    assert [image["args"] for image in images] == [{"GO_VERSION": "1.25.1"}] * 7
    fleet.inv("version --set go=1.26").ok()
    said = [(fleet.root / f"docker/production/Dockerfile.{image}").read_text() for image in IMAGES]
    assert all(text.startswith("ARG GO_VERSION=1.26\n") for text in said)
    assert "`golang:1.26`" in (fleet.root / "README.md").read_text()
    assert "\ngo 1.26\n" in (fleet.root / "go.mod").read_text()
    assert fleet.inv("list --json").ok().json["images"][0]["args"] == {"GO_VERSION": "1.26"}
    fleet.file("README.md", "# Carbide REST\n")
    fleet.commit()
    assert "README.md" in fleet.inv("version --set go=1.27").failed(2).err
    assert fleet.git("status", "--porcelain") == "", "none of the ten places was written"


@pytest.mark.engine
def test_the_six_labels_can_be_on_the_image_itself(fresh: Fleet, engine: PrivateEngine):
    """S1 m: what that costs is said in the how-to."""
    page = ROOT / "docs" / "how-to" / "dockerfiles.md"
    (labels,) = [step.text for step in steps(page) if step.text.startswith("[defaults.labels]")]
    with (fresh.root / "build.toml").open("a") as file:
        file.write("\n" + labels)
    fresh.inv("build --images carbide-rest-db").ok()
    found = config(engine, reference(fresh, "carbide-rest-db"))["Labels"]
    source = "https://github.com/nvidia/carbide-rest"
    assert {key.removeprefix("org.opencontainers.image."): value for key, value in found.items()} == {
        "title": "carbide-rest-db",
        "version": "v1.2.3",
        "revision": fresh.git("rev-parse", "HEAD"),
        "created": found["org.opencontainers.image.created"],
        "source": source,
        "url": source,
    }
    made = datetime.fromisoformat(found["org.opencontainers.image.created"].replace("Z", "+00:00"))
    assert made == datetime.fromisoformat(fresh.git("log", "-1", "--format=%cI"))
    # What it costs: another commit is another image, though nothing else has changed.
    assert "every commit makes every image a new one" in page.read_text()
    fresh.commit("nothing but a commit")
    (planned,) = fresh.inv("plan --format json --images carbide-rest-db").ok().json["images"]
    assert planned["action"] == "build"
    assert "revision" in planned["reason"]


@pytest.mark.engine
def test_the_promises_of_all_seven_hold(built: Fleet):
    """S1 b, g and n: versions, health, sizes, nothing that does not belong; an exception shows its reason."""
    ran = built.inv("test --json").ok().json
    found = {(check["image"], check["name"]): check for check in ran["checks"]}
    for image, (_, port, version) in IMAGES.items():
        assert found[image, "run --version"]["outcome"] == "passed"
        assert found[image, "user"]["outcome"] == "passed"
        assert found[image, "size"]["outcome"] == "passed"
        assert found[image, "healthy"]["outcome"] == ("passed" if port else "waived")
        assert version in built.run("docker", "run", "--rm", local(built, image), "--version").ok().out
    for name in ("healthcheck", "healthy", "stops"):
        assert found["carbide-rest-db", name]["outcome"] == "waived"
        assert "applies migrations and ends" in found["carbide-rest-db", name]["detail"]
    assert found["carbide-rest-api", "files./app/api"]["outcome"] == "passed"
    shown = built.inv("test --images carbide-rest-db").ok().out
    assert "waived" in shown
    assert "applies migrations and ends" in shown
    assert re.search(r" size +passed +.*\b[23]\d\.\d MB, 25 to 35 MB", shown)


@pytest.mark.engine
def test_what_does_not_hold_fails_with_the_reason(fresh: Fleet):
    """S1 b, g and n, the other way: no VERSION file, a health check that fails, too large, a compiler inside.

    And the document's fourth trouble: certificates that the image's user may not read.
    """
    table = "[images.carbide-rest-ipam]\n"
    mount = 'mounts = ["certs:/var/secrets/temporal/certs:ro"]'
    run = 'name = "certs", entrypoint = "cat", run = "/var/secrets/temporal/certs/tls.crt"'
    change(fresh, "build.toml", table, f"{table}size = [40, 50]\ntests = [{{ {run}, {mount} }}]\n")
    change(fresh, "build.toml", "{ healthy = true, stops", '{ within = "20s", healthy = true, stops')
    fresh.file("certs/tls.crt", "a certificate").parent.chmod(0o700)
    (fresh.root / "carbide-rest-ipam/VERSION").unlink()
    health = 'health) echo "temporal is away"; exit 1; wget'
    change(fresh, "carbide-rest-workflow/cmd/workflow/main.sh", "health) wget", health)
    change(fresh, "carbide-rest-api/cmd/api/main.sh", "# size: 23M", "# size: 33M")
    compiler = "COPY --from=build /usr/local/bin/go /usr/local/bin/\nUSER appuser"
    change(fresh, "docker/production/Dockerfile.carbide-site-agent", "USER appuser", compiler)
    some = "carbide-rest-ipam,carbide-rest-workflow,carbide-rest-api,carbide-site-agent"
    fresh.inv(f"build --images {some}").ok()
    ran = fresh.run("docker", "run", "--rm", local(fresh, "carbide-rest-ipam"), "--version")
    assert ran.ok().out == "dev\n"
    found = fresh.inv(f"test --json --images {some}").failed(5).json
    failed = {
        (check["image"], check["name"]): check for check in found["checks"] if check["outcome"] == "failed"
    }
    assert failed.keys() == {
        ("carbide-rest-workflow", "healthy"),
        ("carbide-rest-api", "size"),
        ("carbide-site-agent", "absent"),
        ("carbide-rest-ipam", "certs"),
        ("carbide-rest-ipam", "size"),
    }
    certs = failed["carbide-rest-ipam", "certs"]["detail"]
    assert "it runs as 1000:1000, and certs belongs to 0:0: chown -R 1000:1000 certs" in certs
    assert "temporal is away" in json.dumps(failed["carbide-rest-workflow", "healthy"])
    assert re.fullmatch(r"3[3-9]\.\d MB, not 20 to 30 MB", failed["carbide-rest-api", "size"]["detail"])
    assert re.fullmatch(r"2\d\.\d MB, not 40 to 50 MB", failed["carbide-rest-ipam", "size"]["detail"])
    table = fresh.inv("test --images carbide-rest-api").failed(5).out
    assert re.search(r"size +failed .*3[3-9]\.\d MB, not 20 to 30 MB", table)


@pytest.mark.engine
def test_a_second_flavour_stands_on_a_base_of_its_own(fresh: Fleet, engine: PrivateEngine):
    """S1 l: other Dockerfiles, the same images, another registry, on one base; in three lines."""
    listed = {one["name"]: one for one in fresh.inv("list --flavour fast --json").ok().json["images"]}
    base = listed.pop("carbide-base-runtime")
    assert base["dockerfile"] == "docker/base-runtime/Dockerfile"
    assert listed.keys() == IMAGES.keys()
    dev = f"{fresh.registry}/{fresh.owner.partition('/')[0]}/dev"
    for image, one in listed.items():
        assert one["dockerfile"] == f"docker/production/Dockerfile.{image}.fast"
        assert [need["image"] for need in one["needs"]] == ["carbide-base-runtime"]
        assert {reference.rpartition(":")[0] for reference in one["references"]} == {f"{dev}/{image}"}
    ran = fresh.inv("build --flavour fast --images carbide-rest-db --json").ok().json
    built = {image["name"]: image["references"] for image in ran["images"]}
    name = f"{dev}/carbide-rest-db:v1.2.3"
    assert name in built["carbide-rest-db"]
    assert engine.docker("run", "--rm", name, "--version") == "0.2.71"
    layers = json.loads(engine.docker("image", "inspect", "-f", "{{json .RootFS.Layers}}", name))
    fresh.inv("build --flavour fast --images carbide-base-runtime").ok()
    base_name = name.replace("carbide-rest-db", "carbide-base-runtime")
    below = json.loads(engine.docker("image", "inspect", "-f", "{{json .RootFS.Layers}}", base_name))
    assert layers[: len(below)] == below
    assert len(layers) == len(below) + 1
    lines = (SYSTEMS / "carbide" / "build.toml").read_text().splitlines()
    assert sum("flavours" in line for line in lines) == 3
