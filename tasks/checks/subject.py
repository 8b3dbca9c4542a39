"""What is checked: one image on one platform, by its digest, with what it has promised and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..evidence.evidence import Evidence
from ..model import Contract
from ..planning.layering import Line
from .check import Check, Outcome


@dataclass(frozen=True)
class Subject:
    """One image on one platform.

    `lines` are what its layers come from. `run` is what a container is made of, together with `--platform`: a name
    could be moved while it is tested. `fleet` is the same of every image of the fleet, by its
    names without a tag.
    """

    image: str
    platform: str
    contract: Contract
    lines: tuple[Line, ...]
    evidence: Evidence
    run: str
    fleet: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of the platform's own manifest."""
        return self.evidence.digest

    def check(self, name: str, problem: str, found: str = "", **more: object) -> Check:
        """Returns what came of a look: `problem` is what is wrong ("" if nothing is), `found` what is right."""
        outcome = Outcome.FAILED if problem else Outcome.PASSED
        made = Check(
            self.image, name, outcome, problem or found, self.platform, self.digest, self.evidence.reference
        )
        return waived(replace(made, **more), self.contract.waive)  # type: ignore[arg-type]

    def skipped(self, name: str, reason: str) -> Check:
        """Returns what was not looked at, with the reason."""
        return replace(self.check(name, ""), outcome=Outcome.SKIPPED, detail=reason)


def waived(check: Check, waive: Mapping[str, str]) -> Check:
    """Returns a failed check as waived where there is a reason for it: its own name's, or its first word's."""
    reason = (
        waive.get(check.name)
        or waive.get(check.name.partition(".")[0])
        or waive.get(check.name.partition(": ")[0])
    )
    if check or not reason:
        return check
    return replace(check, outcome=Outcome.WAIVED, detail=f"{check.detail}; waived: {reason}", log=())
