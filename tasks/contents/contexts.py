"""What images take from their contexts, and what `paths` names: each context walked once, each file read once.

It decides nothing: which entries an image takes is planning's to say (content.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..planning.content import Entry, copied, mounted
from ..planning.ignore import read as read_rules
from ..planning.plan import Plan, PlannedImage
from ..planning.taking import MAIN, Taken
from . import trees
from .statcache import StatCache

Place = tuple[str, str, str | None]
"""A folder, the context that it is, and the Dockerfile it is the main context of."""


@dataclass(slots=True)
class Contexts:
    """The contexts of a project, each walked once."""

    plan: Plan
    cache: StatCache
    outlines: dict[Place, trees.Outline] = field(default_factory=dict)
    taken: dict[tuple[Place, Taken], tuple[Entry, ...]] = field(default_factory=dict)
    further: dict[str, tuple[tuple[Entry, ...], str]] = field(default_factory=dict)

    def of(self, image: PlannedImage, taken: Taken) -> tuple[tuple[Entry, ...], str]:
        """Returns the entries that are taken, with their digests, and a note on the ignore file, "" for none."""
        main = taken.context == MAIN
        folder = image.context if main else image.contexts[taken.context]
        place = (folder, taken.context, image.dockerfile if main else None)
        outline = self._outline(place)
        if (place, taken) not in self.taken:
            take = mounted(outline.tree, taken.paths[0]) if taken.mounted and taken.paths else None
            if taken.paths is not None and not taken.mounted:
                take = copied(outline.tree, taken.paths, taken.flags)
            entries = outline.tree.entries if take is None else take
            self.taken[place, taken] = outline.filled(entries, self.cache)
        return self.taken[place, taken], outline.note

    def matching(self, pattern: str, where: str) -> tuple[tuple[Entry, ...], str]:
        """Returns the files of the whole project that a pattern of an ignore file names, and a note as `of`.

        The key `where` it stands is for messages.
        """
        if pattern not in self.further:
            # Everything is left out but for this: the walk enters no folder in which it could not be.
            rules = read_rules(f"**\n!{pattern}\n", where)
            outline = trees.outline(self.plan.root, rules, self.cache)
            files = [entry for entry in outline.tree.entries if entry.kind != "dir"]
            self.further[pattern] = outline.filled(files, self.cache), outline.note
        return self.further[pattern]

    def _outline(self, place: Place) -> trees.Outline:
        folder, _, dockerfile = place
        if place not in self.outlines:
            root = self.plan.root
            self.outlines[place] = trees.outline(
                root / folder, trees.rules(root, folder, dockerfile), self.cache
            )
        return self.outlines[place]
