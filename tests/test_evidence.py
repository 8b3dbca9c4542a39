"""Evidence: the same image read from the registry and from the engine is the same, platform by platform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.errors import AbsentError, RegistryError
from tasks.evidence import in_engine, in_registry
from tasks.evidence.blobs import Blobs
from tasks.evidence.configuration import Health
from tasks.evidence.evidence import Evidence
from tasks.registries.registry import Remote
from tests import harbour
from tests.conftest import PrivateEngine
from tests.registries import proxy

DOCKERFILE = """\
FROM busybox:stable
RUN mkdir -p /x/y && echo hidden > /x/y/a && echo b > /x/b && ln -s b /x/soft && chown 5:6 /x/b
RUN rm -r /x/y && mkdir /x/y && echo c > /x/y/c
ENV GREETING=hello=world
LABEL org.example.who=me
EXPOSE 8080 53/udp
VOLUME /data
HEALTHCHECK --interval=30s --timeout=3s CMD wget -q localhost:8080
USER 1000
ENTRYPOINT ["/bin/httpd"]
CMD ["-f"]
"""
PLATFORMS = ("linux/amd64", "linux/arm64")
pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Built:
    """One image of two platforms, in the engine and in the registry."""

    engine: PrivateEngine
    repository: str
    digest: str

    @property
    def reference(self) -> str:
        return f"{self.engine.registry}/{self.repository}:1"


@pytest.fixture(scope="module")
def built(engine: PrivateEngine, owners: set[str], tmp_path_factory: pytest.TempPathFactory) -> Built:
    owners.add("evidence-tests")
    folder = tmp_path_factory.mktemp("context")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    repository = f"evidence-tests/{folder.parent.name}"
    name = f"{engine.registry}/{repository}:1"
    engine.docker(
        "buildx", "build", "-q", "--platform", ",".join(PLATFORMS), "-t", name, "--push", str(folder)
    )
    engine.docker(
        "buildx", "build", "-q", "--platform", ",".join(PLATFORMS), "-t", name, "--load", str(folder)
    )
    return Built(engine, repository, harbour.manifest(engine.registry, repository, "1").digest)


def from_registry(built: Built, folder: Path, platform: str, host: str = "") -> Evidence:
    remote = Remote(host or built.engine.registry, {})
    return in_registry.evidence(remote, built.repository, built.digest, platform, Blobs(folder))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_configuration_is_that_of_the_platform(built: Built, tmp_path: Path, platform: str) -> None:
    found = from_registry(built, tmp_path, platform)
    children = harbour.manifest(built.engine.registry, built.repository, "1").json["manifests"]
    assert found.digest in {child["digest"] for child in children}
    assert found.reference == f"{built.engine.registry}/{built.repository}@{found.digest}"
    told = found.configuration
    assert (told.platform, told.user, told.ports) == (platform, "1000", ("53/udp", "8080/tcp"))
    assert (told.env["GREETING"], told.volumes, told.labels) == (
        "hello=world",
        ("/data",),
        {"org.example.who": "me"},
    )
    assert (told.entrypoint, told.command) == (("/bin/httpd",), ("-f",))
    assert told.health == Health(("CMD-SHELL", "wget -q localhost:8080"), 30.0, 3.0)
    assert len(list(tmp_path.iterdir())) == 1, "no layer is fetched before somebody asks for files"


@pytest.mark.usefixtures("asked")
def test_registry_and_engine_agree_on_everything(built: Built, tmp_path: Path) -> None:
    for platform in PLATFORMS:
        found = from_registry(built, tmp_path / "registry", platform)
        same = in_engine.evidence("docker", built.reference, platform, Blobs(tmp_path / "engine"))
        assert (found.digest, found.layers, found.configuration) == (
            same.digest,
            same.layers,
            same.configuration,
        )
        assert found.tree == same.tree
        assert found.read("/x/soft") == same.read("/x/soft") == b"b\n"
        assert found.read("/x/y/a") is same.read("/x/y/a") is found.read("/x") is None


def test_the_files_are_those_a_container_sees_and_know_the_step_that_made_them(
    built: Built, tmp_path: Path
) -> None:
    found = from_registry(built, tmp_path, "linux/amd64")
    seen = built.engine.docker(
        "run", "--rm", "--platform", "linux/amd64", "--user", "0", "--entrypoint", "/bin/find", built.reference,
        "/", "-xdev", "-not", "-path", "/dev*", "-not", "-path", "/proc*", "-not", "-path", "/sys*",
    )  # fmt: skip
    made_by_engine = {"/.dockerenv", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/data"}
    ours = {file.path for file in found.tree if file.path.split("/")[1] not in {"dev", "proc", "sys"}}
    assert set(seen.splitlines()) - made_by_engine == ours - made_by_engine
    file = found.tree.files["/x/b"]
    assert (file.uid, file.gid, file.layer) == (5, 6, 1)
    assert found.layers[1].created_by.startswith("RUN /bin/sh -c mkdir -p /x/y")
    assert found.layers[found.tree.files["/x/y/c"].layer].created_by.startswith("RUN /bin/sh -c rm -r")
    assert found.sizes[1:] == (len("hidden\nb\n"), len("c\n"))


def test_all_that_any_layer_holds_can_be_read_also_what_a_later_one_hides(
    built: Built, tmp_path: Path
) -> None:
    found = from_registry(built, tmp_path, "linux/amd64")
    assert b"hidden\n" in [
        content.read() for _, entry, content in found.everything() if entry.path == "/x/y/a"
    ]


def test_a_platform_that_is_not_there_is_said_with_those_that_are(built: Built, tmp_path: Path) -> None:
    with pytest.raises(
        RegistryError, match=r"not there for linux/s390x\. Its platforms: linux/amd64, linux/arm64"
    ):
        from_registry(built, tmp_path, "linux/s390x")


@pytest.mark.usefixtures("asked")
def test_an_image_that_is_not_in_the_engine_is_said_to_be_missing(built: Built, tmp_path: Path) -> None:
    with pytest.raises(AbsentError, match=r"not in the engine\. Build it"):
        in_engine.evidence("docker", f"{built.reference}x", "linux/amd64", Blobs(tmp_path))
    with pytest.raises(AbsentError, match="not in the engine for linux/s390x"):
        in_engine.evidence("docker", built.reference, "linux/s390x", Blobs(tmp_path))


def test_a_layer_that_is_cut_off_on_the_way_is_fetched_again(built: Built, tmp_path: Path) -> None:
    with proxy(built.engine.registry) as between:
        found = from_registry(built, tmp_path, "linux/amd64", between.host)
        between.at, between.faults = "/blobs/", ["cut", (503, {})]
        assert found.tree.find("/x/y/c")
        assert not between.faults


@pytest.mark.usefixtures("asked")
def test_the_classic_store_gives_the_same_files(
    built: Built, classic: PrivateEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in classic.env.items():
        monkeypatch.setenv(key, value)
    classic.docker("pull", "-q", built.reference)
    try:
        same = in_engine.evidence("docker", built.reference, "linux/amd64", Blobs(tmp_path / "engine"))
        found = from_registry(built, tmp_path / "registry", "linux/amd64")
        assert (found.tree, found.sizes, found.configuration) == (same.tree, same.sizes, same.configuration)
        assert [layer.created_by for layer in found.layers] == [layer.created_by for layer in same.layers]
    finally:
        classic.docker("image", "rm", built.reference)
