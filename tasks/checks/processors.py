"""Programs that were built for another processor than their image's platform.

Such an image builds, and says that it is for its platform; only the programs' own headers tell.
"""

from __future__ import annotations

from ..errors import several
from ..evidence import elf
from ..evidence.evidence import Evidence
from ..evidence.tree import File
from .finding import Finding

RULE = "processor"
_ALL_MAY = 0o111
_SHOWN = 5


def check(evidence: Evidence) -> list[Finding]:
    """Returns a finding for each layer that brings programs which the platform's processor cannot run."""
    foreign: dict[tuple[int, str], list[File]] = {}
    for file in evidence.tree:
        architecture = elf.machine(file.head) if file.kind == "file" and file.mode & _ALL_MAY else None
        if architecture and not elf.runs_on(evidence.platform, architecture):
            foreign.setdefault((file.layer, architecture), []).append(file)
    return [_finding(evidence, *key, files) for key, files in foreign.items()]


def _finding(evidence: Evidence, layer: int, architecture: str, files: list[File]) -> Finding:
    shown = several(sorted(file.path for file in files), _SHOWN)
    what, verb = ("programs", "were") if len(files) > 1 else ("a program", "was")
    made = evidence.layers[layer].created_by.removesuffix(" # buildkit")
    return Finding(
        RULE,
        f"{what} in an image for {evidence.platform} {verb} built for {architecture}: {shown}. "
        "Compile for ${TARGETARCH} (an ARG that BuildKit sets), and copy from a stage of the target's platform. "
        f"The layer: {made}",
        where=min(file.path for file in files),
        error=True,
    )
