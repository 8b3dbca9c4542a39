"""Tests that bring a compose file up with the images that were built, ask one of its services, and take it down.

The file is read by compose itself, then changed: services of this fleet get the very image under test, ports are
random ones on the loopback, and no container, volume or network has a fixed name. So two runs, or a copy that is up
already, do not disturb each other. https://docs.docker.com/reference/compose-file/
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..engine import host
from ..engine.containers import LABEL, Berths
from ..engine.docker import explain
from ..errors import ConfigError, SurroundingsError
from ..model import ImageTest, Reference
from ..planning.familiar import familiar
from . import answers
from .check import Check
from .subject import Subject

PAUSE = 0.3


def composed(subject: Subject, test: ImageTest, root: Path, berths: Berths) -> tuple[Check, ...]:
    """Brings the file up, waits until the service answers as expected, and takes all of it down."""
    began = time.monotonic()
    project = berths.project()
    with tempfile.TemporaryDirectory(prefix="argosy-compose-") as folder:
        made = Path(folder) / "compose.json"
        try:
            file = _read(root / test.compose, project, root, berths)
            made.write_text(json.dumps(changed(file, subject, project, berths.run)), encoding="utf-8")
            base = ("compose", "--project-name", project, "--file", str(made))
            problem, log = _asked(test, base, berths)
        except SurroundingsError as error:
            problem, log = str(error), ()
        finally:
            if made.exists():
                berths.down(project, made)
    seconds = time.monotonic() - began
    found = f"{test.service} answers {test.status}" if test.http is not None else "it is up"
    return (subject.check(test.title, problem, found, log=log, seconds=seconds),)


def _read(path: Path, project: str, root: Path, berths: Berths) -> dict[str, Any]:
    """Returns a compose file as compose understands it, from build.toml's folder."""
    if not path.is_file():
        raise SurroundingsError(
            f"there is no file {path.relative_to(root) if path.is_relative_to(root) else path}"
        )
    if berths.client == "podman" and not berths.ask("compose", "version"):
        raise SurroundingsError(
            "podman has no compose here: it needs podman 4.7 or newer, and docker-compose or podman-compose"
        )
    how = ("--project-name", project, "--project-directory", str(root), "--file", str(path))
    done = berths.compose(root, *how, "config", "--format", "json", seconds=60)
    if not done:
        raise explain(done)
    found: dict[str, Any] = json.loads(done.out)
    sock = host.socket()
    for service in (found.get("services") or {}).values():
        for volume in service.get("volumes") or ():
            source = Path(volume["source"]) if volume.get("type") == "bind" else Path()
            if sock and source == host.SOCKET:  # this engine's, and whoever gets it is let in
                volume["source"] = str(host.path(berths.client, sock))
                service["group_add"] = [*(service.get("group_add") or ()), host.group(sock)]
            # `${PWD}` is the host's path already; what is relative was made ours.
            elif source.is_relative_to(root):
                volume["source"] = str(host.path(berths.client, source))
    return found


def changed(file: Mapping[str, Any], subject: Subject, project: str, run: str) -> dict[str, Any]:
    """Returns the file with the images under test, random ports, no fixed names, and the run's label.

    A volume or network that the file names itself would be a copy's that is there already, and be taken down with
    ours; one that is external is not touched by compose.
    """
    services = {
        name: _service(service, subject, run) for name, service in (file.get("services") or {}).items()
    }
    own = {
        kind: {
            key: one if (one or {}).get("external") else {**(one or {}), "name": f"{project}_{key}"}
            for key, one in file[kind].items()
        }
        for kind in ("volumes", "networks")
        if file.get(kind)
    }
    return {**file, **own, "services": services}


def _service(service: Mapping[str, Any], subject: Subject, run: str) -> dict[str, Any]:
    out = {
        key: value for key, value in service.items() if key not in {"container_name", "build", "pull_policy"}
    }
    out["ports"] = [
        {
            "target": port["target"],
            "protocol": port.get("protocol", "tcp"),
            "host_ip": "127.0.0.1",
            "mode": "host",
        }
        for port in service.get("ports") or ()
    ]
    # Whatever tag the file names, a release's say: what is tested is what was built. A digest is what it says.
    with suppress(ConfigError, ValueError):  # what is no reference is no image of the fleet
        image = Reference.parse(str(service.get("image") or "none"))
        run_as = subject.fleet.get(familiar(image.name))
        if run_as and not image.digest:
            out |= {"image": run_as, "platform": subject.platform}
    out["labels"] = {**(service.get("labels") or {}), LABEL: run}
    return out


def _asked(test: ImageTest, base: tuple[str, ...], berths: Berths) -> tuple[str, tuple[str, ...]]:
    """Returns what is wrong, and the end of what the services wrote if something is."""
    patience = max(60.0, test.within)
    done = berths.ask(*base, "up", "--detach", "--quiet-pull", seconds=patience)
    said = (
        f"not within {patience:g} s"
        if done.late
        else (done.err.strip().splitlines() or ["it said nothing"])[-1]
    )
    problem = "" if done else f"does not come up: {said}"
    end = time.monotonic() + test.within
    while not problem and test.http is not None:
        problem = answers.wrong(test, _answer(test, base, berths))
        if not problem or time.monotonic() > end:
            break
        problem = ""
        berths.pause(PAUSE)
    if not problem:
        return "", ()
    logs = berths.ask(*base, "logs", "--no-color", "--tail", "20")
    return problem, tuple((logs.out + logs.err).splitlines()[-40:])


def _answer(test: ImageTest, base: tuple[str, ...], berths: Berths) -> tuple[int, str] | str:
    port, _, protocol = (test.port or _only_port(test, base, berths)).partition("/")
    done = berths.ask(*base, "port", "--protocol", protocol or "tcp", test.service, port)
    host, _, number = done.out.strip().rpartition(":")
    if not done or not number.isdecimal():
        return f"{test.service} publishes no port {port}"
    return answers.get((host, int(number)), test.http or "/")


def _only_port(test: ImageTest, base: tuple[str, ...], berths: Berths) -> str:
    done = berths.ask(*base, "config", "--format", "json")
    services = json.loads(done.out).get("services", {}) if done else {}
    ports = services.get(test.service, {}).get("ports") or []
    if len(ports) != 1:
        known = ", ".join(services)
        raise SurroundingsError(
            f"{test.service} publishes {len(ports)} ports; say which to ask: port. The services are: {known}"
        )
    return f"{ports[0]['target']}/{ports[0].get('protocol', 'tcp')}"
