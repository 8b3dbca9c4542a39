"""Which images of a plan have other inputs than at a commit, and why: for building only what a branch changed.

The commit's files are laid out in a temporary folder by git itself and planned there in the same way, so
build.toml counts by the images it resolves to and not by its text. The repository is only read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from ..config import lock as locks
from ..config.lock import Lock
from ..contents import addressing
from ..contents.statcache import StatCache
from ..errors import ArgosyError, ConfigError
from ..model import Project
from ..planning import planner
from ..planning.address import Address
from ..planning.deciding import shortened
from ..planning.differing import differences
from ..planning.facts import Facts
from ..planning.plan import Plan
from ..planning.request import Request
from . import facts, git

Load = Callable[[Path], Project]


def changed(plan: Plan, now: Facts, lock: Lock, ref: str, load: Load) -> dict[str, str]:
    """Returns the plan's images whose inputs differ from those at the merge base with `ref`, with the reason.

    `load` reads the project in another folder with the same environment and command line. Raises ConfigError
    where `ref` names no commit or there is no repository.
    """
    base = git.merge_base(plan.root, ref)
    current = addressing.survey(plan, now, addressing.recipes(plan, now), lock).addresses
    with tempfile.TemporaryDirectory(prefix="argosy-since-") as folder:
        root = git.lay_out(plan.root, base, Path(folder))
        before = _before(plan, now, root, Path(folder), lock, load)
    found: dict[str, str] = {}
    for image in plan.images:
        reasons: list[str] = []
        for platform in image.platforms:
            old = before.get(image.name, {}).get(platform)
            new = current[image.name][platform]
            if old is None:
                reasons.append("new")
            elif old.digest != new.digest:
                same = {other.name for other in plan.images} - set(found)
                reasons += differences(_compared(old, same), _compared(new, same))
        if reasons:
            found[image.name] = shortened(reasons)
    return found


def _compared(address: Address, same: Collection[str]) -> Address:
    """Returns what two commits can be compared by: modes as git has them, none of git's own files.

    A context that is not spared them by its ignore file changes with every commit; so does what stands on it. `same`
    are the images of which nothing else changed.
    """
    files = {
        path: _committed(told)
        for path, told in address.files.items()
        if path != ".git" and not path.startswith(".git/")
    }
    inputs = {
        name: value
        for name, value in address.inputs.items()
        if not (name.startswith("sibling ") and name.split(" ")[1] in same)
    }
    return replace(address, inputs=inputs, files=files)


def _committed(told: str) -> str:
    """Returns what a commit can say of a file: of its mode whether it can be run, the rest is each checkout's umask."""
    mode, _, rest = told.partition(" ")
    if not rest.startswith("file "):
        return rest
    return f"{'0755' if int(mode, 8) & 0o100 else '0644'} {rest}"


def _before(
    plan: Plan, now: Facts, root: Path, scratch: Path, lock: Lock, load: Load
) -> Mapping[str, Mapping[str, Address]]:
    """Returns the addresses of that commit's images; none where it had no fleet that could be planned."""
    try:
        project = load(root)
        then = replace(facts.gather(project, os.environ), engine=None, git=now.git, host=now.native)
        names = tuple(image.name for image in plan.images if image.name in project.images)
        if not names:
            return {}
        old = planner.make(project, then, Request(images=names, output="none"))
        # A base that was not locked then is taken to stand where it stands now.
        known = Lock({**lock.bases, **locks.read(root).bases})
        recipes = addressing.recipes(old, then)
        return addressing.survey(old, then, recipes, known, StatCache(scratch / "contents")).addresses
    except ConfigError:
        return {}
    except ArgosyError as error:
        raise ConfigError(f"the fleet at that commit cannot be planned: {error}") from None
