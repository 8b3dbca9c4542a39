"""Registries as they are: names moved, refusals in words, logins found, faults survived. All registries are real."""

from __future__ import annotations

import base64
import json
import logging
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import RegistryError, SurroundingsError
from tasks.registries import credentials, referrers
from tasks.registries.pointing import point
from tasks.registries.registry import RELEASE, Manifest, Remote, is_same, released
from tasks.registries.request import Access, Answer, Request
from tasks.registries.trust import is_loopback
from tasks.release import carrying
from tasks.release.content import Place
from tests import registries
from tests.conftest import PrivateEngine
from tests.registries import PASSWORD, USER, Proxy, Running, TokenService

INDEX = "application/vnd.oci.image.index.v1+json"
WRONG = "wrong-word"
_UNKNOWN = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'
Env = dict[str, str]


def index(note: str = "", **annotations: str) -> Manifest:
    """An index without children, made unique by its note; a registry takes it without any blob."""
    content = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [],
        "annotations": {"note": note, **annotations},
    }
    return Manifest.of(json.dumps(content).encode(), INDEX)


@pytest.fixture(scope="module")
def program(engine: PrivateEngine) -> Env:
    """The environment in which docker-registry is found."""
    return dict(engine.env)


@pytest.fixture(scope="module")
def plain(program: Env, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with registries.registry(program, tmp_path_factory.mktemp("plain"), delete=True) as running:
        yield running


@pytest.fixture(scope="module")
def locked(program: Env, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A registry that wants USER and PASSWORD."""
    with registries.registry(program, tmp_path_factory.mktemp("locked"), htpasswd=True) as running:
        yield running


@pytest.fixture(scope="module")
def quay(program: Env, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, TokenService]]:
    """A registry that wants tokens, and the service that gives them."""
    folder = tmp_path_factory.mktemp("quay")
    with (
        registries.token_service(folder) as service,
        registries.registry(program, folder, token=service.section, delete=True) as running,
    ):
        yield running, service


@pytest.fixture
def service(quay: tuple[Running, TokenService]) -> TokenService:
    quay[1].seconds, quay[1].denied = 300, ()
    quay[1].asked.clear()
    return quay[1]


@pytest.fixture
def proxy(plain: Running) -> Iterator[Proxy]:
    with registries.proxy(plain.host) as state:
        yield state


@pytest.fixture
def home(tmp_path: Path) -> Env:
    """A person's environment with nothing in it: no login anywhere."""
    (tmp_path / "bin").mkdir()
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}


@pytest.fixture
def repository() -> str:
    return f"fleet/{uuid.uuid4().hex[:8]}"


def keep(home: Env, config: object, file: str = ".docker/config.json") -> Path:
    path = Path(home["HOME"], file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    return path


def basic(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def helper(home: Env, name: str, script: str) -> None:
    file = Path(home["HOME"], "bin", f"docker-credential-{name}")
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def refusal(what: Callable[[], object]) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        what()
    assert caught.value.exit_code == 3
    assert PASSWORD not in str(caught.value)
    return caught.value


# -- what a registry holds


@pytest.mark.engine
@pytest.mark.parametrize(
    "raw",
    [
        b'{"schemaVersion":2,"mediaType":"%s","manifests":[]}',
        b'{\n\t"manifests" :[ ],\n "schemaVersion":  2,\r\n"mediaType":"%s"}\n\n',
    ],
)
def test_a_manifest_comes_back_byte_for_byte(plain: Running, repository: str, raw: bytes) -> None:
    remote = Remote(plain.host)
    manifest = Manifest.of(raw % INDEX.encode(), INDEX)
    remote.put(repository, "v1", manifest)
    assert remote.manifest(repository, "v1") == manifest
    assert remote.manifest(repository, manifest.digest) == manifest
    assert remote.digest(repository, "v1") == manifest.digest


@pytest.mark.engine
def test_what_is_not_there_is_none(plain: Running, repository: str) -> None:
    remote = Remote(plain.host)
    assert remote.manifest(repository, "latest") is None
    assert remote.digest(repository, "latest") is None
    assert remote.tags(repository) == ()
    remote.put(repository, "v1", index())
    assert remote.manifest(repository, "latest") is None
    assert remote.manifest(repository, "sha256:" + "0" * 64) is None
    assert remote.tags(repository) == ("v1",)


@pytest.mark.engine
def test_a_move_tells_old_and_new(plain: Running, repository: str) -> None:
    remote, first, second = Remote(plain.host), index("first"), index("second")
    for manifest in (first, second):
        remote.put(repository, manifest.digest, manifest)
    assert [point(remote, repository, first, name).old for name in ("v1", "latest")] == ["", ""]
    moved = point(remote, repository, second, "latest")
    assert (moved.reference, moved.old, moved.new) == (
        f"{plain.host}/{repository}:latest",
        first.digest,
        second.digest,
    )
    assert remote.digest(repository, "latest") == second.digest
    assert remote.digest(repository, "v1") == first.digest


@pytest.mark.engine
def test_a_name_that_is_there_already_is_not_written(proxy: Proxy, repository: str) -> None:
    remote, manifest = Remote(proxy.host), index()
    point(remote, repository, manifest, "v1")
    assert proxy.seen["PUT"] == 1
    moved = point(remote, repository, manifest, "v1")
    assert moved.old == moved.new == manifest.digest
    assert proxy.seen["PUT"] == 1


@pytest.mark.engine
def test_what_a_tag_stands_at_is_known_without_fetching_it(proxy: Proxy, repository: str) -> None:
    remote, manifest = Remote(proxy.host), index("any")
    remote.put(repository, "v1", manifest)
    assert remote.descriptor(repository, "v1") == manifest.descriptor
    assert remote.descriptor(repository, "v2") is None
    assert proxy.seen["GET"] == 0


@pytest.mark.engine
def test_an_index_whose_children_are_missing_names_them(plain: Running, repository: str) -> None:
    child = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": "sha256:" + "1" * 64,
        "size": 7,
    }
    content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}
    manifest = Manifest.of(json.dumps(content).encode(), INDEX)
    error = refusal(lambda: Remote(plain.host).put(repository, "v1", manifest))
    assert error.status == 400
    for word in ("MANIFEST_BLOB_UNKNOWN", child["digest"], plain.host, repository):
        assert str(word) in str(error)


@pytest.mark.engine
def test_all_pages_of_tags_are_read(proxy: Proxy, repository: str) -> None:
    remote = Remote(proxy.host)
    names = [f"v{number:02}" for number in range(11)]
    manifest = index()
    for name in names:
        remote.put(repository, name, manifest)
    proxy.page = 4
    proxy.seen.clear()
    assert sorted(remote.tags(repository)) == names
    assert proxy.seen["GET"] == 3


@pytest.mark.engine
def test_the_next_page_may_be_told_by_its_query_alone(proxy: Proxy, repository: str) -> None:
    """A relative reference, RFC 3986 section 4.2."""
    remote = Remote(proxy.host)
    for name in ("v1", "v2", "v3"):
        remote.put(repository, name, index())
    proxy.page, proxy.bare = 2, True
    assert sorted(remote.tags(repository)) == ["v1", "v2", "v3"]


@pytest.mark.engine
def test_a_list_of_what_is_attached_is_not_written_anew_for_one_wrong_answer(
    proxy: Proxy, repository: str
) -> None:
    remote, subject = Remote(proxy.host), index(repository)
    remote.put(repository, "v1", subject)
    first = referrers.attach(remote, repository, subject, "text/one", b"one")
    proxy.at, proxy.body = f"manifests/{referrers.tag(subject.digest)}", _UNKNOWN
    proxy.faults = [(404, {"Docker-Distribution-Api-Version": "registry/2.0"})]
    second = referrers.attach(remote, repository, subject, "text/two", b"two")
    assert not proxy.faults
    assert {one.digest for one in referrers.referrers(remote, repository, subject.digest)} == {
        first.digest,
        second.digest,
    }


@pytest.mark.engine
def test_deleting_a_digest_takes_its_names(plain: Running, repository: str) -> None:
    remote, manifest = Remote(plain.host), index(repository)
    remote.put(repository, "v1", manifest)
    assert remote.delete(repository, manifest.digest) is True
    assert remote.digest(repository, "v1") is None
    assert remote.delete(repository, manifest.digest) is False


def test_a_release_marks_what_it_made() -> None:
    assert released(index(**{RELEASE: "v0.2.0"})) == "v0.2.0"
    assert released(index()) is None
    assert released(Manifest.of(b"[]", INDEX)) is None


@pytest.mark.engine
def test_twenty_moves_by_eight_threads(plain: Running, repository: str) -> None:
    remote, manifest = Remote(plain.host), index(repository)
    remote.put(repository, manifest.digest, manifest)
    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(lambda n: point(remote, repository, manifest, f"v{n}"), range(20)))
    assert {m.new for m in moved} == {manifest.digest}
    assert len(remote.tags(repository)) == 20


# -- who may push


@pytest.mark.engine
def test_who_may_push_starts_and_cancels_an_upload(plain: Running, repository: str) -> None:
    Remote(plain.host).may_push(repository)
    assert list(plain.folder.rglob(f"{repository}/_uploads"))
    assert not list(plain.folder.rglob(f"{repository}/_uploads/*/startedat"))


@pytest.mark.engine
def test_without_a_login_the_login_line_is_named(locked: Running, home: Env, repository: str) -> None:
    error = refusal(lambda: Remote(locked.host, home).may_push(repository))
    assert error.status == 401
    for word in (f"docker login {locked.host}", repository, f"{home['HOME']}/.docker/config.json"):
        assert word in str(error)


@pytest.mark.engine
def test_a_wrong_password_names_whose_it_is_and_where_it_is_kept(locked: Running, home: Env) -> None:
    file = keep(home, {"auths": {locked.host: basic(USER, WRONG)}})
    error = refusal(lambda: Remote(locked.host, home).may_push("api"))
    assert error.status == 401
    assert USER in str(error)
    assert str(file) in str(error)
    assert WRONG not in str(error)
    assert basic(USER, WRONG)["auth"] not in str(error)


@pytest.mark.engine
def test_a_registry_that_is_read_only_says_so_and_can_be_read(
    program: Env, plain: Running, repository: str
) -> None:
    Remote(plain.host).put(repository, "v1", index())
    with registries.registry(program, plain.folder, readonly=True) as running:
        remote = Remote(running.host)
        for error in (
            refusal(lambda: remote.may_push(repository)),
            refusal(lambda: remote.put(repository, "v2", index())),
        ):
            assert error.status == 405
            assert "read-only" in str(error)
        assert remote.tags(repository) == ("v1",)


@pytest.mark.engine
def test_where_deletion_is_off_it_is_said(locked: Running, home: Env) -> None:
    keep(home, {"auths": {locked.host: basic()}})
    error = refusal(lambda: Remote(locked.host, home).delete("api", "sha256:" + "0" * 64))
    assert error.status == 405
    assert "Deletion is switched off" in str(error)


def test_nobody_listening_is_an_error_that_names_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and no one else can take it
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        for ask in (lambda: Remote(host).may_push("api"), lambda: Remote(host).reachable()):
            error = refusal(ask)
            assert error.status is None
            assert f"http://{host}: connection refused" in str(error)
            assert "Check that the registry runs" in str(error)


def test_a_host_that_is_none_is_an_error_that_names_it() -> None:
    error = refusal(lambda: Remote("registry.invalid", {}).reachable())
    assert error.status is None
    assert "registry.invalid does not answer at https://registry.invalid" in str(error)


@pytest.mark.parametrize("host", ["no such host", "a..b", "127.0.0.1:99999", "[::1"])
def test_what_is_no_host_at_all_is_a_clear_error(host: str) -> None:
    assert host in str(refusal(lambda: Remote(host, {}).reachable()))


@pytest.mark.engine
def test_reachable_needs_no_login(locked: Running, home: Env) -> None:
    Remote(locked.host, home).reachable()


# -- where logins are found


@pytest.mark.engine
def test_what_docker_login_wrote_is_used(locked: Running, program: Env, home: Env, repository: str) -> None:
    env = program | {"HOME": home["HOME"], "DOCKER_CONFIG": f"{home['HOME']}/elsewhere"}
    login = ["docker", "login", "--username", USER, "--password-stdin", locked.host]
    subprocess.run(login, input=PASSWORD.encode(), env=env, check=True, capture_output=True)
    Remote(locked.host, env).put(repository, "v1", index())
    with pytest.raises(RegistryError, match="docker login"):
        Remote(locked.host, env | {"DOCKER_CONFIG": f"{home['HOME']}/nowhere"}).tags(repository)


@pytest.mark.engine
@pytest.mark.parametrize(
    "config", [{"credsStore": "x"}, {"credHelpers": {"HOST": "x"}, "credsStore": "absent"}]
)
def test_a_credential_helper_is_asked_once_on_its_standard_input(
    locked: Running, home: Env, repository: str, config: dict[str, Any]
) -> None:
    text = json.dumps(config | {"auths": {locked.host: {}}}).replace("HOST", locked.host)
    keep(home, text)
    answer = json.dumps({"ServerURL": locked.host, "Username": USER, "Secret": PASSWORD})
    helper(home, "x", f"""echo "$* $(cat)" >> {home["HOME"]}/asked; echo '{answer}'""")
    remote = Remote(locked.host, home)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remote.may_push, [f"{repository}/{n}" for n in range(8)]))
    assert Path(home["HOME"], "asked").read_text() == f"get {locked.host}\n"


@pytest.mark.engine
def test_a_helper_that_knows_no_login_is_no_error_of_its_own(locked: Running, home: Env) -> None:
    keep(home, {"credsStore": "x"})
    helper(home, "x", "echo credentials not found in native keychain; exit 1")
    error = refusal(lambda: Remote(locked.host, home).may_push("api"))
    assert "No login for it is kept" in str(error)


def test_a_helper_that_is_absent_or_broken_is_named_and_its_words_are_not(home: Env) -> None:
    file = keep(home, {"credsStore": "x"})
    with pytest.raises(SurroundingsError, match=r"docker-credential-x is not on PATH") as absent:
        credentials.find("ghcr.io", home)
    assert str(file) in str(absent.value)
    helper(home, "x", f"echo '{PASSWORD}'; echo '{PASSWORD}' >&2; exit 3")
    with pytest.raises(SurroundingsError, match=r"exit status 3") as broken:
        credentials.find("ghcr.io", home)
    assert PASSWORD not in str(broken.value)
    assert "docker login ghcr.io" in str(broken.value)


@pytest.mark.parametrize(
    "config",
    [
        "{broken",
        "[]",
        '{"auths": 3}',
        '{"auths": {"ghcr.io": {"auth": "%%%"}}}',
        '{"auths": {"ghcr.io": {"auth": "ü"}}}',
    ],
)
def test_a_broken_file_is_named_and_not_quoted(home: Env, config: str) -> None:
    file = keep(home, config)
    with pytest.raises(SurroundingsError) as caught:
        credentials.find("ghcr.io", home)
    assert str(file) in str(caught.value)
    assert config not in str(caught.value)


def test_podmans_files_are_read_after_dockers_and_the_named_one_before(home: Env) -> None:
    home |= {"XDG_RUNTIME_DIR": f"{home['HOME']}/run"}
    keep(home, {"auths": {"ghcr.io": basic("config")}}, ".config/containers/auth.json")
    assert credentials.find("ghcr.io", home) == credentials.Login(
        "config", PASSWORD, f"{home['HOME']}/.config/containers/auth.json"
    )
    for user, file in [
        ("runtime", "run/containers/auth.json"),
        ("docker", ".docker/config.json"),
        ("named", "named.json"),
    ]:
        keep(home, {"auths": {"ghcr.io": basic(user)}}, file)
        if user == "named":
            home["REGISTRY_AUTH_FILE"] = f"{home['HOME']}/named.json"
        found = credentials.find("ghcr.io", home)
        assert found
        assert found.username == user
    assert credentials.find("quay.io", home) is None


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
        ("https://ghcr.io/v1/", "ghcr.io"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_a_login_is_found_under_every_form_of_its_host(home: Env, key: str, host: str) -> None:
    keep(home, {"auths": {"example.com": basic("other"), key: basic()}})
    found = credentials.find(host, home)
    assert found
    assert found.username == USER
    assert PASSWORD not in repr(found)


# -- tokens


@pytest.mark.engine
def test_tokens_are_fetched_once_for_each_repository_and_need(
    quay: tuple[Running, TokenService], service: TokenService, home: Env, repository: str
) -> None:
    keep(home, {"auths": {quay[0].host: basic()}})
    remote, manifest = Remote(quay[0].host, home), index()
    names = [f"{repository}/{n % 4}" for n in range(32)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: point(remote, pair[1], manifest, f"v{pair[0]}"), enumerate(names)))
        list(pool.map(remote.may_push, names))
    wanted = sorted(f"repository:{repository}/{n}:{need}" for n in range(4) for need in ("pull", "pull,push"))
    assert sorted(scope for scope in service.asked if "delete" not in scope) == wanted
    assert remote.delete(names[0], manifest.digest) is True


@pytest.mark.engine
def test_an_expired_token_is_replaced_by_one_new_one(
    quay: tuple[Running, TokenService], service: TokenService, home: Env, repository: str
) -> None:
    keep(home, {"auths": {quay[0].host: basic()}})
    remote = Remote(quay[0].host, home)
    remote.tags(repository)
    (access,) = remote._wire._held
    service.seconds = 0
    remote._wire._held[access] = f"Bearer {service.token(access.scope())}"
    service.seconds = 300
    service.asked.clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remote.tags, [repository] * 8))
    assert len(service.asked) == 1
    service.seconds = 0
    remote = Remote(quay[0].host, home)
    assert refusal(lambda: remote.tags(repository)).status == 401
    assert len(service.asked) == 2


@pytest.mark.engine
def test_a_login_that_may_only_read_is_told_so(
    quay: tuple[Running, TokenService], service: TokenService, home: Env, repository: str
) -> None:
    keep(home, {"auths": {quay[0].host: basic()}})
    service.denied = ("push",)
    remote = Remote(quay[0].host, home)
    assert remote.tags(repository) == ()
    error = refusal(lambda: remote.may_push(repository))
    assert f"refuses pushing to {repository}" in str(error)
    assert f"docker login {quay[0].host}" in str(error)


@pytest.mark.engine
def test_a_token_service_that_knows_us_not_is_a_login_error(
    quay: tuple[Running, TokenService], home: Env, repository: str
) -> None:
    keep(home, {"auths": {quay[0].host: basic(USER, WRONG)}})
    error = refusal(lambda: Remote(quay[0].host, home).may_push(repository))
    assert error.status == 401
    assert "docker login" in str(error)
    assert WRONG not in str(error)


@pytest.mark.engine
def test_an_identity_token_is_traded_for_an_access_token(
    quay: tuple[Running, TokenService], service: TokenService, home: Env, repository: str
) -> None:
    service.traded.clear()
    keep(home, {"auths": {quay[0].host: {"auth": "", "identitytoken": service.refresh}}})
    Remote(quay[0].host, home).put(repository, "v1", index())
    first = len(service.traded)
    assert set(service.traded) == {service.refresh}
    keep(home, {"credsStore": "x"})
    helper(home, "x", f"""echo '{{"Username": "<token>", "Secret": "{service.refresh}"}}'""")
    Remote(quay[0].host, home).put(repository, "v2", index())
    assert service.traded == [service.refresh] * 2 * first


def test_a_token_is_asked_for_what_is_done_whatever_the_challenge_says() -> None:
    push = Access("acme/api", ("pull", "push"))
    assert push.scope() == "repository:acme/api:pull,push"
    assert push.scope("repository:acme/api:pull") == "repository:acme/api:pull,push"
    assert (
        push.scope("repository:prefix/acme/api:pull,push,delete")
        == "repository:prefix/acme/api:pull,push,delete"
    )
    assert push.scope("registry:catalog:*") == "repository:acme/api:pull,push"


# -- what goes wrong on the way


@pytest.mark.engine
@pytest.mark.parametrize(
    "faults", [[(503, {}), (503, {})], [(500, {})], [(429, {"Retry-After": "0"})], ["refuse"], ["cut"]]
)
def test_what_passes_is_tried_again(proxy: Proxy, repository: str, faults: list[Any]) -> None:
    remote, manifest = Remote(proxy.host), index()
    remote.put(repository, "v1", manifest)
    proxy.faults = faults.copy()
    assert remote.manifest(repository, "v1") == manifest
    assert proxy.seen["GET"] == 1 + len(faults)


@pytest.mark.engine
def test_a_put_whose_answer_is_lost_is_written_again(proxy: Proxy, repository: str) -> None:
    remote, manifest = Remote(proxy.host), index()
    proxy.faults = ["lost"]
    remote.put(repository, "v1", manifest)
    assert proxy.seen["PUT"] == 2
    assert remote.digest(repository, "v1") == manifest.digest


@pytest.mark.engine
def test_what_does_not_pass_ends_in_words(proxy: Proxy, repository: str) -> None:
    proxy.faults = [(503, {})] * 3
    error = refusal(lambda: Remote(proxy.host).tags(repository))
    assert (error.status, proxy.seen["GET"]) == (503, 3)
    assert f"{proxy.host} answers 503 to reading {repository}" in str(error)
    proxy.faults = ["cut"] * 3
    error = refusal(lambda: Remote(proxy.host).tags(repository))
    assert error.status is None
    assert "the connection was cut" in str(error)


@pytest.mark.engine
def test_a_registry_that_asks_to_wait_is_waited_for_or_left(proxy: Proxy, repository: str) -> None:
    proxy.faults = [(429, {"Retry-After": "1"})]
    start = time.monotonic()
    assert Remote(proxy.host).tags(repository) == ()
    assert time.monotonic() - start >= 1
    proxy.faults = [(429, {"Retry-After": "3600"})]
    proxy.seen.clear()
    error = refusal(lambda: Remote(proxy.host).tags(repository))
    assert (error.status, proxy.seen["GET"]) == (429, 1)
    assert "wait 3600 s" in str(error)


@pytest.mark.engine
def test_a_403_is_final(proxy: Proxy, repository: str) -> None:
    proxy.faults = [(403, {})]
    error = refusal(lambda: Remote(proxy.host).may_push(repository))
    assert (error.status, proxy.seen["POST"]) == (403, 1)
    assert f"docker login {proxy.host}" in str(error)


@pytest.mark.engine
def test_a_404_that_is_not_the_registrys_is_not_believed(proxy: Proxy, repository: str) -> None:
    remote = Remote(proxy.host)
    remote.put(repository, "v1", index())
    for ask in (remote.manifest, remote.digest):
        proxy.faults = [(404, {})] * 2
        assert refusal(lambda ask=ask: ask(repository, "v1")).status == 404  # type: ignore[misc]
    proxy.faults = [(404, {})]
    assert "create it there first" in str(refusal(lambda: remote.may_push(repository)))
    proxy.faults = [(200, {})]
    assert "not how a registry speaks" in str(refusal(lambda: remote.tags(repository)))


@pytest.mark.engine
def test_a_registry_that_goes_away_is_reported(program: Env, tmp_path: Path) -> None:
    with registries.registry(program, tmp_path) as running:
        remote = Remote(running.host)
        remote.put("api", "v1", index())
        running.stop()
        assert "connection refused" in str(refusal(lambda: remote.put("api", "v2", index())))


@pytest.mark.engine
def test_no_secret_is_ever_said(
    quay: tuple[Running, TokenService],
    service: TokenService,
    home: Env,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    keep(home, {"auths": {quay[0].host: basic()}})
    with caplog.at_level(logging.DEBUG), registries.proxy(quay[0].host) as proxy:
        remote = Remote(quay[0].host, home)
        remote.may_push("api")
        tokens = [header.partition(" ")[2] for header in remote._wire._held.values()]
        # A registry that repeats what it was sent.
        proxy.faults = [(400, {})]
        proxy.body = json.dumps({"errors": [{"code": "BAD", "message": f"{PASSWORD} {tokens[0]}"}]}).encode()
        remote._wire.address = proxy.host
        said = str(refusal(lambda: remote.may_push("api")))
    assert "BAD: *** ***" in said
    said += caplog.text + "".join(capfd.readouterr())
    assert tokens
    assert not [secret for secret in [PASSWORD, basic()["auth"], *tokens] if secret in said]
    assert service.asked


@pytest.mark.engine
def test_netrc_and_proxies_do_not_come_between(
    locked: Running, home: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(home, {"auths": {locked.host: basic()}})
    monkeypatch.setenv("NETRC", str(keep(home, "machine 127.0.0.1 login other password other", ".netrc")))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    Remote(locked.host, home).may_push("api")


# -- TLS and addresses


@pytest.fixture(scope="module")
def sealed(program: Env, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """A registry with a self-signed certificate, and that certificate."""
    folder = tmp_path_factory.mktemp("sealed")
    pair = registries.certificate(folder / "certificate")
    with registries.registry(program, folder, certificate=pair) as running:
        yield running, pair[0]


@pytest.mark.engine
def test_an_unknown_certificate_is_refused_with_the_place_to_put_it(
    sealed: tuple[Running, Path], home: Env
) -> None:
    host = sealed[0].host
    error = refusal(lambda: Remote(host, home).may_push("api"))
    assert error.status is None
    assert "its certificate is not trusted" in str(error)
    assert f"/etc/docker/certs.d/{host}/ca.crt" in str(error)


@pytest.mark.engine
@pytest.mark.parametrize("where", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "docker", "containers"])
def test_an_authority_of_ones_own_is_trusted(
    sealed: tuple[Running, Path], home: Env, repository: str, where: str
) -> None:
    running, authority = sealed
    if where.isupper():
        home[where] = str(authority)
    else:
        keep(home, authority.read_text(), f".config/{where}/certs.d/{running.host}/ca.crt")
    remote = Remote(running.host, home)
    remote.put(repository, "v1", index())
    assert remote.tags(repository) == ("v1",)


@pytest.mark.engine
def test_tls_spoken_to_a_plain_registry_says_what_it_is(plain: Running) -> None:
    remote = Remote(plain.host)
    remote._wire._scheme = "https"
    assert "speaks plain HTTP" in str(refusal(remote.reachable))


def test_a_certificate_that_is_none_is_named(home: Env) -> None:
    file = keep(home, "not a certificate", ".config/docker/certs.d/ghcr.io/ca.crt")
    with pytest.raises(SurroundingsError) as caught:
        Remote("ghcr.io", home).reachable()
    assert str(file) in str(caught.value)


def test_loopback_is_what_docker_takes_for_it() -> None:
    assert all(map(is_loopback, ["localhost", "localhost:5000", "127.0.0.1:1", "127.8.8.8", "[::1]:5000"]))
    assert not any(map(is_loopback, ["ghcr.io", "localhost.acme.org", "10.0.0.1:5000", "128.0.0.1"]))


def test_docker_hub_has_its_own_address_namespace_and_login_line(home: Env) -> None:
    hub = Remote("docker.io", home)
    assert hub._wire.address == "registry-1.docker.io"
    assert hub._access("debian").repository == "library/debian"
    assert hub._access("acme/api").repository == "acme/api"
    assert credentials.login_line("docker.io") == "docker login"
    assert Remote("", home).host == "docker.io"


@pytest.mark.parametrize("said", ["", "ghcr.io", "ghcr.io:443", "GHCR.io"])
def test_an_upload_may_be_sent_to_the_registry_by_all_its_names(said: str) -> None:
    assert is_same(said, "ghcr.io")
    assert not is_same("elsewhere.io", "ghcr.io")
    assert not is_same("ghcr.io:8443", "ghcr.io")


@pytest.mark.engine
def test_a_list_of_what_is_attached_is_read_to_its_last_page(
    plain: Running, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote, asked = Remote(plain.host), []
    pages = {
        "": ([{"digest": "one"}], {"Link": f'</v2/{repository}/referrers/sha256:x?last=1>; rel="next"'}),
        "last=1": ([{"digest": "two"}], {}),
    }

    def send(request: Request) -> Answer:
        asked.append(request.path)
        entries, headers = pages[request.path.partition("?")[2]]
        return Answer(200, headers, json.dumps({"manifests": entries}).encode())

    monkeypatch.setattr(remote._wire, "send", send)
    assert [one["digest"] for one in remote.referrers(repository, "sha256:x") or ()] == ["one", "two"]
    assert len(asked) == 2


@pytest.mark.engine
def test_what_a_clean_up_took_of_what_was_attached_does_not_keep_the_rest(
    plain: Running, repository: str
) -> None:
    remote = Remote(plain.host)
    subject = index()
    remote.put(repository, "v1", subject)
    old, new = (
        referrers.attach(remote, repository, subject, "text/plain", text) for text in (b"old", b"new")
    )
    remote.delete(repository, old.digest)
    source, target = Place(plain.host, repository), Place(plain.host, f"{repository}/copy")
    remote.put(target.repository, "v1", subject)
    assert carrying.carry({plain.host: remote}, source, target, (subject.digest,)) == 1
    assert [one.digest for one in referrers.referrers(remote, target.repository, subject.digest)] == [
        new.digest
    ]
