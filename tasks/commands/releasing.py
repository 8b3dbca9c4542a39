"""Tasks for releases: all names of all images move, or none; what was released; is it still so; the way back."""

from __future__ import annotations

import sys
from dataclasses import MISSING, dataclass

from .choice import Choice, command, flag
from .ledger import ledger


@dataclass(frozen=True, kw_only=True)
class ReleaseChoice(Choice):
    """The flags of `release`."""

    tag: str = flag(MISSING, "the version to release: v0.2.0, or v0.2.0-rc.1 for a pre-release")
    plan: bool = flag(
        False, "stop before any name moves: show which name would go from which digest to which"
    )
    resume: bool = flag(False, "complete a release that did not end; nothing is built")
    rollback: bool = flag(
        False,
        "take back a release that did not end, or the floating names of one that did; nothing is built",
    )
    bump: bool = flag(False, "first write this version at every place that repeats it, and commit that")
    dirty: bool = flag(False, "release although files differ from the commit")
    overwrite: bool = flag(False, "replace full versions that stand at another digest")


@command("images", "group", "platforms", "registry", "owner", "json", "yes")
def release(choice: ReleaseChoice) -> None:
    """Release all images under a version: every name moves, in every registry, or none.

    What is not at its address is built and pushed there; no name moves before everything is there and has passed.
    A journal says what is under way, so whatever happens, --resume completes it and --rollback takes it back.
    """
    from . import returning, shipping

    if _one_way(choice):
        end = returning.roll_back if choice.rollback else returning.resume
        end(ledger(choice.tag, choice), yes=choice.yes)
    else:
        shipping.release(choice)


@dataclass(frozen=True, kw_only=True)
class Returning(Choice):
    """The flags of `rollback`."""

    tag: str = flag(MISSING, "the release whose floating names are to go back")


@command("registry", "owner", "yes")
def rollback(choice: Returning) -> None:
    """Move a release's floating names (latest, 0.2) back to what they stood at; its full version stays."""
    from . import returning

    returning.roll_back(ledger(choice.tag, choice), yes=choice.yes)


@dataclass(frozen=True, kw_only=True)
class Promoting(Choice):
    """The flags of `promote`."""

    tag: str = flag(MISSING, "the release to copy")
    to: str = flag("", "where to: the NAME of a [promote.NAME] in build.toml")
    resume: bool = flag(False, "complete a promotion that did not end")
    rollback: bool = flag(False, "take back a promotion that did not end")


@command("registry", "owner", "yes")
def promote(choice: Promoting) -> None:
    """Copy a release to other repositories or another registry, digests unchanged: every name there moves, or none.

    --registry and --owner say where the release is read, --to says where it goes.
    """
    from . import promoting

    here = ledger(choice.tag, choice)
    if _one_way(choice):
        promoting.end(here, choice.to, back=choice.rollback, yes=choice.yes)
    else:
        promoting.promote(here, choice.to, yes=choice.yes)


@dataclass(frozen=True, kw_only=True)
class Recalling(Choice):
    """The flags of `history`."""

    digest: str = flag(
        "", "only releases that contain this digest, or one that begins so: which commit made it?"
    )


@command("registry", "owner", "json")
def history(choice: Recalling) -> None:
    """List all releases, the newest first: which commit, which images."""
    from ..release import record
    from ..report import listing, releasing

    here = ledger("", choice)
    found = [
        one
        for one in record.history(here.clients, here.home)
        if not choice.digest or record.contains(one, choice.digest)
    ]
    if choice.json:
        listing.print_json(releasing.history_json(found))
    elif found:
        releasing.show_history(found)
    else:
        of = f" with {choice.digest}" if choice.digest else ""
        print(f"no release{of} is on record at {here.home}", file=sys.stderr)


@dataclass(frozen=True, kw_only=True)
class Verifying(Choice):
    """The flags of `verify`."""

    tag: str = flag(MISSING, "the release")
    references: bool = flag(False, "print image and name@digest, for deployments")
    key: str = flag(
        "", "the cosign key that signatures are tried with (instead of the public key beside release.sign)"
    )


@command("registry", "owner", "json")
def verify(choice: Verifying) -> None:
    """Ask the registries whether a release is still what it was: every name, every platform, signatures and SBOMs."""
    from ..engine import signing
    from ..errors import CheckError
    from ..release import record, verifying
    from ..report import listing, releasing

    here = ledger(choice.tag, choice)
    found = here.record()
    if choice.references:
        for image, reference in verifying.references(found):
            print(f"{image}  {reference}")
        return
    verifier = signing.verifier(here.project.release.sign, here.project.root, choice.key)
    findings = verifying.verify(found, here.clients_for(record.hosts(found)), here.home, verifier)
    if choice.json:
        listing.print_json(releasing.findings_json(found, findings))
    else:
        releasing.show_findings(found, findings)
    if wrong := [f"{one.entry.reference}: {one.said}" for one in findings if one.wrong]:
        raise CheckError(f"{choice.tag} is not what was released:\n  " + "\n  ".join(wrong))


def _one_way(choice: ReleaseChoice | Promoting) -> bool:
    """Whether something that did not end is to be ended. Raises ConfigError where it is to go both ways."""
    from ..errors import ConfigError

    if choice.resume and choice.rollback:
        raise ConfigError(
            "--resume completes what did not end and --rollback takes it back: give one of them"
        )
    return choice.resume or choice.rollback
