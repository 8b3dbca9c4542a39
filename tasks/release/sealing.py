"""What is fixed to digests before any name points to them: SBOMs to the platforms, signatures to what is named.

Everything here can be repeated: what is there already, and holds, is not made again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..engine import sboms
from ..engine.signing import Signer
from ..engine.together import together
from ..errors import SurroundingsError
from ..registries.referrers import attach
from ..registries.registry import Remote
from .content import Place
from .gates import Gate, Platform
from .order import Named, Order
from .seals import PROVENANCE, SBOM, SIGNATURE, has_sbom, is_signed

_KEYS = {SBOM: "release.sbom", SIGNATURE: "release.sign", PROVENANCE: "release.provenance"}


@dataclass(slots=True)
class Seals:
    """What a release is sealed with: who signs, which syft makes SBOMs; none of them where it is not wanted.

    `documents` are the SBOMs that the gate has made, by the platform's digest; they are attached after all gates.
    """

    signer: Signer | None = None
    syft: str = ""
    provenance: bool = False
    documents: dict[str, bytes] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What every image of the release will have."""
        wanted = {SIGNATURE: self.signer, SBOM: self.syft, PROVENANCE: self.provenance}
        return tuple(name for name, there in wanted.items() if there)

    def gate(self, clients: Mapping[str, Remote]) -> Gate:
        """Returns the gate that every platform must have an SBOM; one that is attached already is not made again."""

        def one(platform: Platform) -> tuple[str, ...]:
            try:
                if not has_sbom(clients[platform.place.host], platform.place, platform.digest):
                    self.documents[platform.digest] = sboms.sbom(
                        self.syft, platform.reference, platform.platform
                    )
            except SurroundingsError as error:
                return (str(error),)
            return ()

        return Gate("sbom", lambda gated: dict(zip(gated, together(one, gated), strict=True)))

    def fix(self, order: Order, clients: Mapping[str, Remote]) -> tuple[str, ...]:
        """Attaches SBOMs, then signs what is to be named; returns what was done, in words.

        Raises SurroundingsError for what does not hold afterwards; no name has moved by then.
        """
        said: list[str] = []
        if self.syft:
            together(lambda place: self._attached(place, clients), _subjects(order).items())
            said.append("every platform has its SBOM")
        if self.signer:
            together(lambda named: self._signed(named, clients), dict.fromkeys(order.named))
            said.append(f"{len(order.named)} indexes are signed, and cosign verifies them")
        if self.provenance:
            said.append("every platform has its provenance in the index")
        off = [f"no {name} ({_KEYS[name]})" for name in _KEYS if name not in self.names]
        return (*said, f"skipped: {', '.join(off)}") if off else tuple(said)

    def _attached(self, item: tuple[tuple[Place, str], str], clients: Mapping[str, Remote]) -> None:
        """One subject: nobody else writes its list."""
        (place, digest), platform = item
        remote = clients[place.host]
        if has_sbom(remote, place, digest):
            return
        subject = remote.manifest(place.repository, digest)
        if subject is None:
            raise SurroundingsError(f"{place}@{digest} is not there any more, so it gets no SBOM")
        # The gate made none where the first registry has it, from an earlier release to that one alone.
        document = self.documents.get(digest) or sboms.sbom(self.syft, f"{place}@{digest}", platform)
        attach(remote, place.repository, subject, sboms.KIND, document)

    def _signed(self, named: Named, clients: Mapping[str, Remote]) -> None:
        assert self.signer  # noqa: S101 - told by `fix`
        reference = f"{named.place}@{named.index.digest}"
        # A registry whose tags stand for ever may take no second signature, so one that holds is left alone.
        digests = (named.index.digest, *(child.digest for child in named.children if child.platform))
        there = is_signed(clients[named.place.host], named.place, digests)
        if there and not self.signer.verifier.refusal(reference):
            return
        self.signer.sign(reference)
        if refusal := self.signer.verifier.refusal(reference):
            raise SurroundingsError(f"{reference} was signed, and its signature does not hold: {refusal}")


def _subjects(order: Order) -> dict[tuple[Place, str], str]:
    """Returns every platform's manifest in every repository, with its platform."""
    return {
        (named.place, child.digest): child.platform
        for named in order.named
        for child in named.children
        if child.platform
    }
