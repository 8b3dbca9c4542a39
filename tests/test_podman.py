"""podman in place of Docker: the same fleet built, named, pushed, pulled, saved and cleaned, with no docker there."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from tasks import config
from tasks.engine import facts as surroundings
from tasks.planning import planner
from tasks.planning.plan import Plan
from tasks.planning.request import Request
from tasks.podman import calls, leftovers
from tests import harbour, registries
from tests.conftest import Podman, PrivateEngine
from tests.scenario import Fleet
from tests.systems.system import SYSTEMS
from tests.systems.test_lapdev import IMAGES, lapdev

ENGINE = '[engine]\nclient = "podman"\n'
API = """
ARG BASE=ghcr.io/other/thing:1
FROM ${{BASE}}
COPY --from={assets} /mark /asset
COPY --from=files word /word
ARG WHO
RUN cat /machine /asset && echo "$WHO" > /who
HEALTHCHECK --interval=30s CMD true
"""


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_a_fleet_of_two_platforms_goes_all_the_way(pod: Fleet, podman: Podman):
    pod.image("base", f"FROM busybox:stable\nRUN uname -m > /machine && echo {pod.owner} > /mark\n")
    pod.image("assets", f"FROM busybox:stable AS made\nRUN echo {pod.owner} > /mark\n")
    assets = f"{pod.registry}/{pod.owner}/assets"
    pod.image("api", API.lstrip("\n").format(assets=assets))
    pod.file("files/word", "a word\n")
    pod.toml(f"""
    {ENGINE}
    [defaults]
    platforms = ["linux/amd64", "linux/arm64"]
    [images.base]
    selected = false
    [images.assets]
    selected = false
    [images.api]
    args = {{ BASE = "{pod.registry}/{pod.owner}/base:7", WHO = "me & you" }}
    contexts = {{ files = "files" }}
    labels = {{ "org.example.kind" = "api" }}
    local = ["{pod.owner}-api:dev"]
    extract = {{ "/who" = "who", "/machine" = "machine" }}
    """)
    pod.inv("build").ok()
    name = f"{pod.registry}/{pod.owner}/api:0.1.0"
    listed = json.loads(podman("manifest", "inspect", name))
    assert {entry["platform"]["architecture"] for entry in listed["manifests"]} == {"amd64", "arm64"}
    about = json.loads(podman("image", "inspect", name))[0]
    assert about["Labels"]["org.example.kind"] == "api"
    assert about["Healthcheck"]["Interval"] == 30 * 10**9
    # What is only stood on has no name, and the names of the run are gone.
    left = podman("image", "ls", "--format", "{{.Repository}}").splitlines()
    assert not [name for name in left if name.startswith("localhost/argosy-") or f"{pod.owner}/base" in name]

    pod.inv("extract").ok()
    out = pod.root / "artifacts" / "api"
    assert (out / "linux-amd64/who").read_text() == "me & you\n"
    assert (out / "linux-arm64/machine").read_text() == "aarch64\n"
    assert "--platforms names one" in pod.inv("save --dir out").failed(2).err

    ran = pod.inv("push --json").ok()
    assert ran.json["images"][0]["output"] == "pushed"
    assert harbour.tags(pod.registry, f"{pod.owner}/api") == {"0.1.0", "latest", "argosy-staging"}
    pushed = harbour.manifest(pod.registry, f"{pod.owner}/api", "latest")
    assert pushed.platforms == {"linux/amd64", "linux/arm64"}
    assert pushed.digest in ran.out

    pod.inv("clean --yes").ok()
    assert pod.owner not in podman("image", "ls", "--format", "{{.Repository}}")
    pod.inv("pull").ok()
    assert podman("run", "--rm", f"{pod.owner}-api:dev", "cat", "/machine") == "x86_64"


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_lapdev_with_podman_alone(engine: PrivateEngine, owners: set[str], podman: Podman, tmp_path: Path):
    fleet = lapdev(engine, owners, tmp_path)
    fleet.env = podman.env | {"XDG_STATE_HOME": str(tmp_path / "state")}
    with (fleet.root / "build.toml").open("a") as file:
        file.write(ENGINE)
    fleet.inv("build").ok()
    for image, (_, ports) in IMAGES.items():
        reference = f"{fleet.registry}/{fleet.owner}/{image}:0.2.0"
        about = json.loads(podman("image", "inspect", reference))[0]
        assert set(about["Config"]["ExposedPorts"]) == ports
        assert podman("run", "--rm", reference, "--version") == f"{image} 0.1.0"
        assert podman("run", "--rm", reference, "--compiled") == "1"
    fleet.inv("push").ok()
    for image in IMAGES:
        found = harbour.tags(fleet.registry, f"{fleet.owner}/{image}")
        assert {tag for tag in found if not tag.startswith("argosy-")} == {"0.2.0"}


def test_the_calls_cover_those_that_lapdev_s_script_makes(fleet: Fleet, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(SYSTEMS / "lapdev", fleet.root, dirs_exist_ok=True)
    monkeypatch.chdir(fleet.root)
    project = config.load(fleet.root, {})
    facts = surroundings.gather(project, {})
    plan = planner.make(project, facts, Request())
    made = {str(image.references[0]): calls.build(image, plan, facts, "1") for image in plan.images}
    recorded = [json.loads(line) for line in (SYSTEMS / "lapdev" / "calls.jsonl").read_text().splitlines()]
    builds = [call["argv"] for call in recorded if call["argv"][0] == "build"]
    assert len(builds) == len(made) == 3
    for argv in builds:
        ours = made[argv[argv.index("-t") + 1]]
        pairs = list(pairwise(ours))
        assert ours[0] == "build"
        assert ours[-1] == argv[-1] == "."
        for flag in ("-f", "--target", "-t"):
            assert (flag, argv[argv.index(flag) + 1]) in pairs
    # A push goes under no name first: what the script pushes to are the names that are moved afterwards.
    pushes = {call["argv"][1] for call in recorded if call["argv"][0] == "push"}
    assert pushes == made.keys()


@pytest.mark.engine
def test_what_podman_lacks_is_refused_by_name_before_any_work(pod: Fleet):
    pod.image("api", "FROM busybox:stable\nRUN <<END\ntrue\nEND\nCOPY --link x /x\n")
    pod.image("web", "FROM busybox:stable\nADD --checksum=sha256:00 http://example.com/x /x\n")
    pod.toml(
        f'{ENGINE}[images.api]\n[images.web]\ncontexts = {{ a = "oci-layout://x" }}\n[builder]\nname = "b"\n'
        '[cache]\nlocal = "cache"\n'
    )
    said = pod.inv("build").failed(2).err
    for words in (
        "nothing was done",
        "builder.name: podman has no builders",
        "cache: podman reads and writes no BuildKit caches",
        "docker/api/Dockerfile:2: RUN with a heredoc needs podman 4.8 (this is 4.3.1)",
        "docker/api/Dockerfile:5: podman has no COPY --link",
        "docker/web/Dockerfile:2: podman has no ADD --checksum",
        "images.web.contexts.a: podman takes no oci-layout:// context",
    ):
        assert words in said
    pod.image("api", "FROM busybox:stable\n")
    pod.toml(f"{ENGINE}[images.api]\n")
    assert "--locked is about build.lock" in pod.inv("build --locked").failed(2).err
    pod.commit()
    said = pod.inv("release --tag v1.0.0").failed(2).err
    assert "release v1.0.0: it builds at addresses, which podman does not have" in said
    assert pod.inv("plan --tag v1.0.0").ok().out
    ran = pod.inv("build", env={"PATH": "/nowhere"}).failed(3)
    assert ran.err.startswith("there is no `podman` on PATH")


@pytest.mark.engine
def test_a_failure_names_the_image_the_line_and_what_was_printed(pod: Fleet):
    pod.image("base", "FROM busybox:stable AS one\nRUN true\nFROM one\nRUN echo it went wrong && exit 3\n")
    pod.image("api", f"FROM {pod.owner}/base\n")
    pod.image("web", f"FROM busybox:stable\nRUN echo {pod.owner} > /web\n")
    pod.toml(f"{ENGINE}[images.base]\n[images.api]\n[images.web]\n")
    ran = pod.inv("push --keep-going --json").failed(4)
    found = {one["name"]: one for one in ran.json["images"]}
    assert [found[name]["verdict"] for name in ("base", "api", "web")] == ["failed", "skipped", "built"]
    assert found["base"]["where"] == "docker/base/Dockerfile:4"
    assert "it went wrong" in found["base"]["log"]
    assert "exit status 3" in found["base"]["reason"]
    assert "no name was moved" in ran.err
    assert harbour.tags(pod.registry, f"{pod.owner}/web") <= {"argosy-staging"}


@pytest.mark.engine
def test_a_secret_that_is_an_argument_too_is_in_no_log(pod: Fleet):
    """The log begins with podman's own command line."""
    pod.image("api", "FROM busybox:stable\nARG WORD\nRUN --mount=type=secret,id=key false\n")
    pod.toml(
        f"{ENGINE}[images.api]\nargs = {{ WORD = 'hush-hush-4711' }}\nsecrets = {{ key = {{ env = 'KEY' }} }}\n"
    )
    pod.inv("build", env={"KEY": "hush-hush-4711"}).failed(4)
    [log] = Path(pod.env["XDG_STATE_HOME"]).rglob("*.log")
    assert "--build-arg WORD=***" in log.read_text()
    assert "hush" not in log.read_text()


@pytest.mark.engine
def test_an_archive_of_podman_s_is_loaded_with_its_id(pod: Fleet, podman: Podman):
    read = "RUN --mount=type=secret,id=key cat /run/secrets/key && false\n"
    pod.image("api", f"FROM busybox:stable\n{read}")
    pod.toml(
        f"{ENGINE}[images.api]\nlocal = ['{pod.owner}-api:dev']\nsecrets = {{ key = {{ env = 'KEY' }} }}\n"
        "tests = [{ run = 'echo a word', output = 'a word' }]\n"
    )
    ran = pod.inv("build", env={"KEY": "hush-hush-4711"}).failed(4)
    assert "exit status 1" in ran.err + ran.out
    assert "hush" not in ran.err + ran.out + "".join(
        log.read_text() for log in pod.root.parent.rglob("*.log")
    )
    pod.image(
        "api",
        f"FROM busybox:stable\n{read}".replace("cat", "test -s").replace("&& false", f"&& echo {pod.owner}"),
    )
    pod.inv("build", env={"KEY": "hush-hush-4711"}).ok()
    assert "1 passed" in pod.inv("test").ok().out
    before = podman("image", "inspect", "--format", "{{.Id}}", f"{pod.owner}-api:dev")
    pod.inv("save --dir out").ok()
    pod.inv("clean --yes").ok()
    pod.inv("load --dir out").ok()
    assert podman("image", "inspect", "--format", "{{.Id}}", f"{pod.owner}-api:dev") == before
    checks = {one["name"]: one["found"] for one in pod.inv("doctor --json").json["checks"]}
    assert checks["engine"].startswith("podman 4.3.1, as root (oldest that serves: 4.3)")
    assert checks["image store"].startswith("overlay at ")


@pytest.mark.engine
def test_logins_of_podman_serve_its_pushes_and_our_own_requests(
    pod: Fleet, engine: PrivateEngine, tmp_path: Path
):
    with registries.registry(engine.env, tmp_path / "private", htpasswd=True) as private:
        pod.registry = private.host
        pod.image("api", f"FROM busybox:stable\nRUN echo {pod.owner} > /mark\n")
        pod.toml(f"{ENGINE}[images.api]\n")
        ran = pod.inv("push").failed(3)
        assert f"podman login {private.host}" in ran.err
        auth = {"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}
        words = ("--tls-verify=false", "--username", registries.USER, "--password", registries.PASSWORD)
        pod.run("podman", "login", *words, private.host, env=auth).ok()
        pod.inv("push", env=auth).ok()
        ran = pod.inv("doctor", env=auth)
        assert f"login {private.host}" in ran.out
        assert "kept" in ran.out


@dataclass
class Gate:
    """An address whose answer is waited for until it is opened."""

    url: str
    asked: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def gate() -> Iterator[Gate]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.set()
            found.opened.wait(300)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"x\n")

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        found = Gate(f"http://127.0.0.1:{server.server_port}/x")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        found.opened.set()
        server.shutdown()


@pytest.mark.engine
def test_two_runs_in_one_checkout_each_stand_on_their_own(pod: Fleet, podman: Podman, gate: Gate):
    pod.image("base", f"FROM busybox:stable\nARG WHO=first\nRUN echo {pod.owner} $WHO > /who\n")
    pod.image("slow", f"FROM busybox:stable\nADD {gate.url} /x\n")
    pod.image("api", f"FROM {pod.owner}/base\nRUN cp /who /seen\n")
    pod.toml(
        f"{ENGINE}[images.base]\n[images.slow]\n[images.api]\nneeds = ['slow']\n"
        "[flavours.other]\nimages.base.args = { WHO = 'second' }\nimages.base.tags = ['other']\n"
    )
    first = pod.start("build")
    assert gate.asked.wait(300)
    pod.inv("build --images base --flavour other").ok()
    gate.opened.set()
    _, err = first.communicate(timeout=300)
    assert first.returncode == 0, err
    seen = {
        name: podman("run", "--rm", f"{pod.registry}/{pod.owner}/{name}", "cat", path)
        for name, path in (("api:0.1.0", "/seen"), ("base:other", "/who"))
    }
    assert seen == {"api:0.1.0": f"{pod.owner} first", "base:other": f"{pod.owner} second"}


@pytest.mark.engine
def test_what_a_run_that_was_killed_has_left_is_taken_away_and_no_other_run_s(pod: Fleet, podman: Podman):
    pod.image("api", f"FROM busybox:stable\nRUN echo {pod.owner} > /mark\n")
    pod.toml(f"{ENGINE}[images.api]\n")
    pod.inv("build").ok()
    name, mine = f"{pod.registry}/{pod.owner}/api:0.1.0", calls.mine(_plan(pod))
    space, other = leftovers.word().split("-")[0], os.getppid()
    gone = subprocess.Popen(["true"])
    gone.wait()
    podman("tag", name, f"{mine}/api:building-{space}-{gone.pid}")
    podman("tag", name, f"{mine}/api:building-{space}-{other}")
    podman("tag", name, f"{mine}/api:building-1{space}-{gone.pid}")
    podman("manifest", "create", f"{mine}/web:building-{space}-{gone.pid}")
    pod.inv("build").ok()
    left = podman("image", "ls", "--filter", f"reference={mine}/*", "--format", "{{.Repository}}:{{.Tag}}")
    kept = {f"{mine}/api:building-{space}-{other}", f"{mine}/api:building-1{space}-{gone.pid}"}
    podman.forget(sorted(kept))
    assert {one for one in left.split() if one.startswith(mine)} == kept
    assert podman("run", "--rm", name, "cat", "/mark") == pod.owner


def _plan(fleet: Fleet) -> Plan:
    project = config.load(fleet.root, {})
    return planner.make(project, surroundings.gather(project, {}), Request())


@pytest.mark.engine
def test_ctrl_c_ends_the_build_and_leaves_nothing(pod: Fleet, podman: Podman):
    seconds = str(10**6 + secrets.randbelow(10**6))
    pod.image("api", f"FROM busybox:stable\nRUN echo {pod.owner} && sleep {seconds}\n")
    pod.toml(f"{ENGINE}[images.api]\n")
    process = pod.start("build", env={"PYTHONDONTWRITEBYTECODE": "1"})
    deadline = time.monotonic() + 120
    while not _sleeping(seconds) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _sleeping(seconds)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopped" in out
    while _sleeping(seconds) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _sleeping(seconds)
    assert pod.owner not in podman("image", "ls", "--format", "{{.Repository}}")


def _sleeping(seconds: str) -> list[str]:
    """The processes that run that very `sleep`."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if file.read_bytes().split(b"\0")[:2] == [b"sleep", seconds.encode()]:
                found.append(file.parent.name)
    return found


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_the_flags_and_keys_of_a_build_mean_the_same(pod: Fleet, podman: Podman, tmp_path: Path):
    """A stand-in for an outside base, SSH, --no-deps, --keep-going, --output none."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    pod.image("base", f"FROM nowhere.example/slim:9\nRUN echo {pod.owner} > /mark\n")
    pod.image("api", f"FROM {pod.owner}/base\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK && cat /mark\n")
    pod.image("broken", f"FROM {pod.owner}/base\nRUN echo no such thing && false\n")
    pod.toml(f"""
    {ENGINE}
    [mirror]
    "nowhere.example/slim:9" = "busybox:stable"
    [images.base]
    [images.api]
    ssh = ["default={key}"]
    [images.broken]
    """)
    reference = f"{pod.registry}/{pod.owner}/%s:0.1.0"
    said = pod.inv("build --images api --no-deps").failed(2).err
    assert f"{pod.owner}/base" in said
    assert "drop --no-deps" in said
    ran = pod.inv("build --output none --images base").ok()
    assert "not loaded, not pushed" in ran.out
    assert pod.owner not in podman("image", "ls", "--format", "{{.Repository}}")
    ran = pod.inv("build --keep-going --json").failed(4)
    verdicts = {image["name"]: image["verdict"] for image in ran.json["images"]}
    assert verdicts == {"base": "built", "api": "built", "broken": "failed"}
    assert podman("run", "--rm", reference % "api", "cat", "/mark") == pod.owner
    base = podman("image", "inspect", "--format", "{{.Id}}", reference % "base")
    pod.inv("build --images api --no-deps").ok()
    assert podman("image", "inspect", "--format", "{{.Id}}", reference % "base") == base


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_what_a_release_made_is_looked_at_left_alone_and_taken_back(
    real: Fleet, podman: Podman, tmp_path: Path
):
    """Docker released it; who has podman alone sees it, does not push over it, and brings the names back."""
    real.file(".gitignore", "build.lock\n")
    toml = '[release]\ngit = "off"\n[images.api]\n'
    place = f"{real.owner}/api"
    digests = {}
    for version in ("v0.1.0", "v0.2.0"):
        real.image("api", f"FROM busybox:stable\nRUN echo {real.owner} {version} > /mark\n")
        real.toml(toml)
        real.commit()
        real.inv(f"release --tag {version}").ok()
        digests[version] = harbour.manifest(real.registry, place, version).digest
    pod = Fleet(
        real.root, podman.env | {"XDG_STATE_HOME": str(tmp_path / "podman")}, real.registry, real.owner
    )
    pod.toml(f'{ENGINE}{toml}[promote.production]\nto = "{real.registry}/{real.owner}-live"\n')
    out = pod.inv("history").ok().out
    assert out.index("v0.2.0") < out.index("v0.1.0")
    pod.inv("verify v0.2.0").ok()
    # What copies between registries is docker's buildx, which needs no engine for it.
    assert "there is no `docker` on PATH" in pod.inv("promote v0.1.0 --to production").failed(3).err
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").symlink_to(shutil.which("docker", path=real.env["PATH"]) or "docker")
    client = {"PATH": f"{pod.env['PATH']}:{tmp_path / 'bin'}", "DOCKER_HOST": "unix:///nowhere"}
    ran = pod.inv("promote v0.1.0 --to production", env=client | {"DOCKER_CONFIG": str(tmp_path)}).failed(3)
    assert "docker has no buildx plugin" in ran.err
    client["DOCKER_CONFIG"] = real.env["DOCKER_CONFIG"]
    pod.inv("promote v0.1.0 --to production", env=client).ok()
    assert harbour.manifest(real.registry, f"{real.owner}-live/api", "v0.1.0").digest == digests["v0.1.0"]
    ran = pod.inv("push --tags v0.2.0,next")
    assert ran.code
    assert "v0.2.0" in ran.err
    assert harbour.manifest(real.registry, place, "v0.2.0").digest == digests["v0.2.0"]
    pod.inv("rollback v0.2.0 --yes").ok()
    assert harbour.manifest(real.registry, place, "latest").digest == digests["v0.1.0"]
    assert harbour.manifest(real.registry, place, "v0.2.0").digest == digests["v0.2.0"]
    pod.inv("push --tags v0.2.0 --overwrite").ok()
    assert harbour.manifest(real.registry, place, "v0.2.0").digest != digests["v0.2.0"]
