"""`--bump`: the version of a release written wherever it is said, and committed, before anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError, SurroundingsError

if TYPE_CHECKING:
    from .ledger import Ledger
    from .releasing import ReleaseChoice


def bump(here: Ledger, choice: ReleaseChoice) -> None:
    """Sets the version of the release and commits what that changes; no other change may be under way.

    Raises RefusedError for a tree that is not clean, ConfigError where nothing says a version, SurroundingsError
    where git does not commit: then the files stand as before, or it is said that they do not.
    """
    from ..contents.setting import VERSION
    from ..engine import gitrefs
    from ..release import preflight
    from ..report import releasing
    from .asking import set_everywhere

    root, git = here.project.root, here.facts.git
    if choice.plan:
        raise ConfigError("--plan changes nothing, and --bump commits: leave one of them out")
    if git is None:
        raise ConfigError("--bump commits the version, and this is no git repository")
    preflight.version(here.tag, "", "")
    preflight.tree(root, git, here.tag, here.project.release.branches, dirty=False)
    changes = set_everywhere({VERSION: here.tag.removeprefix("v")})
    files = tuple(dict.fromkeys(change.file for change in changes if change.old != change.new))
    if not files:
        releasing.step("bump", f"{here.tag.removeprefix('v')} is what all places say already")
        return
    if problem := gitrefs.commit(root, files, f"Release {here.tag}"):
        back = f"git checkout HEAD -- {' '.join(files)}"
        stand = (
            "the files stand as before"
            if gitrefs.restore(root, files)
            else f"nor does it put the files back, which hold the new one. When git is well: {back}"
        )
        raise SurroundingsError(f"git does not commit the version ({problem}); {stand}.")
    releasing.step("bump", f"{here.tag.removeprefix('v')} is written and committed in {', '.join(files)}")
