"""The private engine as a whole: what start, stop, status, env and remove do, in their order.

Everything that changes the machine happens under the checkout's lock, and what checkouts share (packet filter,
binfmt table, free ports and subnets) under the machine's.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from . import api, before, binfmt, daemon, files, firewall, machine, network, packages, podman, registry
from .place import STATE, STORES, Place
from .progress import Progress

MACHINE_LOCK = STATE / "machine.lock"


def answers(place: Place) -> bool:
    """Whether the engine and its registry both answer."""
    return daemon.answers(place) and registry.answers(place)


def start(place: Place, progress: Progress) -> bool:
    """Starts what of the engine does not run; returns whether there was anything to do. Repairs a killed daemon."""
    if answers(place):
        return False
    here = machine.this_machine()
    with files.locked(place.lock):
        if answers(place):
            return False
        programs = packages.programs(here, progress)
        _prepare_client(place, programs)
        with files.locked(MACHINE_LOCK):
            port = registry.start(place, programs)
            progress.step(f"registry answers at localhost:{port}, mirror for Docker Hub names")
            if not daemon.answers(place) or daemon.mirror(place) != daemon.mirror_at(port):
                daemon.stop(place)
                _start_daemon(place, here, programs, port)
        progress.step(f"Docker Engine answers at {place.host} ({place.store} image store)")
    return True


def _start_daemon(place: Place, here: machine.Machine, programs: Path, port: int) -> None:
    before.remember("binfmt", "mounted" if binfmt.register(here.platform, programs) else "there")
    iptables = firewall.provide(programs, here.multiarch, place.daemon_path)
    choices = place.data / f"{place.name}-network.json"
    kept = files.read_json(choices).get("pool")
    pool = network.free_pool(place.key, place.bridge, kept)
    if str(pool) != kept:
        daemon.forget_networks(place)
        files.write_json(choices, {"pool": str(pool)})
    try:
        network.add_bridge(place.bridge, next(pool.subnets(new_prefix=24)))
        firewall.open_for(iptables, pool, place.mark)
        daemon.start(place, programs, port, str(pool))
    except BaseException:
        _end_daemon(place)
        raise


def _prepare_client(place: Place, programs: Path) -> None:
    for plugin in ("docker-buildx", "docker-compose"):
        files.link(
            place.docker_config / "cli-plugins" / plugin, programs / "usr/libexec/docker/cli-plugins" / plugin
        )
    if not (place.docker_config / "config.json").exists():
        files.write(place.docker_config / "config.json", "{}\n", mode=0o600)
    for program in ("docker", *packages.TOOLS):
        files.link(place.path / program, programs / "usr/bin" / program)


def _end_daemon(place: Place) -> None:
    """Stops the daemon and undoes what was changed on the machine; the last engine out puts back what all share."""
    daemon.stop(place)
    iptables = place.daemon_path / "iptables"
    if iptables.exists():
        firewall.close_for(iptables, place.mark)
    if not daemon.others(place):
        firewall.restore_forwarding()
        binfmt.withdraw(unmount=before.remembered().get("binfmt") == "mounted")
        before.forget()


def stop(place: Place) -> None:
    """Stops the engine and leaves no process, mount, bridge or firewall rule of it; images stay.

    The registry serves both engines of a checkout and ends with the last of them.
    """
    with files.locked(place.lock), files.locked(MACHINE_LOCK):
        podman.stop(place)
        _end_daemon(place)
        if not any(daemon.running(other) for other in both(place)):
            registry.stop(place)
            shutil.rmtree(place.run, ignore_errors=True)


def both(place: Place) -> tuple[Place, ...]:
    """Returns the places of the checkout's two possible engines."""
    return tuple(replace(place, store=store) for store in STORES)


def remove(place: Place) -> None:
    """Stops the engine and deletes its data. The first engine takes the registry and the second engine with it."""
    if place.store == "classic":
        stop(place)
        with files.locked(place.lock):
            shutil.rmtree(place.data_root, ignore_errors=True)
        return
    for engine in reversed(both(place)):
        stop(engine)
    with files.locked(place.lock):
        shutil.rmtree(place.data, ignore_errors=True)
        place.lock.unlink(missing_ok=True)


def exports(place: Place) -> dict[str, str]:
    """Returns the variables that point a docker client at this engine, without PATH."""
    return {
        "DOCKER_HOST": place.host,
        "DOCKER_CONFIG": str(place.docker_config),
        "ARGOSY_REGISTRY": f"localhost:{registry.kept_port(place)}",
    }


def env(place: Place) -> list[str]:
    """Returns the export lines that point a shell at this engine."""
    # These would lead the client elsewhere; empty means unset to it.
    hidden = {
        name: "" for name in ("DOCKER_CONTEXT", "BUILDX_BUILDER", "DOCKER_TLS_VERIFY") if os.environ.get(name)
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in {**exports(place), **hidden}.items()]
    # Without a second copy in front where the shell already has it.
    return [*lines, f'export PATH="{place.path}:${{PATH#{place.path}:}}"']


def status(place: Place) -> Iterator[str]:
    """Yields lines that say what runs, where, in which versions and how much room it takes (that last: it is slow)."""
    runs = daemon.answers(place)
    version = api.engine_says(place.host, "/version").get("Version", "?") if runs else ""
    yield f"engine    {f'Docker Engine {version} at {place.host}' if runs else 'not running'}"
    yield f"store     {place.store}"
    yield f"registry  {f'localhost:{registry.kept_port(place)}' if registry.answers(place) else 'not running'}"
    if runs:
        buildx = _first_words([str(place.docker_config / "cli-plugins/docker-buildx"), "version"])
        compose = _first_words([str(place.docker_config / "cli-plugins/docker-compose"), "version"])
        yield f"plugins   {buildx}; {compose}"
        yield f"network   {place.bridge} {network.address_of(place.bridge)}"
    emulators = sorted(name for name in binfmt.entries() if "qemu" in name)
    yield f"emulated  {', '.join(emulators) or 'no foreign platform'}"
    if place.data.exists():
        yield f"log       {place.log}"
        free = shutil.disk_usage(place.data).free / 1e9
        yield f"data      {place.data} ({_size(place.data)}, {free:.0f} GB free)"


def _first_words(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split()[:4])


def _size(folder: Path) -> str:
    done = subprocess.run(["du", "-sxh", str(folder)], capture_output=True, text=True, check=False)
    return done.stdout.split()[0] if done.stdout else "?"
