"""`inv test` for real: promises of build.toml kept and broken, on the very images that were built."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.engine.containers import Berths
from tasks.evidence.blobs import MOST
from tests.builders import elsewhere
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

BOTH = ["linux/amd64", "linux/arm64"]
BASE = """\
FROM busybox:stable
RUN mkdir -p /etc /www && echo ok > /www/health && uname -m > /www/arch \\
 && printf "root:x:0:0::/:/bin/sh\\napp:x:1000:1000::/:/bin/sh\\n" > /etc/passwd \\
 && printf "root:x:0:\\napp:x:1000:\\n" > /etc/group
USER app
EXPOSE 8080
VOLUME /data
ENV MODE=prod
LABEL title=base
HEALTHCHECK --interval=30s CMD wget -q -O- http://localhost:8080/health
ENTRYPOINT ["/bin/busybox"]
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
"""
BROKEN = """\
FROM base
USER root
RUN head -c 2000000 /dev/urandom > /large && chmod 600 /large && cp /bin/busybox /bin/gcc
HEALTHCHECK CMD true
CMD ["sh", "-c", "trap '' TERM; echo up; while true; do sleep 1; done"]
"""
TOML = """
[images.base]
platforms = ["linux/amd64", "linux/arm64"]
size = [1, 5]
[images.base.expect]
user = 1000
ports = [8080]
volumes = ["/data"]
env = { MODE = "prod" }
labels = { title = "{image}" }
entrypoint = ["/bin/busybox"]
healthcheck = { interval = "30s" }
commands = ["busybox", "wget"]
absent = ["gcc", "/root/.netrc"]
[images.base.expect.files]
"/bin/busybox" = { mode = "0755", owner = "root", static = true, stripped = true }
"/www/health" = { content = "^ok$" }
[[images.base.tests]]
run = "id"
output = "uid=1000(app) gid=1000(app)"
[[images.base.tests]]
name = "intel"
run = "cat /www/arch"
output = "x86_64"
platforms = ["linux/amd64"]
[[images.base.tests]]
name = "arm"
run = "cat /www/arch"
regex = "^aarch64$"
platforms = ["linux/arm64"]
[[images.base.tests]]
http = "/health"
output = "ok"
healthy = true
idle = 60
unhealthy = true

[images.child]
expect = { labels = { title = "base" }, env = { EXTRA = "1" }, files = { "/motd" = { content = "." } } }
waive = { env = "set by whoever runs it", "files./motd" = "written at the start" }

[images.broken]
inherit = false
size = 1
[images.broken.expect]
user = "non-root"
ports = [80]
volumes = []
env = { MODE = "debug", HOME = "/" }
labels = { title = "broken" }
entrypoint = ["/bin/sh"]
healthcheck = false
commands = ["python3"]
absent = ["gcc", "/www/health"]
files = { "/nowhere" = {}, "/large" = { mode = "644", owner = "app", content = "^needle$", static = true } }
[[images.broken.tests]]
run = "id"
output = "uid=1000"
[[images.broken.tests]]
run = "false"
[[images.broken.tests]]
name = "sleeps"
run = "sleep 60"
within = "1s"
[[images.broken.tests]]
http = "/health"
within = "1s"
idle = 0.01
[[images.broken.tests]]
name = "never fails"
unhealthy = true
within = "8s"
[[images.broken.tests]]
stops = "1s"
[[images.broken.tests]]
name = "mount"
run = "true"
mounts = ["nowhere:/x"]

[images.unbuilt]
expect = { user = "app" }
[images.silent]
"""


@pytest.fixture(scope="module")
def built(engine: PrivateEngine, owners: set[str], tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """The fleet of this module, built once; `unbuilt` is not."""
    owner = f"contracts-{uuid.uuid4().hex[:6]}"
    owners.add(owner)
    env = engine.env | {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}
    env.pop("ARGOSY_REGISTRY", None)
    fleet = Fleet(tmp_path_factory.mktemp("project"), env, registry=engine.registry, owner=owner)
    own = f"FROM {engine.registry}/{owner}/base\n"
    fleet.image("base", BASE)
    fleet.image("child", own)
    fleet.image("broken", BROKEN.replace("FROM base\n", own))
    fleet.image("unbuilt")
    fleet.image("silent")
    fleet.toml(TOML)
    fleet.inv("build --images base,child,broken,silent").ok()
    return fleet


def rows(said: Any, image: str, platform: str = "linux/amd64") -> dict[str, dict[str, Any]]:
    """The checks of one image on one platform, by their names."""
    return {
        one["name"]: one for one in said["checks"] if (one["image"], one["platform"]) == (image, platform)
    }


def test_what_is_promised_is_kept_on_every_platform(built: Fleet):
    ran = built.inv("test --images base,child --json").ok()
    said = ran.json
    assert said["ok"]
    digests = set()
    for platform, mine, other in (("linux/amd64", "intel", "arm"), ("linux/arm64", "arm", "intel")):
        found = rows(said, "base", platform)
        passed = {name for name, one in found.items() if one["outcome"] == "passed"}
        assert passed == {
            "user", "ports", "volumes", "env", "labels", "entrypoint", "healthcheck", "commands", "absent", "size",
            "files./bin/busybox", "files./www/health", "run id", mine, "healthy", "http /health", "idle", "unhealthy",
        }  # fmt: skip
        # The emulated one really is another: an index's digest alone would have run the native one twice.
        assert found[other]["outcome"] == "skipped"
        assert found[other]["detail"] == f"only for linux/{'arm64' if mine == 'intel' else 'amd64'}"
        (digest,) = {one["digest"] for one in found.values()}
        assert found["user"]["reference"] == f"{built.registry}/{built.owner}/base@{digest}"
        digests.add(digest)
    assert len(digests) == 2
    assert digests == platforms_of(built, "base")
    # The child keeps what its parent promised, and is waived where it says why.
    child = rows(said, "child")
    assert {"user", "ports", "run id", "http /health"} <= set(child)
    assert child["env"]["outcome"] == "waived"
    assert child["env"]["detail"] == "EXTRA is not set; waived: set by whoever runs it"
    assert child["files./motd"]["detail"] == "is not there; waived: written at the start"
    assert "size" not in child
    assert "passed  base  linux/arm64  http /health" in ran.err
    assert not built.under_test()


def platforms_of(fleet: Fleet, image: str) -> set[str]:
    """The digests of an image's platform manifests, as the engine's own archive has them."""
    reference = f"{fleet.registry}/{fleet.owner}/{image}:0.1.0"
    archive = fleet.root / "saved.tar"
    fleet.run("docker", "image", "save", "--output", str(archive), reference).ok()
    name = fleet.run("docker", "image", "inspect", "--format", "{{.Id}}", reference).ok().out.strip()
    blob = fleet.run("tar", "-xOf", str(archive), f"blobs/{name.replace(':', '/')}").ok().out
    archive.unlink()
    return {one["digest"] for one in json.loads(blob)["manifests"]}


def test_every_broken_promise_is_found_and_the_rest_is_still_looked_at(built: Fleet, tmp_path: Path):
    page = tmp_path / "summary.md"
    ran = built.inv("test --images broken --json", env={"GITHUB_STEP_SUMMARY": str(page)}).failed(5)
    found = rows(ran.json, "broken")
    assert {one["outcome"] for one in found.values()} == {"failed"}
    details = {name: one["detail"] for name, one in found.items()}
    assert re.fullmatch(r"takes [\d.]+ MB, more than 0.01 MB", details.pop("idle"))
    size = details.pop("size")
    assert size.endswith("MB, not at most 1 MB")
    assert details == {
        "user": "runs as root (0:0)",
        "ports": "8080/tcp, not 80/tcp",
        "volumes": "/data, not none",
        "env": 'MODE is "prod", not "debug"; HOME is not set',
        "labels": 'title is "base", not "broken"',
        "entrypoint": "/bin/busybox, not /bin/sh",
        "healthcheck": "one every 30 s, not none",
        "commands": "not there: python3",
        "absent": "there all the same: gcc (/bin/gcc), /www/health",
        "files./nowhere": "is not there",
        "files./large": "its mode is 0600, not 0644; its owner is 0:0, not app; holds nothing like '^needle$'; "
        "is no program (ELF)",
        "run id": '"uid=1000" is not in it',
        "run false": "exit 1, not 0",
        "sleeps": "did not end within 1 s",
        "http /health": details["http /health"],
        "never fails": "still healthy without its service: the health check cannot fail",
        "stops": "does not end within 1 s of being told to: it had to be killed",
        "mount": f"nowhere cannot be mounted: there is no {built.root}/nowhere",
    }
    assert details["http /health"].startswith("no answer (")
    # What made it large, with the line that did, also where a sibling's Dockerfile did.
    log = "\n".join(found["size"]["log"])
    assert re.search(r"\d MB  docker/broken/Dockerfile:3  RUN head -c 2000000", log)
    assert "docker/base/Dockerfile:2  RUN mkdir" in log
    assert "of what it stands on: " in log
    assert found["http /health"]["log"] == ["up"]
    assert f"{len(found)} of {len(found)} checks failed: broken" in ran.err
    text = page.read_text()
    assert f"### Argosy test: {len(found)} failed" in text
    assert "| broken | linux/amd64 |" in text
    assert not built.under_test()


def test_what_is_not_there_is_skipped_by_name_it_has_failed(built: Fleet):
    ran = built.inv("test --images 'silent,unb*'").ok()
    assert "not in the engine. Build it: inv build --images unbuilt" in ran.out
    assert "build.toml promises nothing of it" in ran.out
    assert "2 skipped in" in ran.out
    assert "passed" not in ran.out
    assert "1 failed" in built.inv("test --images silent,unbuilt").failed(5).out
    assert "1 failed" in built.inv("test --images 'silent,unb*' --strict").failed(5).out
    assert "nothing was tested: " in built.inv("test --images 'unb*'").failed(5).err
    ran = built.inv("test --images 'sil*' --platforms linux/amd64,linux/arm64").ok()
    assert "not in the engine for linux/arm64" in ran.out


def test_a_test_sweeps_what_was_put_aside_long_ago(built: Fleet, tmp_path: Path):
    old = tmp_path / "argosy" / "blobs" / "sha256-old"
    old.parent.mkdir(parents=True)
    with old.open("wb") as file:
        file.truncate(MOST)
    os.utime(old, (0, 0))
    built.inv("test --images silent", env={"XDG_CACHE_HOME": str(tmp_path)}).ok()
    assert len(list(old.parent.iterdir())) > 0
    assert not old.exists()


def test_a_fault_is_told_and_is_not_called_absent(built: Fleet, tmp_path: Path):
    """A cache in which nothing can be kept: nobody may write into /proc."""
    (tmp_path / "argosy").mkdir()
    (tmp_path / "argosy" / "blobs").symlink_to("/proc")
    ran = built.inv("test --images 'sil*,chil*' --json", env={"XDG_CACHE_HOME": str(tmp_path)}).failed(5)
    assert "cannot keep a layer in" in rows(ran.json, "silent")["image"]["detail"]
    assert rows(ran.json, "child")["image"]["outcome"] == "failed"
    assert "not in the engine" not in ran.out + ran.err


@pytest.fixture
def server(built: Fleet) -> Iterator[Fleet]:
    """The same fleet with another build.toml: what a test needs of it is built already."""
    before = (built.root / "build.toml").read_text()
    yield built
    (built.root / "build.toml").write_text(before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_no_container_and_touches_no_other(server: Fleet, number: int, code: int):
    """The test would go on for minutes: however slow the machine, the signal meets it running."""
    server.toml(
        """
        [images.base]
        [[images.base.tests]]
        run = "sleep 240"
        within = "300s"
        """
    )
    reference = f"{server.registry}/{server.owner}/base:0.1.0"
    other = server.run("docker", "run", "-d", reference).ok().out.strip()
    try:
        process = server.start("test --images base")
        try:
            deadline = time.monotonic() + 180
            while not server.under_test():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(number)
        finally:
            _, err = process.communicate(timeout=120)
        assert process.returncode == code
        assert "Traceback" not in err
        assert err.splitlines()[-1].endswith("; no container is left")
        assert not server.under_test()
        running = server.run("docker", "inspect", "--format", "{{.State.Status}}", other).ok().out
        assert running.strip() == "running"
    finally:
        server.run("docker", "rm", "-f", "-v", other)


def test_a_compose_file_is_brought_up_with_what_was_built_and_taken_down(server: Fleet):
    name = f"{server.registry}/{server.owner}/base"
    kept = f"kept-{uuid.uuid4().hex[:8]}"
    server.file(
        "compose.yaml",
        f"""
        services:
          web:
            image: {name}:some-release
            container_name: web
            ports: ["8080:8080"]
            volumes: ["${{PWD}}/page:/www/page:ro", "{kept}:/kept"]
            networks: ["{kept}"]
        volumes:
          {kept}: {{}}
        networks:
          {kept}: {{}}
        """,
    )
    server.file("page", "of the project")
    (server.root / "sub").mkdir(exist_ok=True)
    server.toml(
        """
        [images.base]
        [[images.base.tests]]
        compose = "compose.yaml"
        service = "web"
        http = "/page"
        output = "of the project"
        [[images.base.tests]]
        name = "wrong"
        compose = "compose.yaml"
        service = "web"
        http = "/nothing"
        within = "10s"
        """
    )
    ran = server.inv("test --images base --json", cwd="sub", env={"PWD": str(server.root / "sub")}).failed(5)
    found = rows(ran.json, "base")
    assert found["compose.yaml /page"]["outcome"] == "passed"
    assert found["wrong"]["detail"].startswith('status 404, not 200; it begins "')
    assert not server.under_test()
    for kind in ("network", "volume"):
        assert kept not in server.run("docker", kind, "ls").ok().out


def served_by_compose(server: Fleet, more: str = "", output: str = "ok") -> None:
    """A compose file that serves a page out of the image, and a test that asks for it."""
    server.file(
        "compose.yaml",
        f"""
        services:
          web:
            image: {server.registry}/{server.owner}/base
            command: ["httpd", "-f", "-vv", "-p", "8080", "-h", "/www"]
            ports: ["8080"]
            volumes: ["kept:/kept"]
        volumes:
          kept: {{{more}}}
        networks:
          default: {{{more}}}
        """,
    )
    server.toml(
        f"""
        [images.base]
        [[images.base.tests]]
        compose = "compose.yaml"
        service = "web"
        http = "/health"
        output = "{output}"
        within = "300s"
        """
    )


def test_a_volume_and_a_network_that_a_compose_file_names_itself_are_not_those_of_the_test(server: Fleet):
    """They belong to the copy that a developer works with: a test neither writes to them nor takes them away."""
    mine = f"{server.owner}-mine"
    served_by_compose(server, f"name: {mine}")
    for kind in ("volume", "network"):
        server.run("docker", kind, "create", "--label", "com.docker.compose.project=mine", mine).ok()
    try:
        server.inv("test --images base").ok()
        for kind in ("volume", "network"):
            assert mine in server.run("docker", kind, "inspect", mine).ok().out
            assert "argosy-test-" not in server.run("docker", kind, "ls").ok().out
    finally:
        for kind in ("volume", "network"):
            server.run("docker", kind, "rm", mine)


def asked_so_far(server: Fleet) -> str:
    """What the service under test wrote of those who asked it."""
    names = [line.split()[0] for line in server.under_test()]
    return "".join(server.run("docker", "logs", name).err for name in names)


def test_ctrl_c_during_a_compose_test_leaves_no_network_and_no_volume(server: Fleet):
    served_by_compose(server, output="what never comes")
    process = server.start("test --images base")
    deadline = time.monotonic() + 120
    while "response:200" not in asked_so_far(server):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert not server.under_test()
    for kind in ("network", "volume"):
        assert "argosy-test-" not in server.run("docker", kind, "ls").ok().out


def test_what_compose_did_not_get_to_take_down_goes_at_the_end_of_the_run(
    server: Fleet, monkeypatch: pytest.MonkeyPatch
):
    """However early `docker compose down` was ended."""
    served_by_compose(server)
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    file = str(server.root / "compose.yaml")
    with Berths("docker") as berths:
        project = berths.project()
        up = berths.compose(server.root, "--project-name", project, "--file", file, "up", "--no-start")
        assert up, up.err
        assert project in server.run("docker", "volume", "ls").ok().out
        berths.down(project, server.root / "no such file")
    for kind in ("network", "volume"):
        assert project not in server.run("docker", kind, "ls").ok().out


def test_what_the_engine_does_not_run_is_skipped_and_what_it_runs_is_tested_whatever_the_builder_can(
    server: Fleet,
):
    server.toml(f"[images.base]\nplatforms = {BOTH}\ntests = [{{ run = 'cat /www/arch' }}]\n")
    ran = server.inv("test --images base", env=elsewhere(server, "linux/amd64, linux/arm64", "linux/amd64"))
    assert "this engine cannot run linux/arm64; it runs linux/amd64. For emulation install" in ran.ok().out
    assert "1 passed, 1 skipped" in ran.out
    arm = server.inv("test --images base --platforms linux/arm64", env=elsewhere(server, "linux/amd64"))
    assert "aarch64" in arm.ok().out


@pytest.mark.parametrize(
    ("runs", "logs", "times", "detail"),
    [(1, 0, 1, "ahoy"), (1, 1, 2, "ahoy"), (9, 9, 2, '"ahoy" is not in it, it is empty')],
    ids=["its log has it", "once more has it", "never heard"],
)
def test_what_the_engine_loses_of_a_program_s_output_is_no_failure_of_the_image(
    server: Fleet, tmp_path: Path, runs: int, logs: int, times: int, detail: str
):
    """The engine is real; what it tells us is lost the first `runs` and `logs` times, as happens on a busy one."""
    docker = shutil.which("docker", path=server.env["PATH"])
    server.file(
        "bin/docker",
        f"""\
        #!/bin/sh
        case "$1" in run) most={runs} ;; logs) most={logs} ;; *) exec {docker} "$@" ;; esac
        echo >> "{tmp_path}/$1"
        [ "$(wc -l < "{tmp_path}/$1")" -gt $most ] || exec {docker} "$@" > /dev/null
        exec {docker} "$@"
        """,
        0o755,
    )
    server.toml("[images.base]\ntests = [{ run = 'echo ahoy', output = 'ahoy' }]\n")
    ran = server.inv("test --images base --json", env={"PATH": f"{server.root / 'bin'}:{server.env['PATH']}"})
    assert ran.code == (0 if detail == "ahoy" else 5)
    assert rows(ran.json, "base")["run echo ahoy"]["detail"] == detail
    assert len((tmp_path / "run").read_text().splitlines()) == times


def test_a_container_structure_test_is_taken_as_it_is(server: Fleet):
    server.file(
        "tests/base.yaml",
        """
        schemaVersion: "2.0.0"
        commandTests:
        - name: platform
          command: cat
          args: ["/www/arch"]
          expectedOutput: ["x86_64"]
        metadataTest:
          user: app
        """,
    )
    server.toml(
        '[images.base]\nplatforms = ["linux/amd64", "linux/arm64"]\ntests = [{ structure = "tests/base.yaml" }]\n'
    )
    said = server.inv("test --images base --json").failed(5).json
    assert rows(said, "base")["tests/base.yaml"]["detail"] == "2 of 2 passed"
    arm = rows(said, "base", "linux/arm64")["tests/base.yaml"]
    assert (arm["outcome"], arm["detail"]) == ("failed", "1 of 2 passed")
    assert arm["log"][0] == "Command Test: platform"


def test_a_service_that_answers_wrongly_and_then_not_at_all_is_told_by_its_answer(server: Fleet):
    server.toml(
        r"""
        [images.base]
        [[images.base.tests]]
        run = ["sh", "-c", "printf 'HTTP/1.0 200 OK\r\n\r\nwrong' | nc -l -p 8080; sleep 60"]
        http = "/health"
        port = 8080
        output = "right"
        within = "5s"
        """
    )
    (found,) = rows(server.inv("test --images base --json").failed(5).json, "base").values()
    assert re.fullmatch(
        r'"right" is not in it; it begins "wrong"; then no answer \(.+\), after 5 s', found["detail"]
    )


def test_a_service_that_ends_at_once_is_told_as_such_and_passes_nothing(server: Fleet):
    server.toml(
        """
        [[images.base.tests]]
        entrypoint = "sh"
        run = ["-c", "echo no settings; exit 3"]
        healthy = true
        http = "/"
        idle = 60
        stops = "1s"
        [[images.base.tests]]
        name = "at once"
        entrypoint = "true"
        stops = "1s"
        """
    )
    found = rows(server.inv("test --images base --platforms linux/amd64 --json").failed(5).json, "base")
    ended = "the container has ended (exit 3)"
    details = {name: found[name]["detail"] for name in found}
    assert details.pop("at once") == "the container has ended (exit 0) before it was told to"
    assert details == {
        "healthy": ended, "http /": ended, "idle": ended, "stops": f"{ended} before it was told to"
    }  # fmt: skip
    assert found["http /"]["log"] == ["no settings"]
    assert not server.under_test()


def test_surroundings_reach_the_container(server: Fleet):
    server.file("certs/ca", "a certificate")
    server.toml(
        """
        [images.base]
        [[images.base.tests]]
        name = "around"
        entrypoint = "sh"
        run = ["-c", "cat /certs/ca; echo $GREETING; id -G; touch /certs/x"]
        env = { GREETING = "from {image} {version}" }
        mounts = ["certs:/certs:ro"]
        groups = [4711]
        exit = 1
        regex = 'a certificate\\s*from base 0.1.0\\s+1000 4711'
        [[images.base.tests]]
        name = "limits"
        entrypoint = "sh"
        run = ["-c", "cd /sys/fs/cgroup; cat memory.max memory/memory.l* cpu.max cpu/cpu.cfs_q* 2>/dev/null; true"]
        memory = "64m"
        cpus = 1
        regex = '^67108864\\s+100000\\b'
        [[images.base.tests]]
        name = "socket"
        entrypoint = "sh"
        run = ["-c", "test -w /var/run/docker.sock"]
        socket = true
        """
    )
    found = rows(server.inv("test --images base --json").ok().json, "base")
    assert {name: one["outcome"] for name, one in found.items()} == dict.fromkeys(
        ("around", "limits", "socket"), "passed"
    )


def test_tests_run_side_by_side(server: Fleet):
    """Each of the two ends only when it has seen the other."""
    (server.root / "met").mkdir()
    (server.root / "met").chmod(0o777)
    tests = "".join(
        f"""
        [[images.base.tests]]
        name = "{mine}"
        entrypoint = "sh"
        run = ["-c", "touch /met/{mine}; until test -e /met/{other}; do sleep 0.1; done"]
        mounts = ["met:/met"]
        within = "120s"
        """
        for mine, other in (("one", "two"), ("two", "one"))
    )
    server.toml(f"[images.base]\n{tests}")
    found = rows(server.inv("test --images base --json").ok().json, "base")
    assert {name: one["outcome"] for name, one in found.items()} == {"one": "passed", "two": "passed"}


def test_the_classic_store_gives_the_same_size_and_tests_by_platform(
    classic: PrivateEngine, built: Fleet, tmp_path: Path
):
    env = classic.env | {"XDG_STATE_HOME": str(tmp_path / "state")}
    env.pop("ARGOSY_REGISTRY", None)
    other = Fleet(built.root, env, registry=built.registry, owner=built.owner)
    fleet_file = (built.root / "build.toml").read_text()
    try:
        other.toml(TOML.replace('platforms = ["linux/amd64", "linux/arm64"]', ""))
        other.inv("build --images base").ok()
        said = other.inv("test --images base --json").ok().json
        mine = rows(said, "base")["size"]["detail"]
        theirs = rows(built.inv("test --images base --json").ok().json, "base")["size"]["detail"]
        assert mine == theirs
    finally:
        (built.root / "build.toml").write_text(fleet_file)
        other.inv("clean --yes --images base")
