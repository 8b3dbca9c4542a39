"""Tasks that judge what was built: test."""

from __future__ import annotations

from dataclasses import dataclass

from .choice import Choice, command, flag


@dataclass(frozen=True, kw_only=True)
class Testing(Choice):
    """The flags of `test`."""

    strict: bool = flag(False, "an image that is not there is a failure, also where it was not named")


@command("images", "group", "platforms", "registry", "owner", "tags", "since", "json")
def test(choice: Testing) -> None:
    """Test that images are and do what build.toml promises of them (expect, tests, size).

    What is tested is what was built and loaded, on every platform, emulated where need be. Nothing is built or
    pulled: an image that is not there is skipped and says so; one that --images names has failed.
    """
    from ..report import checks as report
    from . import outdated, testing
    from .asking import ask

    asked = ask(choice, builds=False)
    outdated.warn(asked)
    found = testing.tested(asked, choice)
    report.tell(found, "test", json=choice.json)
    found.require()
