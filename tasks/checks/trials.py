"""Tests that run an image: a command to its end, or a service that is started and asked in turn.

One container for each test; what a service is asked comes in the order of its life: healthy, answering, idle,
without its service, told to end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..engine.containers import Berths, Container
from ..engine.processes import Done
from ..errors import SurroundingsError
from ..model import ImageTest
from . import answers
from .check import Check
from .denied import explained
from .subject import Subject
from .surroundings import around, words

PAUSE = 0.2
SETTLE = 1.0
"""Seconds a service is given that is asked neither for health nor for an answer before it is told to end."""
PROBE = ("--health-interval", "1s")
"""How often a container under test is probed; its image may leave half a minute between two."""
PROBE_TIMEOUT = 5.0


def trial(subject: Subject, test: ImageTest, root: Path, berths: Berths) -> tuple[Check, ...]:
    """Runs one test of an image; paths in it are relative to `root`."""
    try:
        given = around(test.around, root, berths.client)
        ran = (
            _service(subject, test, given, berths)
            if test.serves
            else [_command(subject, test, given, berths)]
        )
        return tuple(explained(check, subject, test, root) for check in ran)
    except SurroundingsError as error:
        return (subject.check(test.title, str(error)),)


def _command(subject: Subject, test: ImageTest, given: list[str], berths: Berths) -> Check:
    """Runs a command to its end.

    A busy engine may lose all that a short program prints, from the container's log as well (seen with Docker 26,
    once in a thousand runs). So one that ends as it should, and is not heard, is run once more before it has failed.
    """
    began = time.monotonic()
    command = words(subject, test, given)
    done = berths.once(command, test.within)
    problem = _unlike(test, done)
    if problem and not done.out and not done.late and done.status == test.exit:
        done = berths.once(command, test.within)
        problem = _unlike(test, done)
    text = done.out + done.err
    first = next((line.strip() for line in text.splitlines() if line.strip()), f"exit {done.status}")
    log = tuple(text.splitlines()[-20:]) if problem else ()
    return subject.check(test.title, problem, first, log=log, seconds=time.monotonic() - began)


def _unlike(test: ImageTest, done: Done) -> str:
    """Returns what is wrong with what a command came to."""
    if done.late:
        return f"did not end within {test.within:g} s"
    if done.status != test.exit:
        return f"exit {done.status}, not {test.exit}"
    return answers.unlike(test, done.out + done.err)


def _service(subject: Subject, test: ImageTest, given: list[str], berths: Berths) -> Iterator[Check]:
    """Starts a service and asks it; where something fails, what comes after it is still asked."""
    port = test.port
    exposed = subject.evidence.configuration.ports
    if test.http is not None and not port:
        if len(exposed) != 1:
            said = f"exposes {', '.join(exposed)}" if exposed else "exposes no port"
            yield subject.check(test.title, f"the image {said}; say which to ask: port")
            return
        port = exposed[0]
    publish = ["--publish", f"127.0.0.1::{port}"] if test.http is not None else []
    container = berths.start(words(subject, test, [*given, *publish, *_probes(subject, test)]))
    steps: dict[str, Callable[[], tuple[str, str]]] = {
        "healthy": lambda: _undeclared(subject) or _healthy(container, test),
        f"http {test.http}": lambda: _answers(container, test, port),
        "idle": lambda: _idle(container, test),
        "unhealthy": lambda: _undeclared(subject) or _unhealthy(container, test),
        "stops": lambda: _stops(container, test),
    }
    if not (test.healthy or test.http is not None or test.unhealthy is not None):
        berths.pause(SETTLE)
    try:
        for name in test.asked:
            began = time.monotonic()
            problem, found = _step(steps[name])
            title = name if not test.name else test.name if len(test.asked) == 1 else f"{test.name}: {name}"
            log = container.log() if problem else ()
            yield subject.check(title, problem, found, log=log, seconds=time.monotonic() - began)
    finally:
        container.remove()


def _step(step: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """Asks one thing; where the engine cannot tell, its words are what is wrong with it."""
    try:
        return step()
    except SurroundingsError as error:
        return str(error), ""


def _probes(subject: Subject, test: ImageTest) -> list[str]:
    health = subject.evidence.configuration.health
    if health is None or not (test.healthy or test.unhealthy is not None):
        return []
    if test.unhealthy is None or 0 < health.timeout <= PROBE_TIMEOUT:
        return [*PROBE]
    return [*PROBE, "--health-timeout", f"{PROBE_TIMEOUT:g}s", "--health-retries", "2"]


def _until(container: Container, seconds: float, look: Callable[[], str]) -> str:
    """Looks again and again until nothing is wrong; returns what still is when the time is up, or it has ended."""
    end = time.monotonic() + seconds
    while problem := look():
        if ended := _ended(container):
            return ended
        if time.monotonic() > end:
            return f"{problem}, after {seconds:g} s"
        container.berths.pause(PAUSE)
    return ""


def _ended(container: Container) -> str:
    """Returns that a container has ended by itself, with its status; "" while it runs."""
    state = container.state()
    if state["Status"] not in {"exited", "dead"}:
        return ""
    why = ", for lack of memory" if state.get("OOMKilled") else ""
    return f"the container has ended (exit {state['ExitCode']}{why})"


def _health(container: Container, wanted: str) -> str:
    """Returns what is wrong with a container's health, the end of its last probe with it."""
    container.probe(PROBE_TIMEOUT)
    health = container.state().get("Health") or {}
    status = health.get("Status") or "none"
    if status == wanted:
        return ""
    last = (health.get("Log") or [{}])[-1]
    said = str(last.get("Output") or "").strip().splitlines()
    probe = f"; the last probe gave {last['ExitCode']}" if "ExitCode" in last else "; not probed yet"
    return f"{status}{probe}" + (f": {said[-1]}" if said else "")


def _undeclared(subject: Subject) -> tuple[str, str] | None:
    """Returns what is wrong with waiting for a health check that the image does not have."""
    health = subject.evidence.configuration.health
    declared = health is not None and health.test[0] != "NONE"
    return None if declared else ("the image declares no health check", "")


def _healthy(container: Container, test: ImageTest) -> tuple[str, str]:
    return _until(container, test.within, lambda: _health(container, "healthy")), "healthy"


def _answers(container: Container, test: ImageTest, port: str) -> tuple[str, str]:
    heard = ""

    def look() -> str:
        nonlocal heard
        try:
            address = container.address(port)
        except SurroundingsError as error:
            return str(error)  # a container that has ended has no ports any more
        answer = answers.get(address, test.http or "/")
        problem = answers.wrong(test, answer)
        if isinstance(
            answer, str
        ):  # that the last request got none says less than what the service did answer
            return f"{heard}; then {problem}" if heard else problem
        heard = problem
        return problem

    return _until(container, test.within, look), f"{test.status} at port {port}"


def _idle(container: Container, test: ImageTest) -> tuple[str, str]:
    if ended := _ended(container):
        return ended, ""
    used, most = container.memory() / 1e6, (test.idle or 0) / 1e6
    return f"takes {used:.1f} MB, more than {most:g} MB" if used > most else "", f"{used:.1f} MB"


def _unhealthy(container: Container, test: ImageTest) -> tuple[str, str]:
    """Takes the service away and waits for the health check to notice; one that never does cannot fail."""
    problem = _until(container, test.within, lambda: _health(container, "healthy"))
    if problem:
        return f"does not become healthy first: {problem}", ""
    if test.unhealthy:
        done = container.run(test.unhealthy)
        if not done and container.state()["Status"] == "running":
            return f"{' '.join(test.unhealthy)} gave {done.status}: {done.err.strip()}", ""
    else:
        container.signal("STOP")
    problem = _until(container, test.within, lambda: _health(container, "unhealthy"))
    if not test.unhealthy:
        container.signal("CONT")
    if problem.startswith("healthy"):
        return f"still {problem.partition(';')[0]} without its service: the health check cannot fail", ""
    return problem, "noticed without its service"


def _stops(container: Container, test: ImageTest) -> tuple[str, str]:
    if ended := _ended(container):
        return f"{ended} before it was told to", ""
    seconds = math.ceil(test.stops or 0)
    code = container.stop(seconds)
    killed = f"does not end within {seconds} s of being told to: it had to be killed"
    return killed if code == 137 else "", f"exit {code}"
