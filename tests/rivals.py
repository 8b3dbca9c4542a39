"""Two releases of one fleet at the same time, from two machines: two clones of one repository, a folder each."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults import LONGEST_SECONDS, Errand, Range, Trial, sail
from tests.harbourmaster import NEW, ROLLING, Direct

OTHER = "v1.3.0"


def clones(folder: Path) -> tuple[Path, Path]:
    """Makes a repository with one commit and two clones of it; its remote takes pushes, so it can be locked."""

    def git(*words: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], check=True, capture_output=True)

    origin, first, second = folder / "origin.git", folder / "first", folder / "second"
    git("init", "-q", "--bare", str(origin))
    git("clone", "-q", str(origin), str(first))
    git("-C", str(first), "commit", "-q", "--allow-empty", "-m", "one")
    git("-C", str(first), "push", "-q", "origin", "HEAD")
    git("clone", "-q", str(origin), str(second))
    return first, second


def race(place: Range, *, locked: bool) -> Trial:
    """Lets two releases begin at once and judges what is left: each promise by itself, and no third thing."""
    trial = Trial(None, uuid.uuid4().hex[:10], place.folder)
    trial.folder = place.folder / trial.prefix
    trial.folder.mkdir()
    place.harbour.berth(trial.prefix)
    place.sea.calm(trial.prefix)
    machines = clones(trial.folder) if locked else ("", "")
    started = []
    for tag, clone in zip((NEW, OTHER), machines, strict=True):
        state = trial.folder / tag
        state.mkdir()
        children = place.harbour.children
        errand = Errand(
            place.hosts, trial.prefix, str(state), children, log=str(state / "log"), tag=tag, clone=str(clone)
        )
        process = place.context.Process(target=sail, args=(errand,))
        process.start()
        started.append((tag, state, process))
    codes = {}
    for tag, state, process in started:
        process.join(LONGEST_SECONDS)
        codes[tag] = process.exitcode
        if process.exitcode not in {0, 6, 7}:
            trial.wrong.append(f"{tag} ended with {process.exitcode}: {(state / 'log').read_text()[-500:]}")
    trial.code, trial.then = codes[NEW], f"the other: {codes[OTHER]}"
    trial.wrong += list(_wrong(place, trial.prefix, codes, locked=locked))
    place.harbour.clear(trial.prefix)
    return trial


def _wrong(place: Range, prefix: str, codes: dict[str, int | None], *, locked: bool) -> Iterator[str]:
    """With the lock one of them wins whole, and the other has changed nothing; without it, no promise is broken
    by what a release did itself: see "Not promised" in docs/release.md.
    """
    if locked and sorted(codes.values(), key=str) not in ([0, 6], [0, 0]):
        yield f"with the lock they ended with {codes}"
    for key, direct in place.harbour.direct().items():
        for name in place.harbour.children:
            where = f"{prefix}/{name}"
            for tag, code in codes.items():
                stands = _release(direct, where, tag)
                if code == 0 and stands != tag:
                    yield f"{tag} ended with 0, and {key} {name}:{tag} is {stands or 'nothing'}"
                if code == 6 and stands:
                    yield f"{tag} ended with 6, and {key} {name}:{tag} stands"
            for tag in ROLLING:
                stands = _release(direct, where, tag)
                won = {tag for tag, code in codes.items() if code != 6}
                if stands not in {*won, "old"} or (stands == "old" and 0 in codes.values() and locked):
                    yield f"{key} {name}:{tag} stands at {stands or 'nothing'} ({codes})"


def _release(direct: Direct, where: str, tag: str) -> str:
    """Which release a name stands at: its tag, "old" for what was there before, "" for nothing."""
    status, raw = direct.read(f"/v2/{where}/manifests/{tag}")
    if status == 404:
        return ""
    body: dict[str, Any] = json.loads(raw) if status == 200 else {"manifests": [0]}
    if not body.get("manifests"):
        return ""
    return str(
        (body.get("annotations") or {}).get("dev.argosy.release") or ("old" if status == 200 else status)
    )
