"""scripts/engine: a private Docker Engine that comes, serves, survives accidents and leaves without a trace.

These stories have a checkout of their own, never the engine that the other tests stand on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from tests.checkout import Checkout
from tests.scenario import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from private_engine import before, binfmt, existing, files, network, processes
from private_engine.place import Place
from private_engine.problem import ProblemError

DEAD = "unix:///nowhere/dead.sock"


@pytest.fixture
def second() -> Iterator[Checkout]:
    """A second checkout, whose engine is removed at the end. Under /tmp, where `nobody` may read it."""
    folder = Path(tempfile.mkdtemp(prefix="argosy-second-"))
    folder.chmod(0o755)
    checkout = Checkout.copied_to(folder)
    yield checkout
    if os.geteuid() == 0:
        done = checkout.run("engine", "remove")
        assert done.returncode == 0, done.stderr
    shutil.rmtree(folder)


def place_of(checkout: Checkout, store: str = "containerd") -> Place:
    return Place.of(checkout.folder, store)


def traces(place: Place) -> list[str]:
    """Everything on the machine that bears the engine's name: processes, mounts, interfaces, cgroups, rules, files."""
    text = [" ".join(process.arguments) for process in processes.listed()]
    text += Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    text += [path.name for path in network.INTERFACES.iterdir()]
    text += [str(path) for path in Path("/sys/fs/cgroup").glob("**/argosy-*")]
    text += [str(path) for path in Path("/run").glob("argosy-*")]
    iptables = place.daemon_path / "iptables"
    for table in ("filter", "nat"):
        rules = subprocess.run([iptables, "-t", table, "-S"], capture_output=True, text=True, check=True)
        text += rules.stdout.splitlines()
    return [line for line in text if place.key in line]


# --- names and places ---------------------------------------------------------------------------------------------


def test_two_checkouts_have_two_engines(tmp_path: Path) -> None:
    one, other = Place.of(tmp_path / "a"), Place.of(tmp_path / "b")
    assert {one.run, one.data, one.bridge}.isdisjoint({other.run, other.data, other.bridge})


def test_a_checkout_reached_through_a_link_is_the_same_checkout(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Place.of(tmp_path / "real") == Place.of(tmp_path / "link")


@pytest.mark.parametrize("store", ["containerd", "classic"])
def test_names_fit_the_kernels_limits_however_deep_the_checkout(store: str) -> None:
    place = Place.of(Path("/very" * 60), store)
    assert len(place.bridge) <= 15
    assert len(str(place.socket)) <= 107


def test_the_two_stores_of_a_checkout_share_nothing_but_the_registry_and_the_client(tmp_path: Path) -> None:
    one, other = Place.of(tmp_path), Place.of(tmp_path, "classic")
    mine = {one.socket, one.pidfile, one.exec_root, one.data_root, one.config, one.log, one.bridge, one.mark}
    theirs = {
        other.socket,
        other.pidfile,
        other.exec_root,
        other.data_root,
        other.config,
        other.log,
        other.bridge,
        other.mark,
    }
    assert mine.isdisjoint(theirs)


# --- which engine the client would use ------------------------------------------------------------------------------


def context(folder: Path, name: str, host: str, *, current: bool) -> None:
    meta = folder / "contexts/meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    (folder / "config.json").write_text(json.dumps({"currentContext": name} if current else {}))


def test_nothing_set_means_the_default_socket_which_nobody_chose(tmp_path: Path) -> None:
    found = existing.find({"DOCKER_CONFIG": str(tmp_path)})
    assert found == existing.Existing("unix:///var/run/docker.sock", None)


def test_docker_host_goes_before_any_context(tmp_path: Path) -> None:
    context(tmp_path, "far", "tcp://far:2375", current=True)
    environment = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": "tcp://near:2375", "DOCKER_CONTEXT": "far"}
    assert existing.find(environment).host == "tcp://near:2375"


def test_a_current_context_is_a_choice_and_its_file_is_named(tmp_path: Path) -> None:
    context(tmp_path, "far", "tcp://far:2375", current=True)
    found = existing.find({"DOCKER_CONFIG": str(tmp_path)})
    assert found.host == "tcp://far:2375"
    assert found.chosen == f"the current context far in {tmp_path}/config.json"


def test_docker_context_chooses_too(tmp_path: Path) -> None:
    context(tmp_path, "far", "tcp://far:2375", current=False)
    found = existing.find({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "far"})
    assert (found.host, found.chosen) == ("tcp://far:2375", "DOCKER_CONTEXT=far")


def test_a_context_that_does_not_exist_is_an_error_and_no_reason_for_another_engine(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"DOCKER_CONTEXT=gone \(its address: unknown\)"):
        existing.usable("unix:///own", {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "gone"})


def test_an_engine_without_buildx_is_refused_where_it_was_chosen(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "e.sock"))
        server.listen()

        def answer() -> None:
            channel, _ = server.accept()
            with channel:
                channel.recv(1000)
                channel.sendall(b"HTTP/1.0 200 OK\r\n\r\nOK")

        thread = threading.Thread(target=answer)
        thread.start()
        environment = {"DOCKER_HOST": f"unix://{tmp_path}/e.sock", "DOCKER_CONFIG": str(tmp_path), "PATH": ""}
        with pytest.raises(ProblemError, match="no docker client with the buildx plugin"):
            existing.usable("unix:///own", environment)
        thread.join()


# --- small parts ----------------------------------------------------------------------------------------------------


def test_a_block_of_addresses_that_has_a_route_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    free = network.free_pool("0", "mine")
    monkeypatch.setattr(network, "_routes", lambda: [("eth9", free), ("mine", IPv4Network("10.0.0.0/8"))])
    assert not network.free_pool("0", "mine").overlaps(free)


def test_a_kept_port_that_is_taken_gives_way() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        taken = server.getsockname()[1]
        assert network.free_port("0", taken) != taken


def test_a_handler_of_somebody_else_is_recognised_by_what_it_serves() -> None:
    theirs = (
        "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\noffset 0\nmagic 7f454c46\nmask ff\n"
    )
    assert binfmt._serves(theirs, "7f454c46")
    assert not binfmt._serves(theirs.replace("OCF", "OC"), "7f454c46"), (
        "without F it does not work in containers"
    )
    assert not binfmt._serves(theirs.replace("enabled", "disabled"), "7f454c46")


def test_what_was_remembered_before_a_reboot_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(before, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(before, "BOOT", tmp_path / "boot")
    (tmp_path / "boot").write_text("first\n")
    before.remember("forwarding", "0")
    before.remember("forwarding", "1")
    assert before.remembered() == {"forwarding": "0"}
    (tmp_path / "boot").write_text("second\n")
    assert before.remembered() == {}


def test_a_lock_keeps_a_second_one_waiting(tmp_path: Path) -> None:
    order: list[str] = []

    def wait() -> None:
        with files.locked(tmp_path / "lock"):
            order.append("second")

    with files.locked(tmp_path / "lock"):
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


# --- refusals -------------------------------------------------------------------------------------------------------


def test_help_teaches(second: Checkout) -> None:
    done = second.run("engine", "--help")
    assert done.returncode == 0
    for word in ("ensure", "start", "stop", "status", "env", "remove", 'eval "$(scripts/engine env)"'):
        assert word in done.stdout


def test_an_engine_that_is_set_and_dead_is_an_error_never_another_engine(second: Checkout) -> None:
    done = second.run("engine", "ensure", DOCKER_HOST=DEAD)
    assert done.returncode == 3
    assert f"No Docker Engine answers at DOCKER_HOST={DEAD}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not place_of(second).data.exists()


def test_env_of_an_engine_that_does_not_run_says_how_to_start_it(second: Checkout) -> None:
    done = second.run("engine", "env")
    assert (done.returncode, done.stdout) == (3, "")
    assert "scripts/engine start" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_root_it_says_in_three_lines_what_to_do(second: Checkout) -> None:
    done = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            second.folder / "scripts/engine",
            "ensure",
        ],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "DOCKER_CONFIG": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert "root" in lines[0]
    assert "docs.docker.com/engine/install" in lines[1]


def test_an_interrupted_download_leaves_nothing_half_unpacked(second: Checkout, tmp_path: Path) -> None:
    with socket.socket() as mirror:  # takes connections and never answers
        mirror.bind(("127.0.0.1", 0))
        mirror.listen()
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "XDG_CACHE_HOME": str(tmp_path),
            "ARGOSY_DEBIAN_MIRROR": f"http://127.0.0.1:{mirror.getsockname()[1]}/debian",
        }
        process = subprocess.Popen(
            [second.folder / "scripts/engine", "start"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert "package lists" in process.stdout.readline()
        channel, _ = mirror.accept()
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        channel.close()
    assert process.returncode == 130
    assert "Traceback" not in errors
    left = {path.name for path in (tmp_path / "argosy/packages").iterdir()}
    assert not {name for name in left if name.startswith(("programs-", ".unpacking"))}


def test_a_mirror_that_is_not_there_is_named_with_the_remedy(second: Checkout, tmp_path: Path) -> None:
    done = second.run(
        "engine", "start", XDG_CACHE_HOME=str(tmp_path), ARGOSY_DEBIAN_MIRROR="http://127.0.0.1:9/debian"
    )
    assert done.returncode == 3
    assert "127.0.0.1:9" in done.stderr
    assert "ARGOSY_DEBIAN_MIRROR" in done.stderr
    assert "Traceback" not in done.stderr


# --- the real thing -------------------------------------------------------------------------------------------------


@pytest.mark.engine
def test_the_life_of_an_engine_beside_another(second: Checkout) -> None:
    place = place_of(second)
    first = second.run("engine", "ensure")
    assert first.returncode == 0, first.stderr
    told = first.stdout.splitlines()[0]
    assert "private one" in told
    assert 'eval "$(scripts/engine env)"' in told

    exports = second.exports()
    assert exports["DOCKER_HOST"] == place.host
    assert exports["DOCKER_CONFIG"] == str(place.docker_config)
    assert exports["PATH"].startswith(f"{place.path}:")
    assert "io.containerd.snapshotter.v1" in second.docker("info", "--format", "{{.DriverStatus}}")
    assert second.docker("buildx", "version")
    assert second.docker("compose", "version")
    assert "linux/arm64" in second.docker("buildx", "inspect")
    assert "linux/amd64" in second.docker("buildx", "inspect")

    # Again: nothing is printed, nothing is restarted; and a shell that has it keeps it.
    pid = place.pidfile.read_text()
    for words, changes in ((["start"], {}), (["ensure"], {}), (["ensure"], {"DOCKER_HOST": place.host})):
        again = second.run("engine", *words, **changes)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert place.pidfile.read_text() == pid
    twice = subprocess.run(
        ["sh", "-ec", f"{second.run('engine', 'env').stdout}\n" * 2 + 'echo "$PATH"'],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert twice.stdout.count(str(place.path)) == 1

    # For another checkout it is a user's engine: used as it is.
    with tempfile.TemporaryDirectory() as folder:
        third = Checkout.copied_to(Path(folder))
        used = third.run("engine", "ensure", "--env", **exports)
        assert (used.returncode, used.stdout, used.stderr) == (0, "", "")
        assert not place_of(third).data.exists()

    status = second.run("engine", "status").stdout
    assert place.host in status
    assert exports["ARGOSY_REGISTRY"] in status

    stopped = second.run("engine", "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert traces(place) == []
    assert "not running" in second.run("engine", "status").stdout
    assert second.run("engine", "stop").returncode == 0


@pytest.mark.engine
def test_a_killed_engine_is_repaired_with_its_port_and_networks_kept(second: Checkout) -> None:
    place = place_of(second)
    assert second.run("engine", "start").returncode == 0
    registry = second.exports()["ARGOSY_REGISTRY"]
    assert second.run("bases", "busybox:stable").returncode == 0
    second.docker("network", "create", "harbour")
    second.docker("run", "--detach", "--init", "--network", "harbour", "busybox:stable", "sleep", "1000")
    bridges = network.bridges_of_networks(place.data_root)
    assert len(bridges) == 1

    os.kill(int(place.pidfile.read_text()), signal.SIGKILL)
    # The process id of something else that lives, as after a reboot.
    place.pidfile.write_text("1")
    repaired = second.run("engine", "start")
    assert repaired.returncode == 0, repaired.stderr
    assert second.exports()["ARGOSY_REGISTRY"] == registry
    assert "harbour" in second.docker("network", "ls")

    # Killed again, with a container running: stopping finds all that is left.
    second.docker("run", "--detach", "--init", "--network", "harbour", "busybox:stable", "sleep", "1000")
    os.kill(int(place.pidfile.read_text()), signal.SIGKILL)
    assert second.run("engine", "stop").returncode == 0
    assert traces(place) == []
    assert not network.exists(bridges[0])


TOO_MANY = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1] + "/scripts")
from private_engine import daemon, engine
from private_engine.place import Place
from private_engine.progress import Progress
begin = daemon._begin
def first(place, *given):
    daemon._begin = begin
    place.log.write_text("one line\\ncontext deadline exceeded\\n")
    return False
daemon._begin = first
assert engine.start(Place.of(Path(sys.argv[1])), Progress())
"""


@pytest.mark.engine
def test_an_engine_that_has_cached_more_than_it_can_look_at_forgets_it_and_starts(
    second: Checkout, tmp_path: Path
) -> None:
    place = place_of(second)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "Dockerfile").write_text(
        "FROM scratch AS one\nCOPY file /\nFROM scratch\nCOPY --from=one / /\n"
    )
    assert second.run("engine", "start").returncode == 0
    second.docker("build", "--quiet", "--tag", "kept:1", str(tmp_path))
    assert not second.docker("buildx", "du").endswith("0B")
    assert second.run("engine", "stop").returncode == 0

    # Fifteen thousand steps take an hour to make; what dockerd ends with, where it has them, is this.
    told = subprocess.run(
        [sys.executable, "-B", "-c", TOO_MANY, str(second.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert second.docker("buildx", "du").endswith("0B")
    ctr = (place.path / "docker").resolve().with_name("ctr")
    address = str(place.exec_root / "containerd/containerd.sock")
    leases = [str(ctr), "--address", address, "--namespace", "moby", "leases", "ls", "--quiet"]
    assert subprocess.run(leases, check=True, capture_output=True, text=True).stdout == ""
    assert second.docker("image", "inspect", "--format", "{{.RepoTags}}", "kept:1") == "[kept:1]"
    second.docker("build", "--quiet", "--tag", "kept:2", str(tmp_path))


@pytest.mark.engine
def test_the_classic_store_is_a_second_engine_at_the_same_registry(second: Checkout) -> None:
    place = place_of(second, "classic")
    started = second.run("engine", "start", "--store", "classic")
    assert started.returncode == 0, started.stderr
    assert second.docker("info", "--format", "{{.Driver}}", store="classic") == "overlay2"
    assert second.run("engine", "start").returncode == 0
    assert second.exports()["ARGOSY_REGISTRY"] == second.exports("classic")["ARGOSY_REGISTRY"]
    assert second.run("engine", "stop", "--store", "classic").returncode == 0
    assert not place.socket.exists()
    assert second.docker("info", "--format", "{{.Driver}}") == "overlayfs"


# A machine within the machine: processes, network, mounts and /run of its own, and a stand-in for the handlers' table,
# which only the whole machine has. In it the engine is the only one, so that its end is the end of the last one.
ALONE = """
mount --make-rprivate /
mkdir /tmp/cgroup.$$ && mount --rbind /sys/fs/cgroup /tmp/cgroup.$$
mount -t sysfs sysfs /sys && mount --rbind /tmp/cgroup.$$ /sys/fs/cgroup
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /proc/sys/fs/binfmt_misc
touch /proc/sys/fs/binfmt_misc/register
echo 0 > /proc/sys/net/ipv4/ip_forward
PYTHONPATH=scripts python3 -c 'from private_engine import network; network.turn_on("lo")'
scripts/engine start
echo started
look() { ls /sys/class/net; cat /proc/sys/net/ipv4/ip_forward; "$1" -S; "$1" -t nat -S; ls /run | grep argosy || true; }
look "$1"
scripts/engine stop
echo stopped
look "$1"
rmdir /tmp/cgroup.$$ 2>/dev/null || true
"""


@pytest.mark.engine
def test_the_last_engine_out_puts_the_machine_back_as_it_was(second: Checkout) -> None:
    place = place_of(second)
    done = subprocess.run(
        [
            *("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"),
            *("sh", "-ec", ALONE, "sh", str(place.daemon_path / "iptables")),
        ],
        cwd=second.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    during, _, after = done.stdout.partition("started\n")[2].partition("stopped\n")
    assert {place.bridge, "1", f"argosy-{place.key}"} <= set(during.splitlines())
    assert "MASQUERADE" in during
    assert set(after.splitlines()) == {
        "lo",
        "0",
        *(f"-P {chain} ACCEPT" for chain in ("INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING")),
    }
