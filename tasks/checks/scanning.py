"""A scanner run over one image on one platform: its reports kept, its findings judged.

The scanner is a command as build.toml has it. What it came to is judged by the SARIF it wrote: one that wrote none
has not passed anything, whatever its status. Knows no scanner but by the arguments of two that are common.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import templates
from ..engine import processes
from ..errors import SurroundingsError
from ..evidence.evidence import Evidence
from ..model import Scanning
from . import sarif
from .check import Check, Outcome

NAME = "scan"
_LINES = 20
_TRIVY = "trivy image --quiet --platform {platform} --format json --output {json} {reference}"
_TRIVY_CONVERT = "trivy convert --quiet --format sarif --output {sarif} {json}"
_GRYPE = "grype {reference} --quiet --platform {platform} -o sarif={sarif} -o json={json}"
KNOWN: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "trivy": (tuple(_TRIVY.split()), tuple(_TRIVY_CONVERT.split())),
    "grype": (tuple(_GRYPE.split()),),
}
"""What is run for a scanner that is known, where build.toml names none."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """How to scan: the commands, templates and all, that are run one after another for each image and platform."""

    commands: tuple[tuple[str, ...], ...]
    settings: Scanning
    constants: Mapping[str, str]
    root: Path

    @property
    def folder(self) -> Path:
        """Where reports are kept."""
        return self.root / self.settings.folder


def scanner(settings: Scanning, constants: Mapping[str, str], root: Path) -> Scanner:
    """Returns the configured scanner, or a known one on PATH. Raises SurroundingsError where it is not there."""
    commands: tuple[tuple[str, ...], ...] = (settings.command,) if settings.command else ()
    if not commands:
        commands = next((words for name, words in KNOWN.items() if shutil.which(name)), ())
        if not commands:
            raise SurroundingsError(
                f"no scanner is on PATH: neither {' nor '.join(KNOWN)}. Install one (https://trivy.dev, "
                "https://github.com/anchore/grype), or name yours in scan.command."
            )
    program = commands[0][0]
    if not _found(program, root):
        raise SurroundingsError(
            f'the scanner "{program}" (scan.command) is not on PATH. Install it, or name another in scan.command.'
        )
    return Scanner(commands, settings, constants, root)


def scan(one: Scanner, image: str, evidence: Evidence) -> Check:
    """Scans an image on a platform and keeps the reports below the folder: IMAGE/PLATFORM.sarif, and .json if any.

    Raises SurroundingsError where reports cannot be kept.
    """
    began = time.monotonic()
    place = one.folder / image / evidence.platform.replace("/", "-")
    kept = {kind: place.with_name(f"{place.name}.{kind}") for kind in ("sarif", "json")}
    try:
        _made(one.folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        for file in kept.values():
            file.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".scan-") as folder:
            written = {kind: Path(folder, f"report.{kind}") for kind in kept}
            done = _run(one, image, evidence, written)
            for kind, file in written.items():
                if file.is_file():
                    file.replace(kept[kind])
    except OSError as error:
        raise SurroundingsError(f"reports cannot be kept in {one.folder}: {error.strerror}") from None
    text = kept["sarif"].read_text(encoding="utf-8", errors="replace") if kept["sarif"].is_file() else ""
    check = Check(image, NAME, Outcome.PASSED, "", evidence.platform, evidence.digest, evidence.reference)
    where = (
        kept["sarif"].relative_to(one.root).as_posix()
        if kept["sarif"].is_relative_to(one.root)
        else str(kept["sarif"])
    )
    return replace(_judged(one, check, done, sarif.read(text), where), seconds=time.monotonic() - began)


def _made(folder: Path) -> None:
    """Makes the folder for reports where there is none. They are nobody's source: git leaves such a folder alone,
    and a release does not call it a change. In a folder that was there, what git does is not ours to say.
    """
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _run(one: Scanner, image: str, evidence: Evidence, written: Mapping[str, Path]) -> processes.Done:
    values = {**one.constants, "image": image, "reference": evidence.reference, "platform": evidence.platform}
    values |= {"digest": evidence.digest, **{kind: str(file) for kind, file in written.items()}}
    done: list[processes.Done] = []
    for command in one.commands:
        words = [templates.expand(word, values.__getitem__) for word in command]
        words[0] = _found(words[0], one.root) or words[0]
        try:
            done.append(processes.run(words, folder=one.root))
        except OSError as error:
            said = f"the scanner {words[0]} cannot be started: {error.strerror}"
            raise SurroundingsError(f"{said}. A script begins with #!, without Windows' line ends.") from None
    # Some end with a status of their own for findings, so the next is run all the same; what failed first tells.
    return next((each for each in done if not each), done[-1])


def _found(program: str, root: Path) -> str | None:
    """Returns where a program is; a path is relative to build.toml."""
    return shutil.which(str(root / program) if "/" in program else program)


def _judged(
    one: Scanner, check: Check, done: processes.Done, hits: tuple[sarif.Hit, ...] | None, where: str
) -> Check:
    said = tuple(line for line in (done.err or done.out).splitlines() if line.strip())[-_LINES:]
    if hits is None:
        detail = f"the scanner ended with status {done.status} and wrote no SARIF that can be read: nothing was scanned"
        return replace(check, outcome=Outcome.FAILED, detail=detail, log=said)
    counted = sarif.counted(hits, one.settings.severity)
    detail = f"{sarif.summed(hits)}; {where}"
    if not done and not counted:
        detail = f"the scanner ended with status {done.status}; {detail}"
        return replace(check, outcome=Outcome.FAILED, detail=detail, log=said)
    if not counted:
        return replace(check, detail=detail)
    lines = [f"{hit.severity}  {hit.rule}  {hit.message}"[:200] for hit in counted[:_LINES]]
    lines += [f"and {len(counted) - _LINES} more"] if len(counted) > _LINES else []
    outcome = Outcome.FAILED if one.settings.fail else Outcome.WARNED
    return replace(check, outcome=outcome, detail=detail, log=tuple(lines))
