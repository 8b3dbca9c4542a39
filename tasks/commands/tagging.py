"""The git tag of a release that has happened."""

from __future__ import annotations

from .ledger import Ledger


def tag(here: Ledger) -> None:
    """Tags the commit. The release has happened: what fails here, or is interrupted, is said and undoes nothing."""
    from ..report import releasing

    try:
        _tag(here)
    except KeyboardInterrupt:
        again = f"inv release --tag {here.tag} --resume"
        releasing.step("git tag", f"interrupted. {here.tag} is released; what is left, the git tag: {again}")


def is_left(here: Ledger) -> bool:
    """Whether the commit has no tag yet, or origin lacks it. Raises SurroundingsError where origin does not answer."""
    from ..engine import gitrefs

    root, git, wanted = here.project.root, here.facts.git, here.project.release.git
    if git is None or wanted == "off":
        return False
    stands = gitrefs.tagged(root, here.tag)
    if stands != git.sha:
        return not stands
    pushed = wanted == "push" and gitrefs.origin(root)
    return bool(pushed) and not gitrefs.at_origin(root, f"refs/tags/{here.tag}")


def _tag(here: Ledger) -> None:
    from ..engine import gitrefs
    from ..report import releasing

    root, git = here.project.root, here.facts.git
    if git is None or here.project.release.git == "off":
        releasing.step("git tag", 'skipped: release.git is "off"' if git else "skipped: no git repository")
        return
    stands = gitrefs.tagged(root, here.tag)
    if stands and stands != git.sha:
        releasing.step(
            "git tag", f"{here.tag} stands at {stands[:12]} here, and {git.sha[:12]} was released: it is left"
        )
        return
    if not stands and not gitrefs.tag(root, here.tag, git.sha):
        releasing.step("git tag", f"git does not take it. By hand: git tag {here.tag} {git.sha}")
        return
    if here.project.release.git == "tag":
        releasing.step("git tag", f'{here.tag} at {git.sha[:12]}; not pushed: release.git is "tag"')
    elif not gitrefs.origin(root):
        releasing.step("git tag", f"{here.tag} at {git.sha[:12]}; not pushed: there is no remote")
    elif gitrefs.push_tag(root, here.tag):
        releasing.step("git tag", f"{here.tag} at {git.sha[:12]}, pushed to origin")
    else:
        releasing.step(
            "git tag", f"{here.tag} at {git.sha[:12]}; origin does not take it: git push origin {here.tag}"
        )
