"""Images in the engine's own store: which are there, how large, named, removed.

Several are asked for in one process: one call for each image would cost more than a build that is all cached.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..planning.familiar import familiar
from ..planning.platforms import spelled
from . import direct
from .docker import ask, explain
from .processes import Done
from .together import together

if TYPE_CHECKING:
    from ..model import Client
    from .results import Results

AT_ONCE = 8
LISTINGS = 5
MOST_ASKED, WORTH_A_CALL = 4, 5
"""The engine looks at one image of a call after another, so a few calls share many; each is a process, too."""
_NONE = re.compile(r"No such image: (\S+)$|(\S+): image not known$", re.MULTILINE)
"""What docker and podman say of an image that they do not have; docker spells it in its own way."""


def inspect(client: Client, references: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Returns what the engine knows of each reference that is there.

    Raises SurroundingsError where the engine does not answer.
    """
    at_once = min(MOST_ASKED, -(-len(references) // WORTH_A_CALL))
    parts = [references[start::at_once] for start in range(at_once)]
    socket = direct.place() if client == "docker" else ""

    def inspected(part: Sequence[str]) -> dict[str, dict[str, Any]]:
        told = direct.look(socket, part) if socket else None
        return dict(_told(part, ask(client, "image", "inspect", *part))) if told is None else told

    return {name: about for found in together(inspected, parts) for name, about in found.items()}


def _told(references: Sequence[str], done: Done) -> Iterable[tuple[str, dict[str, Any]]]:
    found = json.loads(done.out or "[]")
    # The answers stand in the order asked; one that is missing has none, and only its error tells.
    absent = {_spelled(name) for pair in _NONE.findall(done.err) for name in pair if name}
    there = [reference for reference in references if _spelled(reference) not in absent]
    if len(there) != len(found):
        raise explain(done)
    return zip(there, found, strict=True)


def measured(results: Results, client: Client) -> Results:
    """Adds what the engine says of the sizes of images that were just loaded or fetched, in one question."""
    fresh = (result for result in results.images if result.output == "loaded" and result.size is None)
    first = {result.image: result.references[0] for result in fresh if result.references}
    about = inspect(client, list(first.values()))
    known = {name: about[reference] for name, reference in first.items() if reference in about}
    return replace(
        results,
        images=tuple(
            replace(
                result,
                size=int(known[result.image].get("Size", 0)),
                digest=result.digest or known[result.image].get("Id", ""),
            )
            if result.image in known
            else result
            for result in results.images
        ),
    )


def _spelled(reference: str) -> str:
    """Returns a reference as docker spells it in answers; what is none (an id) stays as it is."""
    try:
        return familiar(reference)
    except ValueError:
        return reference


def missing(client: Client, references: Sequence[str]) -> tuple[str, ...]:
    """Returns those of the references that the engine does not have."""
    there = inspect(client, references)
    return tuple(reference for reference in references if reference not in there)


def holds(client: Client, reference: str, platform: str) -> bool:
    """Tells whether the engine really has an image for a platform.

    An index that was pulled for one platform inspects like a whole one; a container is made of what is there.
    """
    done = ask(client, "create", "--pull", "never", "--platform", platform, reference, "/nothing")
    if done:
        ask(client, "rm", "--volumes", done.out.strip())
    return bool(done)


def of_platform(client: Client, reference: str, platform: str) -> str:
    """Returns the name under which an image is only what it is for one platform.

    For Docker that is the name itself, with --platform. podman 4 copies out of the wrong one of a list's images then,
    so for podman it is the digest in the list.
    """
    if client == "docker":
        return reference
    done = ask(client, "manifest", "inspect", reference)
    for entry in json.loads(done.out).get("manifests") or () if done else ():
        if spelled(entry.get("platform") or {}) == platform:
            return f"{reference.rpartition(':')[0]}@{entry['digest']}"
    return reference


def name(client: Client, source: str, names: Iterable[str]) -> None:
    """Gives an image further names. Raises SurroundingsError where the engine refuses."""
    for new in names:
        done = ask(client, "image", "tag", source, new)
        if not done:
            raise explain(done)


def remove(client: Client, references: Iterable[str]) -> None:
    """Removes names, those that are not there passed over; what no other name holds goes with them.

    Docker is asked by several calls at once: the containerd store collects its garbage whenever an image goes, but
    only once for those that go at the same moment. podman forgets one of two names of an image that go at once.
    """
    every, at_once = list(references), AT_ONCE if client == "docker" else 1
    parts = [part for start in range(at_once) if (part := every[start::at_once])]
    for done in together(lambda part: _removed(client, part), parts):
        if not done:
            raise explain(done)


def _removed(client: Client, names: Sequence[str]) -> Done:
    done = ask(client, "image", "rm", "--force", *names)
    # podman 4 takes a list of several platforms for the image it would run, which has no such name.
    lists = [name for name in names if f"{name}: tag not known" in done.err]
    return ask(client, "manifest", "rm", *lists) if lists else done


def listed(client: Client, repositories: Iterable[str]) -> tuple[str, ...]:
    """Returns every reference the engine has in these repositories, by one listing, as the engine spells them."""
    wanted = {familiar(repository) for repository in repositories}
    for _ in range(LISTINGS):
        done = ask(client, "image", "ls", "--format", "{{.Repository}}\t{{.Tag}}")
        # The containerd store lists nothing at all where an image goes while it lists.
        if done or not re.search(r"content digest .*not found", done.err, re.IGNORECASE | re.DOTALL):
            break
    if not done:
        raise explain(done)
    pairs = (line.split("\t") for line in done.out.splitlines() if line)
    return tuple(
        sorted({f"{name}:{tag}" for name, tag in pairs if short(name) in wanted and tag != "<none>"})
    )


def short(name: str) -> str:
    """Returns a repository as Docker lists it: podman says where one without a registry is from."""
    return name if name == "<none>" else familiar(name.removeprefix("localhost/"))
