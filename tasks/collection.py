"""The tasks as Invoke sees them: `ns`, every task mounted once.

In another repository `from argosy import ns` takes all of them up; `Collection(argosy)` mounts them under a
prefix; `Collection(building)` takes one family.
"""

from __future__ import annotations

from invoke.collection import Collection

from .commands import auditing, building, checking, handing_over, looking, releasing, setting_up, versioning

FAMILIES = (looking, versioning, building, checking, auditing, handing_over, releasing, setting_up)

ns = Collection()
for family in FAMILIES:
    for task in Collection.from_module(family).tasks.values():
        ns.add_task(task)
