"""Where a fleet's releases are kept: one of its repositories, and the journal's folder. No engine is needed to look.

It reads what was released; what is being released is shipping.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from .choice import Choice

if TYPE_CHECKING:
    from ..model import Project
    from ..planning.facts import Facts
    from ..registries.registry import Remote
    from ..release.content import Place
    from ..release.journal import Journal
    from ..release.lock import Lock
    from ..release.record import Record
    from ..release.transaction import Voyage

ANY = "v0.0.0"
"""The release whose names are asked for where only repositories matter."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where a fleet's releases are kept, and what is needed to look at them; no engine is.

    `repositories` are those that images are published to, that of build.toml's first image first.
    """

    tag: str
    project: Project
    facts: Facts
    home: Place
    clients: Mapping[str, Remote]
    folder: Path
    repositories: tuple[str, ...]

    def record(self) -> Record:
        """Returns the tag's record. Raises ConfigError, listing what there is, for a release that never was."""
        from ..errors import available
        from ..release import record

        found = record.read(self.clients, self.home, self.tag)
        if found is None:
            known = [one.tag for one in record.history(self.clients, self.home)]
            raise ConfigError(
                f"{self.tag} was never released from {self.home}. {available('releases', known)}"
            )
        return found

    def clients_for(self, hosts: Iterable[str]) -> dict[str, Remote]:
        """Returns clients for these hosts too: a record may name more than build.toml does now."""
        from ..registries.registry import Remote

        return dict(self.clients) | {host: Remote(host) for host in hosts if host not in self.clients}

    def voyage(self, lock: Lock, clients: Mapping[str, Remote] | None = None) -> Voyage:
        """Returns where the transaction takes place, under the lock that is held."""
        from ..release.transaction import Voyage
        from ..report import releasing

        return Voyage(clients or self.clients, self.folder, releasing.step, lost=lock.lost)

    def locked(
        self, over: Journal | None = None, *, yes: bool = False, to: str = ""
    ) -> AbstractContextManager[Lock]:
        """Holds the lock for this release, or for its promotion `to` a destination.

        The one that the release of the journal `over` left is taken over if that is dead; with `yes` a person says so.
        """
        from ..release.journal import told
        from ..release.lock import Taking, locked
        from ..report import releasing

        alone = (yes and over is not None) or self.project.release.git != "push"
        taking = Taking(over, yes=yes) if over else None
        return locked(self.project.root, self.folder, told(self.tag, to), releasing.step, taking, alone=alone)


def ledger(tag: str, choice: Choice) -> Ledger:
    """Finds where the fleet's releases are kept, whichever images are meant."""
    from ..contents import state
    from ..engine import publishing
    from ..planning import planner
    from ..planning.request import Request
    from ..release import order
    from .asking import look

    project, facts = look(choice)
    plan = planner.make(project, facts, Request(images=("*",), output="none", release=ANY))
    folder = state.folder(project.root) / "release"
    home = order.home(plan, project.images, project.release.permanent)
    repositories = dict.fromkeys(one.name for one in order.published(plan, project.images))
    return Ledger(tag, project, facts, home, publishing.remotes(plan), folder, tuple(repositories))
