"""Signatures by cosign, with a key: what is signed is a digest, and a signature counts only once cosign verifies it.

https://docs.sigstore.dev/cosign/signing/signing_with_containers/. The key's password comes from COSIGN_PASSWORD in the
environment, which cosign reads itself: it never passes through here. Nothing is sent to a transparency log.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, SurroundingsError
from ..homes import expanded
from ..model import Reference
from ..registries import trust
from .processes import Done, run

SECONDS = 120.0
_INSTALL = "Install it: https://docs.sigstore.dev/cosign/system_config/installation/."


@dataclass(frozen=True, slots=True)
class Verifier:
    """cosign and a public key (a file or a KMS address)."""

    program: str
    public: str

    def refusal(self, reference: str) -> str:
        """Returns why cosign does not take what stands at `repository@digest` for signed, "" if it does."""
        done = _ask(self.program, "verify", reference, "--insecure-ignore-tlog=true", "--key", self.public)
        return "" if done else _said(done)


@dataclass(frozen=True, slots=True)
class Signer:
    """cosign with a private key (a file or a KMS address), and who verifies what it signs."""

    program: str
    key: str
    verifier: Verifier

    def sign(self, reference: str) -> None:
        """Signs what stands at `repository@digest`, and all manifests in it. Raises SurroundingsError if not."""
        how = ("--yes", "--tlog-upload=false", "--recursive", "--key", self.key)
        done = _ask(self.program, "sign", reference, *how)
        if not done:
            raise SurroundingsError(f"{reference} could not be signed: {_said(done)}")


def verifier(key: str, root: Path, public: str = "") -> Verifier | None:
    """Returns who verifies what `release.sign` signed: with `public`, the key beside the private one, or the KMS.

    None where there is no cosign, or no such key: a machine that verifies need not be one that signs. Raises
    ConfigError, SurroundingsError where `public` was asked for and cannot be used.
    """
    program = shutil.which("cosign")
    if public and not program:
        raise SurroundingsError(f"--key asks for cosign, and there is none on PATH. {_INSTALL}")
    if public and "://" not in public and not Path(public).is_file():
        raise ConfigError(f'--key "{public}": there is no such file')
    if not (public or key):
        return None
    found = public or (key if "://" in key else str((root / expanded(key)).with_suffix(".pub")))
    there = "://" in found or Path(found).is_file()
    return Verifier(program, found) if program and there else None


@contextmanager
def signer(key: str, root: Path) -> Iterator[Signer]:
    """Yields who signs with `release.sign`: a file below `root`, or a KMS address (`awskms://…`).

    Reading the public key proves that cosign can use the private one. Raises ConfigError or SurroundingsError.
    """
    program = shutil.which("cosign")
    if program is None:
        raise SurroundingsError(
            f'release.sign is set and there is no `cosign` on PATH. {_INSTALL} Or set release.sign = "".'
        )
    private = key if "://" in key else str(root / expanded(key))
    if "://" not in key and not Path(private).is_file():
        raise ConfigError(
            f'release.sign = "{key}": there is no such file. `cosign generate-key-pair` makes one '
            "(keep it out of git); a KMS address (awskms://…, gcpkms://…, azurekms://…, hashivault://…) serves as well."
        )
    done = run([program, "public-key", "--key", private], SECONDS)
    if not done:
        hint = "" if os.environ.get("COSIGN_PASSWORD") else " Its password is taken from COSIGN_PASSWORD."
        raise SurroundingsError(f'release.sign = "{key}" cannot be used: {_said(done)}.{hint}')
    with tempfile.TemporaryDirectory(prefix="argosy-key-") as folder:
        public = Path(folder) / "cosign.pub"
        public.write_text(done.out, encoding="utf-8")
        yield Signer(program, private, Verifier(program, str(public)))


def _ask(program: str, word: str, reference: str, *arguments: str) -> Done:
    authority = trust.authority(Reference.parse(reference).registry, os.environ)
    trusted = ("--registry-cacert", str(authority)) if authority else ()
    return run([program, word, *trusted, *arguments, reference], SECONDS)


def _said(done: Done) -> str:
    if done.late:
        return f"cosign did not end within {SECONDS:.0f} s"
    lines = [line for line in done.err.splitlines() if line.strip() and not line.startswith("WARNING")]
    said = lines[-1] if lines else "it said nothing"
    return "cosign: " + said.removeprefix("error during command execution: ").removeprefix("Error: ")
