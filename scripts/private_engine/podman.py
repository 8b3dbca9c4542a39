"""A podman of the checkout's own: unpacked from Debian's packages, with its own storage, network and configuration.

It is for tests of what Argosy does with podman. It shares the private engine's registry (as a mirror of Docker Hub
names too), runc and iptables. Nothing of the machine's own podman is read or written: the program that `path` holds
sets every path before it runs the real one, and a HOME, because the signature policy is looked up there alone.
"""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from . import files, firewall, network, packages, registry
from .machine import this_machine
from .packages import Package
from .place import Place
from .problem import ProblemError
from .progress import Progress

PROGRAMS = (
    "podman",
    "conmon",
    "netavark",
    "golang-github-containers-common",
    "golang-github-containers-image",
)
LIBRARIES = {
    "bookworm": (
        "libgpgme11",
        "libassuan0",
        "libsubid4",
        "libglib2.0-0",
        "libdevmapper1.02.1",
        "libbsd0",
        "libmd0",
    ),
    "trixie": (
        "libgpgme11t64",
        "libassuan9",
        "libsubid5",
        "libglib2.0-0t64",
        "libsqlite3-0",
        "libbsd0",
        "libmd0",
    ),
}


def home(place: Place) -> Path:
    """Returns the folder of everything that is podman's."""
    return place.data / "podman"


def path(place: Place) -> Path:
    """Returns the folder to put in front of PATH: `podman` alone."""
    return home(place) / "bin"


def start(place: Place, progress: Progress) -> Path:
    """Makes podman ready, if it is not, and returns `path`. Raises ProblemError where the engine does not run."""
    port = registry.kept_port(place)
    if port is None or not registry.answers(place):
        raise ProblemError(
            "podman shares the private engine's registry, which does not run: scripts/engine start"
        )
    here = this_machine()
    engine = packages.programs(here, progress)
    release = here.host_release
    wanted = [Package(name, release) for name in (*PROGRAMS, *LIBRARIES[release])]
    tree = packages.programs(here, progress, wanted)
    with files.locked(place.lock):
        _configure(place, tree, engine, port, f"{tree}/usr/lib/{here.multiarch}:{tree}/lib/{here.multiarch}")
    return path(place)


def _configure(place: Place, tree: Path, engine: Path, port: int, libraries: str) -> None:
    own = home(place)
    settings = {
        "CONTAINERS_CONF": own / "containers.conf",
        "CONTAINERS_STORAGE_CONF": own / "storage.conf",
        "CONTAINERS_REGISTRIES_CONF": own / "registries.conf",
        "LD_LIBRARY_PATH": libraries,
        "PATH": f"{place.daemon_path}:{tree}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": own / "home",
    }
    lines = "".join(f"export {name}='{value}'\n" for name, value in settings.items())
    files.write(path(place) / "podman", f'#!/bin/sh\n{lines}exec {tree}/usr/bin/podman "$@"\n', mode=0o755)
    files.write(
        own / "home/.config/containers/policy.json", '{"default": [{"type": "insecureAcceptAnything"}]}\n'
    )
    files.write(
        own / "storage.conf",
        f'[storage]\ndriver = "overlay"\ngraphroot = "{own}/storage"\nrunroot = "{place.run}/podman"\n',
    )
    files.write(own / "registries.conf", _registries(port))
    files.write(own / "containers.conf", _containers(place, tree, engine, settings))
    files.write_json(own / "networks/podman.json", _network(place))


def _registries(port: int) -> str:
    mirror = f'location = "localhost:{port}"\ninsecure = true\n'
    return (
        'unqualified-search-registries = ["docker.io"]\n'
        f"[[registry]]\n{mirror}"
        f'[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\n{mirror}'
    )


def _containers(place: Place, tree: Path, engine: Path, settings: Mapping[str, object]) -> str:
    after = ", ".join(f'"{name}={value}"' for name, value in settings.items())
    return (
        "[containers]\n"
        f'seccomp_profile = "{tree}/usr/share/containers/seccomp.json"\n'
        # podman asks for more than a machine without CAP_SYS_RESOURCE may give.
        'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
        "[engine]\n"
        'cgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n'
        f'conmon_path = ["{tree}/usr/bin/conmon"]\n'
        # conmon starts podman once more when a container ends; without this `podman run` waits 20 s for it.
        f"conmon_env_vars = [{after}]\n"
        f'helper_binaries_dir = ["{tree}/usr/lib/podman", "{tree}/usr/libexec/podman"]\n'
        f'tmp_dir = "{place.run}/podman/tmp"\n'
        "[engine.runtimes]\n"
        f'runc = ["{engine}/usr/sbin/runc", "{engine}/usr/bin/runc"]\n'
        "[network]\n"
        'network_backend = "netavark"\n'
        f'network_config_dir = "{home(place)}/networks"\n'
    )


def _subnet(place: Place) -> ipaddress.IPv4Network:
    """Returns the last network of the engine's block, which its own networks reach last."""
    pool = ipaddress.IPv4Network(files.read_json(place.data / f"{place.name}-network.json")["pool"])
    return list(pool.subnets(new_prefix=24))[-1]


def _network(place: Place) -> dict[str, object]:
    """Returns podman's default network, with a bridge of its own: two that share one break each other."""
    subnet = _subnet(place)
    return {
        "name": "podman",
        "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
        "driver": "bridge",
        "network_interface": _bridge(place),
        "created": "2026-01-01T00:00:00Z",
        "subnets": [{"subnet": str(subnet), "gateway": str(subnet[1])}],
        "ipv6_enabled": False,
        "internal": False,
        "dns_enabled": False,
        "ipam_options": {"driver": "host-local"},
    }


def _bridge(place: Place) -> str:
    return f"{place.bridge[:14]}p"


def stop(place: Place) -> None:
    """Removes podman's containers, and what they leave: mounts, the bridge, rules of the packet filter. Images stay."""
    program = path(place) / "podman"
    if not program.exists() or place.store == "classic":
        return
    subprocess.run([str(program), "rm", "--all", "--force"], capture_output=True, check=False)
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    for point in reversed(points):
        if {home(place), place.run / "podman"} & {Path(point), *Path(point).parents}:
            subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
    network.delete_bridge(_bridge(place))
    if (iptables := place.daemon_path / "iptables").exists():
        firewall.close_for(iptables, str(_subnet(place)))


def describe(place: Place) -> str:
    """Returns podman's version and storage, as it says itself."""
    done = subprocess.run(
        [str(path(place) / "podman"), "info", "--format", "json"],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    return f"podman {said['version']['Version']}, {said['store']['graphDriverName']} at {said['store']['graphRoot']}"
