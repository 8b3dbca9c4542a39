"""Faults tried on the command line itself: a promotion, a release with signatures, SBOMs and provenance, a way back.

Two images in one real registry. What a voyage without faults leaves is what every other one is judged by (port.py).
"""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.port import IMAGES, PROMOTION, REPOSITORIES, RETURN, Port, State, Voyage, differing
from tests.saboteur import Fault, Key, Sea, sabotaged, suits
from tests.scenario import ROOT, Fleet

KINDS = ("refused", "cut", "lost", "outage", "SIGKILL before", "SIGKILL after")
AGENT = "argosy"
"""What Argosy's own requests say they come from; cosign, syft and BuildKit are let through, uncounted."""
AGAIN_SECONDS = 5.0
LONGEST_SECONDS = 300


@dataclass
class Trial:
    """One fault and what came of it."""

    fault: Fault | None
    code: int | None = None
    then: str = ""
    wrong: list[str] = field(default_factory=list)
    struck: bool = False

    def told(self) -> str:
        lines = "".join(f"\n      {line}" for line in self.wrong)
        return f"{self.fault or 'no fault'}: exit {self.code} {self.then}{lines}"


class Range:
    """Where the faults of one voyage are tried: a proxy of its own before the registry."""

    def __init__(self, port: Port, voyage: Voyage, folder: Path) -> None:
        self.port, self.voyage, self.folder = port, voyage, folder
        self.sea = Sea(only=AGENT)
        self._stack = contextlib.ExitStack()
        self.host = self._stack.enter_context(sabotaged(self.sea, "A", port.host))
        self.after = port.names("fleet")
        self.before = port.names(voyage.before)
        if voyage is RETURN:
            self.before = self.after
            self.after = self.before | {(name, "latest"): self.before[name, "v0.1.0"] for name in IMAGES}

    def close(self) -> None:
        self._stack.close()

    def keys(self) -> list[Key]:
        """The requests of a voyage without any fault."""
        trial = self.attempt(None)
        assert trial.code == 0, trial.told()
        assert not trial.wrong, trial.told()
        return list(self.sea.seen)

    def attempt(self, fault: Fault | None) -> Trial:
        """Carries it out under a fault, then does what an operator does; judges each end, and again 5 s later."""
        prefix = f"x{uuid.uuid4().hex[:10]}"
        trial, home = Trial(fault), self.folder / prefix
        fleet = Fleet(home / "project", self.port.fleet.env | {"XDG_STATE_HOME": str(home / "state")})
        shutil.copytree(self.port.fleet.root.with_name("ready"), fleet.root)
        if self.voyage is PROMOTION:
            fleet.registry, fleet.owner = self.port.host, "fleet"
            self.port.project(fleet, f"{self.host}/{prefix}")
        self.port.copy(self.voyage.before, prefix)
        self.sea.calm(prefix)
        if self.voyage.way:
            first, said = self._run(fleet, prefix, "")
            assert first == 0, said
            self.sea.calm(prefix)
        self.sea.faults = [fault] if fault else []
        trial.code, said = self._run(fleet, prefix, self.voyage.way)
        trial.struck = bool(self.sea.struck)
        journals = self.port.journals(prefix, home / "state")
        final = self._judge(trial, trial.code, prefix, journals, said)
        if not final and any(named is not None for named in journals.values()):
            final = self._operator(trial, fleet, prefix, home / "state")
        if fault:
            time.sleep(AGAIN_SECONDS)
            later = self.port.names(prefix)
            if final is not None and (wrong := differing(later, final)):
                trial.wrong.append(f"5 s later: {wrong}")
            trial.wrong += [f"5 s later: {line}" for line in self.port.unsealed(prefix, later)]
        shutil.rmtree(self.port.folder / REPOSITORIES / prefix, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
        return trial

    def _run(self, fleet: Fleet, prefix: str, way: str) -> tuple[int, str]:
        words = f"{self.voyage.line(self.host, prefix)} {way}".split()
        process = subprocess.Popen(
            [sys.executable, "-m", "tasks.cli", *words],
            cwd=fleet.root,
            env=fleet.env | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.sea.pid = process.pid
        try:
            _, said = process.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
            said += f"\nwas not done after {LONGEST_SECONDS} s"
        return process.returncode, said

    def _judge(
        self, trial: Trial, code: int, prefix: str, journals: Mapping[str, set[str] | None], said: str
    ) -> State | None:
        """Judges one end; returns how everything is to stand from here on, None where that is not settled."""
        state = self.port.names(prefix)
        trial.wrong += self.port.unsealed(prefix, state)
        wanted = self.after if code == 0 else self.before
        wrong = differing(state, wanted)
        if code in {0, 2, 3, 4, 5, 6}:
            trial.wrong += [f"exit {code}: {name} {text}" for name, text in wrong.items()]
            if code == 0 and not self._recorded(prefix):
                trial.wrong.append("there is no record of it")
            return wanted
        if code not in {7, -9}:
            trial.wrong.append(f"ended with {code}: {said[-700:]}")
        if not self._recorded(prefix) or differing(state, self.after):
            for kept, named in journals.items():
                lacking = [name for name in wrong if name not in (named or ())]
                trial.wrong += [f"{name} {wrong[name]} and is not in the journal {kept}" for name in lacking]
        return None

    def _recorded(self, prefix: str) -> bool:
        record = self.port.record(prefix)
        return bool(record.get("rolled_back") if self.voyage is RETURN else record)

    def _operator(self, trial: Trial, fleet: Fleet, prefix: str, state: Path) -> State | None:
        """The trouble is over: half of them go back, unless recorded; a third has lost the disk's journal.

        A way back is completed, whichever of the two is typed.
        """
        self.sea.outage, self.sea.faults = False, []
        dice = random.Random(str(trial.fault))  # noqa: S311 - it mixes, it does not guard
        recorded = self._recorded(prefix)
        returns = self.voyage is RETURN
        back = dice.random() < 0.5 and (returns or not recorded)
        in_registry = self.port.journals(prefix, state)["in the registry"] is not None
        if in_registry and dice.random() < 1 / 3:
            for file in state.rglob("journal.json"):
                file.unlink()
        way = "--rollback" if back else "--resume"
        code, said = self._run(fleet, prefix, way)
        trial.then = f"`{way}` with exit {code}"
        over = not (recorded or returns) and bool(
            re.search(r"was ended from elsewhere|had moved nothing yet", said)
        )
        if code and not over:
            trial.wrong.append(f"{way} ended with {code}: {said[-700:]}")
        now = self.port.names(prefix)
        wanted = self.before if (back and not returns) or over else self.after
        trial.wrong += [f"after {way}: {name} {text}" for name, text in differing(now, wanted).items()]
        for kept, named in self.port.journals(prefix, state).items():
            if named is not None:
                trial.wrong.append(f"after {way} a journal is left {kept}")
        return wanted


def importance(key: Key) -> int:
    """Where it matters most: the writes of names, journal and record; then of signatures; then of all else."""
    _, method, path, _ = key
    if method != "PUT" or "/manifests/" not in path:
        return 2
    return int("DIGEST" in path or "sha256-" in path)


def chosen(keys: list[Key], most: int, seed: int = 1) -> list[Fault]:
    """Returns the faults to try: every kind in turn, those first where it matters."""
    dice = random.Random(seed)  # noqa: S311 - it mixes, it does not guard
    found: list[tuple[int, float, Fault]] = []
    for kind in KINDS:
        these = [Fault(key, kind) for key in keys if suits(kind, key)]
        dice.shuffle(these)
        these.sort(key=lambda fault: importance(fault.key))
        found += [(place, KINDS.index(kind), fault) for place, fault in enumerate(these)]
    return [fault for _, _, fault in sorted(found, key=lambda one: one[:2])][:most]


def tried(
    port: Port,
    voyage: Voyage,
    faults: Sequence[Fault],
    folder: Path,
    workers: int,
    until: float = float("inf"),
) -> Iterator[Trial]:
    """Tries all of them, several at once, each worker behind a proxy of its own; begins none after `until`."""
    waiting = list(reversed(faults))

    def work(number: int) -> list[Trial]:
        place = Range(port, voyage, folder / f"{voyage.before}{voyage.way}-{number}")
        found = []
        with contextlib.closing(place):
            while waiting and time.monotonic() < until:
                found.append(place.attempt(waiting.pop()))
                if found[-1].wrong:
                    print(found[-1].told(), file=sys.stderr, flush=True)
        return found

    with ThreadPoolExecutor(workers) as pool:
        for found in pool.map(work, range(workers)):
            yield from found


def section(voyage: Voyage, trials: Sequence[Trial], keys: int, seconds: float, seed: int) -> str:
    """Returns the section of docs/faults.md on one voyage."""
    rows = []
    for kind in KINDS:
        these = [trial for trial in trials if trial.fault and trial.fault.kind == kind]
        codes = Counter(trial.code for trial in these)
        columns = (len(these), codes[0], codes[6], codes[7], codes[-9])
        others = len(these) - sum(columns[1:])
        missed = sum(not trial.struck for trial in these)
        wrong = sum(bool(trial.wrong) for trial in these)
        rows.append(f"| {kind} | {' | '.join(map(str, (*columns, others, missed, wrong)))} |")
    ways = sorted(Counter(trial.then for trial in trials if trial.then).items())
    ended = ", ".join(f"{way}, {count} times" for way, count in ways) or "nothing"
    lines = [
        f"## {voyage.title}",
        "",
        f"`inv {voyage.line('…', '…')} {voyage.way}".rstrip() + "`,",
        f"a process of its own; {len(IMAGES)} images for one platform in a real registry (distribution 2.8), with an",
        f"earlier release; {voyage.about}.",
        "All is signed (cosign), and has SBOMs (syft) and",
        f"provenance. Without faults Argosy itself makes {keys} requests to where names move; a fault meets one of",
        "them. Requests of cosign, syft and BuildKit meet the outages, no other fault.",
        "Besides the promise it is judged, at every end and 5 s later, that no name stands at an index without a",
        "signature of its digest or a platform without an SBOM. The signature's text is compared, without cosign.",
        "",
        "| fault | tried | exit 0 | exit 6 | exit 7 | killed | other exits | not met | violations |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *rows,
        "",
        "After exit 7, or a kill that left a journal (in a third of these, where the registry had it, without that of",
        f"the disk): {ended}.",
        "Other exits (2 to 5) promise that no name has moved, and are judged so.",
        "A request that is not met was not made in that run, for requests at once come in any order.",
        "",
        f"Took {seconds:.0f} s, seed {seed}.",
        "",
        f"{len(trials)} faults, {sum(bool(trial.wrong) for trial in trials)} violations",
        "",
    ]
    return "\n".join(lines)
