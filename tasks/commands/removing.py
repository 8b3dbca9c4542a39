"""Taking away, in front of a person: what would go is listed, asked about, removed, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .asking import confirm

if TYPE_CHECKING:
    from ..planning.plan import Plan


def references(plan: Plan, *, yes: bool) -> None:
    """Removes every reference the engine has in the repositories of the plan's images."""
    from ..engine import images, pulling

    found = pulling.local_references(plan)
    if not found:
        print("nothing to remove: the engine has no image of this project")
        return
    print("\n".join(found))
    confirm(f"Remove these {len(found)} references?", yes=yes)
    images.remove(plan.client, found)
    print(f"removed {len(found)} references")


def addresses(plan: Plan, fleet: Plan, *, yes: bool) -> None:
    """Removes addresses that no name stands on, in the engine and where a registry allows it.

    `fleet` has every image: a release of any of them may be under way.
    """
    from ..engine import images, sweeping

    here = sweeping.in_engine(plan)
    there, problems = sweeping.in_registries(plan, fleet)
    for line in (*here, *(f"{orphan.reference} (in the registry)" for orphan in there), *problems):
        print(line)
    if not here and not there:
        print("nothing to remove: a name stands on every address")
        return
    confirm(f"Remove these {len(here) + len(there)} addresses?", yes=yes)
    if here:
        images.remove(plan.client, here)
    removed, refused = sweeping.remove(plan, there)
    for line in refused:
        print(line)
    print(f"removed {len(here)} addresses from the engine, {removed} manifests from registries")
