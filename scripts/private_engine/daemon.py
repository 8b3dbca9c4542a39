"""dockerd with its containerd: its configuration, its start, and its end without a trace."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from . import api, files, network, processes
from .place import Place
from .problem import ProblemError

READY_WITHIN = 60.0
# How dockerd ends when it has not looked at all cached steps in time, a millisecond each: it gives itself some 18 s.
TOO_MANY_STEPS = "context deadline exceeded"
# dockerd gives containers five seconds (shutdown-timeout) before it kills them.
ENDS_WITHIN = 20.0
# Size alone bounds nothing here: a run of all tests leaves thousands of steps of a few bytes.
CACHE_KEPT = (
    {"filter": ["unused-for=2h"], "keepStorage": "1B", "all": True},
    {"keepStorage": "20GB", "all": True},
)


def answers(place: Place) -> bool:
    """Whether this engine answers on its own socket."""
    return place.socket.exists() and api.engine_answers(place.host)


def running(place: Place) -> list[int]:
    """Returns the process ids of this engine's dockerd."""
    return [p.pid for p in processes.listed() if p.program == "dockerd" and p.mentions(place.config)]


def others(place: Place) -> bool:
    """Whether another container engine runs on this machine: of another checkout, or the user's."""
    programs = {"dockerd", "podman", "buildkitd", "containerd", "crio"}
    return any(
        p.program in programs and not (p.mentions(place.exec_root) or p.mentions(place.config))
        for p in processes.listed()
    )


def leftovers(place: Place) -> list[int]:
    """Returns what belongs to this engine: its daemons, shims and network proxies, all containers and build steps."""
    return [
        p.pid
        for p in processes.listed()
        if place.mark in p.cgroups
        or (
            p.program in {"dockerd", "containerd", "containerd-shim-runc-v2", "docker-proxy", "runc"}
            and (p.mentions(place.exec_root) or p.mentions(place.data_root) or p.mentions(place.config))
        )
    ]


def mirror_at(port: int) -> str:
    """Returns the registry's address as dockerd is told it."""
    return f"http://127.0.0.1:{port}"


def mirror(place: Place) -> str:
    """Returns the registry's address that this engine was started with."""
    return str((files.read_json(place.config).get("registry-mirrors") or [""])[0])


def configuration(place: Place, programs: Path, port: int, pool: str) -> dict[str, object]:
    """Returns daemon.json."""
    return {
        "hosts": [place.host],
        "group": "root",
        "data-root": str(place.data_root),
        "exec-root": str(place.exec_root),
        "pidfile": str(place.pidfile),
        "bridge": place.bridge,
        "iptables": False,
        "ip6tables": False,
        "ip-masq": False,
        "default-address-pools": [{"base": pool, "size": 24}],
        "mtu": network.smallest_mtu(),
        "cgroup-parent": f"/{place.mark}",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "features": {"containerd-snapshotter": place.store == "containerd"},
        "registry-mirrors": [mirror_at(port)],
        "init-path": str(programs / "usr/bin/tini-static"),
        "userland-proxy-path": str(programs / "usr/sbin/docker-proxy"),
        "shutdown-timeout": 5,
        "max-concurrent-uploads": 8,
        "builder": {"gc": {"enabled": True, "policy": list(CACHE_KEPT)}},
        "log-level": "warn",
    }


def environment(place: Place, programs: Path) -> Mapping[str, str]:
    """Returns dockerd's environment: our programs first, nothing of the caller's that would change a daemon."""
    inherited = ("HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    kept = {name: os.environ[name] for name in (*inherited, *proxies) if name in os.environ}
    folders = (place.daemon_path, programs / "usr/sbin", programs / "usr/bin")
    # Nobody reads the trace that BuildKit keeps of each build, and it takes a good part of a small build's time.
    return {
        **kept,
        "OTEL_TRACES_SAMPLER": "always_off",
        "PATH": ":".join((*map(str, folders), "/usr/sbin:/usr/bin:/sbin:/bin")),
    }


def start(place: Place, programs: Path, port: int, pool: str) -> None:
    """Starts dockerd and waits until it answers; raises ProblemError with its log's end when it does not.

    One that has cached more steps than it can look at in time would never start again: it forgets them.
    """
    if _begin(place, programs, port, pool):
        return
    if TOO_MANY_STEPS in processes.tail(place.log, 1):
        began = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        shutil.rmtree(place.data_root / "buildkit", ignore_errors=True)
        if _begin(place, programs, port, pool):
            _release_steps(place, programs, began)
            return
    raise ProblemError(
        f"The private Docker Engine did not start. The end of {place.log}:\n{processes.tail(place.log)}"
    )


def _begin(place: Place, programs: Path, port: int, pool: str) -> bool:
    """Starts dockerd; returns whether it answers, and leaves nothing of it if not."""
    place.run.mkdir(mode=0o711, parents=True, exist_ok=True)
    place.data_root.mkdir(mode=0o711, parents=True, exist_ok=True)
    # A process id from before a reboot may now be anybody's, and dockerd would refuse to start.
    place.pidfile.unlink(missing_ok=True)
    place.socket.unlink(missing_ok=True)
    shutil.rmtree(place.exec_root, ignore_errors=True)
    place.log.unlink(missing_ok=True)
    files.write_json(place.config, configuration(place, programs, port, pool))
    _read_ahead(place)
    command = [str(programs / "usr/sbin/dockerd"), f"--config-file={place.config}"]
    process = processes.detach(command, place.log, environment(place, programs))
    processes.wait_until(lambda: answers(place) or process.poll() is not None, READY_WITHIN)
    if answers(place):
        return True
    processes.end([process.pid, *leftovers(place)])
    return False


def _release_steps(place: Place, programs: Path, before: str) -> None:
    """Has containerd give up what forgotten steps held: each had a lease, which nobody else would ever end."""
    if place.store == "classic":
        return
    address = str(place.exec_root / "containerd/containerd.sock")
    call = [str(programs / "usr/bin/ctr"), "--address", address, "--namespace", "moby", "leases"]
    lines = subprocess.run([*call, "ls"], check=True, capture_output=True, text=True).stdout.splitlines()[1:]
    old = [name for name, made, *_ in map(str.split, lines) if made < before]
    if old:
        subprocess.run([*call, "rm", *old], check=True, stdout=subprocess.DEVNULL)


def _read_ahead(place: Place) -> None:
    """Reads containerd's databases from front to back, which brings them into memory.

    containerd opens them in leaps, which a cold disk serves too slowly for the 15 seconds that dockerd gives it.
    """
    for database in (place.data_root / "containerd").glob("daemon/*/*.db"):
        with database.open("rb") as file:
            while file.read(1 << 20):
                pass


def forget_networks(place: Place) -> None:
    """Drops the networks that dockerd remembers, with their addresses: they would return in the old block."""
    shutil.rmtree(place.data_root / "network", ignore_errors=True)


def stop(place: Place) -> None:
    """Ends dockerd, then whatever of it is left: processes, mounts, control groups, bridges, sockets."""
    processes.end(running(place), ENDS_WITHIN)
    processes.end(leftovers(place), 1.0)
    _unmount(place)
    _remove_cgroups(place)
    for bridge in (place.bridge, *network.bridges_of_networks(place.data_root)):
        network.delete_bridge(bridge)
    place.pidfile.unlink(missing_ok=True)
    place.socket.unlink(missing_ok=True)
    shutil.rmtree(place.exec_root, ignore_errors=True)


def _unmount(place: Place) -> None:
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = [line.split()[1] for line in lines]
    roots = {place.exec_root, place.data_root}
    # Later mounts stand on earlier ones.
    for point in reversed(points):
        if roots.isdisjoint((Path(point), *Path(point).parents)):
            continue
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


def _remove_cgroups(place: Place) -> None:
    root = Path("/sys/fs/cgroup")
    for top in (root / place.mark, *root.glob(f"*/{place.mark}")):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
