"""Faults tried on a release: each in repositories of its own, in a process of its own, judged by the registries.

One fault-free run lists the requests; then each request meets each kind of fault. The verdict is read from the
registries themselves (harbourmaster.py), when the release ends and again five seconds later.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests import harbourmaster, registries
from tests.harbourmaster import IMAGES, NEW, ROLLING, Harbour
from tests.saboteur import Fault, Key, Sea, sabotaged

AGAIN_SECONDS = 5.0
LONGEST_SECONDS = 600
SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Errand:
    """What a process of its own is to do; plain values, so that they travel."""

    hosts: dict[str, str]
    prefix: str
    folder: str
    children: dict[str, list[dict[str, object]]]
    way: str = "publish"
    log: str = ""
    tag: str = NEW
    clone: str = ""


def sail(errand: Errand) -> None:
    """Runs a release, a --resume or a --rollback and ends with its exit code. This is the code under test."""
    from tasks.commands.stopping import stoppable
    from tasks.errors import ArgosyError, RefusedError
    from tasks.registries.registry import Remote
    from tasks.release import ending, finding, transaction
    from tasks.release.content import Child, Place
    from tasks.release.index import index
    from tasks.release.journal import told
    from tasks.release.lock import locked
    from tasks.release.order import Named, Order, Source, annotated

    alone = contextlib.nullcontext
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    said = Path(errand.log).open("a", encoding="utf-8")  # noqa: SIM115 - the process ends with it
    source = Source("0" * 40, "2026-01-02T03:04:05Z", "https://example.com/acme/fleet")
    named = []
    for host in errand.hosts.values():
        for name in IMAGES:
            children = tuple(Child.of(entry) for entry in errand.children[name])
            made = index(children, annotated(name, errand.tag, source, {}))
            tags = (errand.tag, *ROLLING)
            named.append(Named(name, Place(host, f"{errand.prefix}/{name}"), made, children, tags))
    order = Order("fleet", errand.tag, source, named[0].place, tuple(named))
    clients = {
        host: Remote(host, {"HOME": errand.folder}, tries=2, patience=3.0) for host in errand.hosts.values()
    }
    voyage = transaction.Voyage(
        clients,
        Path(errand.folder),
        lambda step, text: print(f"{step}: {text}", file=said, flush=True),
        SETTLE_SECONDS,
    )

    @stoppable
    def task() -> None:
        if errand.way == "publish":
            with (
                locked(Path(errand.clone), voyage.folder, told(errand.tag), voyage.told)
                if errand.clone
                else alone()
            ) as lock:
                under = replace(voyage, lost=lock.lost) if lock else voyage
                transaction.publish(order, transaction.survey(order, under), under)
            return
        journal = finding.find(voyage.folder, clients, order.home, voyage.told, mend=errand.way == "resume")
        if journal is None:
            raise RefusedError("there is nothing to end")
        (ending.resume if errand.way == "resume" else ending.roll_back)(journal, voyage)

    code = 0
    try:
        task()
    except ArgosyError as error:
        code = error.exit_code
        print(f"exit {code}: {error}", file=said, flush=True)
    os._exit(code)


@dataclass
class Trial:
    """One fault and what came of it."""

    fault: Fault | None
    prefix: str
    folder: Path
    code: int | None = None
    then: str = ""
    wrong: list[str] = field(default_factory=list)
    ended: float = 0.0
    final: str = ""
    """How all names are to stand from the end on: "before", "released", or "" for what was not settled."""

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def told(self) -> str:
        ending = f"exit {self.code}{', ' + self.then if self.then else ''}"
        return f"{self.fault or 'no fault'}: {ending}" + "".join(f"\n      {line}" for line in self.wrong)


class Range:
    """Where faults are tried: two registries, a proxy before each, processes that release."""

    def __init__(self, harbour: Harbour, folder: Path, env: Mapping[str, str] = os.environ) -> None:
        self.harbour, self.folder, self.sea, self.env = harbour, folder, Sea(), env
        self._stack = contextlib.ExitStack()
        self.hosts = {
            key: self._stack.enter_context(sabotaged(self.sea, key, host))
            for key, host in harbour.hosts.items()
        }
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(
            ["tests.faults", "tasks.release.transaction", "requests", "oras.auth", "semver", "tenacity"]
        )
        self._waiting: deque[Trial] = deque()

    def close(self) -> None:
        self._stack.close()

    def keys(self) -> list[Key]:
        """The requests of a release without any fault."""
        trial = self.attempt(None)
        assert trial.code == 0, trial.log.read_text()
        keys = list(self.sea.seen)
        assert not self.settled([trial]), trial.told()
        return keys

    def attempt(self, fault: Fault | None, folder: Path | None = None) -> Trial:
        """Runs one release under a fault, and what an operator does after it; judges what is there at its end."""
        prefix = uuid.uuid4().hex[:10]
        trial = Trial(fault, prefix, self.folder / prefix)
        trial.folder.mkdir()
        self.harbour.berth(prefix)
        self.sea.calm(prefix)
        self.sea.faults = [fault] if fault else []
        with self._doomed(fault):
            trial.code = self._run(trial, "publish", folder)
        state = self.harbour.now(prefix)
        journals = self.harbour.journals(prefix, (folder or trial.folder) / "journal.json")
        self._judge(trial, state, journals)
        if trial.code not in {0, 6} and any(named is not None for named in journals.values()):
            self._operator(trial, in_registry=journals["in the registry"] is not None)
        trial.ended = time.monotonic()
        return trial

    @contextlib.contextmanager
    def _doomed(self, fault: Fault | None) -> Iterator[None]:
        """Gives a registry that is to be killed a process of its own, over the same files; the others go on."""
        if fault is None or fault.kind != "registry killed":
            yield
            return
        key = fault.key[0]
        with registries.registry(self.env, self.harbour.folders[key], delete=True) as running:
            self.sea.doomed[key] = running
            try:
                yield
            finally:
                self.sea.doomed.clear()

    def _judge(
        self, trial: Trial, state: harbourmaster.State, journals: Mapping[str, set[str] | None]
    ) -> None:
        if trial.code in {0, 6}:
            trial.final = "before" if trial.code else "released"
            trial.wrong += self._wrong(trial, state)
        elif trial.code in {7, -9}:
            if self.harbour.recorded(trial.prefix) and not list(
                self.harbour.wrong_as_released(trial.prefix, state)
            ):
                trial.then, trial.final = "recorded; ", "released"
            else:
                trial.wrong += self.harbour.wrong_half_way(state, journals)
        else:
            trial.wrong.append(f"ended with {trial.code}: {trial.log.read_text()[-500:]}")

    def _operator(self, trial: Trial, *, in_registry: bool) -> None:
        """The trouble is over: half of them go back, unless recorded; a third has lost the disk's journal.

        What never had a journal in the registry has moved nothing, and there may be nothing to end.
        """
        self.sea.outage, self.sea.faults = False, []
        recorded = self.harbour.recorded(trial.prefix)
        dice = random.Random(str(trial.fault))  # noqa: S311 - it mixes, it does not guard
        way = "rollback" if dice.random() < 0.5 and not recorded else "resume"
        if dice.random() < 1 / 3:  # the runner's disk died with it
            for file in trial.folder.glob("journal.*"):
                file.unlink()
        code = self._run(trial, way)
        trial.then += f"--{way}: {code}"
        over = code == 6 and not in_registry
        if code and not over:
            trial.wrong.append(f"--{way} ended with {code}: {trial.log.read_text()[-700:]}")
        state = self.harbour.now(trial.prefix)
        found = self.harbour.journals(trial.prefix, trial.folder / "journal.json")
        for kept, named in found.items():
            if named is not None:
                trial.wrong.append(f"after --{way} a journal is left {kept}")
        back = (way == "rollback" or over) and not recorded
        trial.final = "before" if back else "released"
        trial.wrong += self._wrong(trial, state)

    def _wrong(self, trial: Trial, state: harbourmaster.State) -> list[str]:
        """What does not stand as it is to stand in the end."""
        if trial.final == "released":
            return list(self.harbour.wrong_as_released(trial.prefix, state))
        return list(self.harbour.wrong_as_before(state)) if trial.final else []

    def _run(self, trial: Trial, way: str, folder: Path | None = None) -> int | None:
        errand = Errand(
            self.hosts, trial.prefix, str(folder or trial.folder), self.harbour.children, way, str(trial.log)
        )
        process = self.context.Process(target=sail, args=(errand,))
        process.start()
        self.sea.pid = process.pid or 0
        process.join(LONGEST_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            trial.wrong.append(f"was not done after {LONGEST_SECONDS} s")
        return process.exitcode

    def settled(self, trials: Sequence[Trial]) -> list[Trial]:
        """Judges once more, five seconds after each trial's end; returns those with violations."""
        for trial in trials:
            time.sleep(max(0.0, trial.ended + AGAIN_SECONDS - time.monotonic()))
            later = self._wrong(trial, self.harbour.now(trial.prefix))
            trial.wrong += [f"5 s later: {line}" for line in later]
            self.harbour.clear(trial.prefix)
            if not trial.wrong:
                shutil.rmtree(trial.folder, ignore_errors=True)
        return [trial for trial in trials if trial.wrong]


@contextlib.contextmanager
def harbour(env: Mapping[str, str], folder: Path) -> Iterator[Harbour]:
    """Two registries that delete, with the fleet in them."""
    with contextlib.ExitStack() as stack:
        running = {
            key: stack.enter_context(registries.registry(env, folder / key, delete=True))
            for key in ("A", "B")
        }
        made = Harbour({k: r.host for k, r in running.items()}, {k: r.folder for k, r in running.items()})
        made.template()
        yield made


@contextlib.contextmanager
def full_disk(kilobytes: int) -> Iterator[Path]:
    """A file system with so much room (root only: a tmpfs)."""
    folder = Path(tempfile.mkdtemp(prefix="argosy-full-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()
