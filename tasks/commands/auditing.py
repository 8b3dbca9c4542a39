"""Tasks that look for faults: lint, scan."""

from __future__ import annotations

from dataclasses import dataclass

from .choice import Choice, command, flag


@dataclass(frozen=True, kw_only=True)
class LintChoice(Choice):
    """The flags of `lint`."""

    files: bool = flag(False, "look at files alone: nothing need be built, no engine or registry is asked")
    strict: bool = flag(False, "warnings make it fail, and so does an image that was not built")


@command("images", "group", "platforms", "registry", "owner", "tags", "since", "json")
def lint(choice: LintChoice) -> None:
    """Look for faults: in the files alone, and in the images that were built.

    On files: Dockerfiles (hadolint and BuildKit's own checks too, where they are), build contexts, arguments, what
    must agree with build.toml. In images, by platform and digest: programs for another processor, secrets, what looks
    like a credential. Nothing is built or pulled; what cannot be looked at is skipped, with the reason.
    """
    from ..report import checks as report
    from . import linting, outdated
    from .asking import ask

    asked = ask(choice, engine=not choice.files, required=False, builds=False)
    outdated.warn(asked)
    found = linting.linted(asked, choice)
    report.tell(found, "lint", json=choice.json)
    found.require()


@dataclass(frozen=True, kw_only=True)
class ScanChoice(Choice):
    """The flags of `scan`."""

    strict: bool = flag(False, "an image that was not built makes it fail")


@command("images", "group", "platforms", "registry", "owner", "tags", "since", "json")
def scan(choice: ScanChoice) -> None:
    """Scan what was built for vulnerabilities, each image on each platform, by its digest.

    The scanner is that of `[scan]` in build.toml, else trivy or grype, whichever is on PATH. Its SARIF (and JSON) is
    kept below artifacts/scan. A finding that is severe enough makes it fail, unless `[scan]` says to report only.
    """
    from ..report import checks as report
    from . import outdated, scanning
    from .asking import ask

    asked = ask(choice, required=False, builds=False)
    outdated.warn(asked)
    found = scanning.scanned(asked, strict=choice.strict)
    report.tell(found, "scan", json=choice.json)
    found.require()
