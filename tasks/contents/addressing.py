"""The addresses of a plan's images: recipes joined with what contexts, siblings and bases really hold.

It reads files. Which digest a base has it is told (bases.py); what is where at these addresses is reuse.py's
question.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..config.dockerfiles import is_remote
from ..config.lock import Base, Lock
from ..planning.address import CONTENT, Address, address
from ..planning.content import Entry
from ..planning.dockerfile import read
from ..planning.facts import Facts
from ..planning.plan import Plan, PlannedImage
from ..planning.recipe import FORWARDED, Recipe, recipe
from ..planning.taking import MAIN, Taken
from ..planning.triggers import fetching, triggers
from . import state
from .contexts import Contexts
from .statcache import StatCache


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found: addresses by image and platform, why some have none, remarks, and the lock it stands on."""

    addresses: Mapping[str, Mapping[str, Address]]
    barriers: Mapping[str, str]
    notes: Mapping[str, tuple[str, ...]]
    lock: Lock


def recipes(plan: Plan, facts: Facts) -> dict[tuple[str, str], Recipe]:
    """Returns the recipe of every image on each of its platforms."""
    environ = {name: facts.environ[name] for name in FORWARDED if name in facts.environ}
    # Their addresses may hold a password, and what goes into an image is shown and kept.
    hidden = {
        name: f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" for name, text in facts.proxies.items()
    }
    found: dict[tuple[str, str], Recipe] = {}
    for image in plan.images:
        dockerfile = read(facts.files[image.dockerfile], image.dockerfile)
        given = replace(image, args={**hidden, **image.args}) if hidden else image
        for platform in image.platforms:
            found[image.name, platform] = recipe(given, dockerfile, platform, facts.native, environ)
    return found


def bases_of(found: Iterable[Recipe]) -> dict[str, set[str]]:
    """Returns the outside bases that recipes stand on by tag, each with the platforms it is wanted for."""
    wanted: dict[str, set[str]] = {}
    for one in found:
        for reference, platform in one.bases:
            if "@" not in reference:
                wanted.setdefault(reference, set()).add(platform)
    return wanted


def leaves_triggers(image: PlannedImage, facts: Facts) -> bool:
    """Tells whether a Dockerfile has ONBUILD, in whatever stage."""
    return any(triggers(read(facts.files[image.dockerfile], image.dockerfile)))


def survey(
    plan: Plan,
    facts: Facts,
    found: Mapping[tuple[str, str], Recipe],
    lock: Lock,
    cache: StatCache | None = None,
) -> Survey:
    """Finds the address behind every recipe; the lock holds all bases they stand on.

    `cache` remembers contents instead of the project's own.
    """
    contents = Contexts(plan, cache or StatCache(state.folder(plan.root) / "contents"))
    joined = _Joined(plan, contents, lock.bases, facts)
    for image in plan.images:
        for platform in image.platforms:
            joined.add(image, found[image.name, platform])
    joined.contents.cache.save()
    return Survey(
        addresses=joined.addresses,
        barriers=joined.barriers,
        notes={name: tuple(notes) for name, notes in joined.notes.items()},
        lock=lock,
    )


@dataclass(slots=True)
class _Joined:
    """Recipes joined so far, bases before children."""

    plan: Plan
    contents: Contexts
    bases: Mapping[str, Base]
    facts: Facts
    addresses: dict[str, dict[str, Address]] = field(default_factory=dict)
    barriers: dict[str, str] = field(default_factory=dict)
    notes: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, image: PlannedImage, found: Recipe) -> None:
        inputs = dict(found.fixed)
        files: Mapping[str, str] = {}
        taken, notes = dict.fromkeys(found.taken), dict.fromkeys(found.notes)
        barriers = [found.barrier] if found.barrier else []
        triggered = False
        for name, platform in found.siblings:
            sibling = self.addresses.get(name, {}).get(platform)
            if sibling is None or name in self.barriers:
                barriers.append(f"it stands on {name}, which has no address of its own in this run")
            else:
                inputs[f"sibling {name} {platform}"] = sibling.digest
            # What its triggers copy is in the child's context.
            triggered |= self._triggers(name, barriers)
        for reference, platform in found.bases:
            base = self.bases.get(reference)
            inputs[f"base {reference} {platform}"] = base.digest if base else reference.rpartition("@")[2]
            if base is None:
                # Only what the lock holds was looked at.
                notes[f"{reference} may bring ONBUILD triggers: the whole context counts"] = None
            elif base.onbuild:
                notes[f"{reference} brings ONBUILD triggers: the whole context counts"] = None
                if base.fetching:
                    barriers.append(f"ONBUILD of {reference} takes from elsewhere what cannot be known")
            else:
                continue
            triggered = True
        if triggered:
            taken |= dict.fromkeys(Taken(name) for name in (MAIN, *found.folders))
            # A trigger sees what it declares, and no one here knows what that is.
            inputs |= {f"trigger {name}": value for name, value in found.askable.items()}
        if is_remote(image.context) and any(take.context == MAIN for take in taken):
            barriers.append(f"its context {image.context} is not here")
        else:
            files = self._fill(image, taken, inputs, notes)
        files = {**files, **self._further(image, inputs, notes)}
        if barriers:
            self.barriers[image.name] = "; ".join(dict.fromkeys(barriers))
        self.notes.setdefault(image.name, {}).update(notes)
        self.addresses.setdefault(image.name, {})[found.platform] = address(inputs, files)

    def _fill(
        self, image: PlannedImage, taken: Collection[Taken], inputs: dict[str, str], notes: dict[str, None]
    ) -> Mapping[str, str]:
        """Adds what is taken from contexts to the inputs and returns the files behind it."""
        files: dict[str, str] = {}
        for take in taken:
            entries, note = self.contents.of(image, take)
            shown = {entry.path: _shown(entry) for entry in entries}
            if note:
                notes[note] = None
            _add(inputs, take.label, shown)
            prefix = image.context if take.context == MAIN else image.contexts[take.context]
            files |= {path if prefix == "." else f"{prefix}/{path}": what for path, what in shown.items()}
        return files

    def _further(self, image: PlannedImage, inputs: dict[str, str], notes: dict[str, None]) -> dict[str, str]:
        """Adds what `paths` names to the inputs and returns the files behind it."""
        files: dict[str, str] = {}
        for pattern in image.paths:
            entries, note = self.contents.matching(pattern, f"images.{image.name}.paths")
            shown = {entry.path: _shown(entry) for entry in entries}
            if note:
                notes[f"paths: the meaning of {pattern} is not certain: every file of the project counts"] = (
                    None
                )
            if not shown:
                notes[f"paths: there is nothing at {pattern}"] = None
            _add(inputs, f"paths {pattern}", shown)
            files |= shown
        return files

    def _triggers(self, name: str, barriers: list[str]) -> bool:
        """Tells whether a sibling has ONBUILD, and adds what no one can know of its triggers."""
        sibling = next((image for image in self.plan.images if image.name == name), None)
        if sibling is None or not leaves_triggers(sibling, self.facts):
            return False
        barriers += fetching(read(self.facts.files[sibling.dockerfile], sibling.dockerfile))
        return True


def _add(inputs: dict[str, str], what: str, shown: Mapping[str, str]) -> None:
    name = f"{CONTENT}{what}"
    while name in inputs:
        name += " again"  # a COPY and a mount of one path may see two things
    inputs[name] = _digest(shown)


def _digest(shown: Mapping[str, str]) -> str:
    text = "\0".join(f"{path}\0{what}" for path, what in shown.items())
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _shown(entry: Entry) -> str:
    """One entry as an input: its mode, then everything else that BuildKit's result depends on.

    Only the last part, the text of a link, may hold a blank; of a file it says which file it is a hard link to.
    """
    return f"{entry.mode:04o} {entry.kind} {entry.digest} {entry.xattrs} {entry.link}"
