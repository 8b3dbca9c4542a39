"""A plan as calls of podman: how each image is built, named and pushed. Pure: argument lists are values.

podman has no bake. Images are built one by one, what they stand on first, each held under a name of its own
while the run lasts; a child is given its sibling under that name, whatever its Dockerfile calls it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ..config.dockerfiles import is_remote
from ..model import Reference
from ..planning import dockerfile as dockerfiles
from ..planning.bakefile import secret, staging
from ..planning.facts import Facts
from ..planning.familiar import familiar
from ..planning.meanings import DOCKER_IMAGE, TARGET
from ..planning.plan import Plan, PlannedImage
from ..planning.sources import sources

Call = tuple[str, ...]
HELD = "building-"
"""What the tags of a run's own names begin with; the run's word follows."""


def mine(plan: Plan) -> str:
    """Returns what the names of this project's runs begin with; no registry's do."""
    return f"localhost/argosy-{hashlib.sha256(str(plan.root).encode()).hexdigest()[:10]}"


def held(plan: Plan, image: str, run: str) -> str:
    """Returns the name an image has while the run lasts: another run's images, made of other arguments, are not it."""
    return f"{mine(plan)}/{image}:{HELD}{run}"


def build(image: PlannedImage, plan: Plan, facts: Facts, run: str) -> Call:
    """Returns `podman build` for an image, run in the project's folder. `run` is a word for this run alone.

    One platform gets its names at once; several make a manifest list that gets them when all are built. The format
    is Docker's: OCI's has no HEALTHCHECK, and podman would leave it out.
    """
    several = len(image.platforms) > 1
    names = [str(name) for name in image.references] if image.output == "load" and not several else []
    contexts = {key: _context(value, plan, run) for key, value in image.contexts.items()}
    return (
        "build",
        *("-f", image.dockerfile),
        *(("--target", image.target) if image.target else ()),
        *(word for name in names for word in ("-t", name)),
        *(("--manifest" if several else "-t"), held(plan, image.name, run)),
        *("--platform", ",".join(image.platforms)),
        *("--layers", "--format", "docker"),
        *_pairs("--build-arg", image.args),
        *_pairs("--label", image.labels),
        *(word for one in image.secrets for word in ("--secret", secret(one))),
        *(word for one in image.ssh for word in ("--ssh", one)),
        *_pairs("--build-context", contexts | replaced(image, plan, facts, run)),
        image.context,
    )


def replaced(image: PlannedImage, plan: Plan, facts: Facts, run: str) -> dict[str, str]:
    """Returns what stands for a sibling or a mirrored base: the words of the Dockerfile -> what podman takes.

    podman compares them as they are written, variables unexpanded.
    """
    text = dockerfiles.read(facts.files[image.dockerfile], image.dockerfile)
    inside = {other.name for other in plan.images}
    siblings = {
        need.key: held(plan, need.image, run) if need.image in inside else need.reference
        for need in image.needs
    }
    found: dict[str, str] = {}
    for platform in image.platforms:
        for source in sources(text, image.target or None, image.args, platform, facts.native, image.contexts):
            key = familiar(source.reference) if source.context is None else ""
            if key in siblings and key:
                found[source.written] = f"container-image://{siblings[key]}"
            elif key in image.mirror:
                found[source.written] = f"{DOCKER_IMAGE}{image.mirror[key]}"
    return found


def names(image: PlannedImage, plan: Plan, run: str) -> tuple[Call, ...]:
    """Returns the calls that name what was built where `build` could not: a list of several platforms."""
    if image.output != "load" or len(image.platforms) == 1:
        return ()
    return (("tag", held(plan, image.name, run), *(str(name) for name in image.references)),)


def push(image: PlannedImage, plan: Plan, place: Reference, digestfile: str, run: str) -> Call:
    """Returns the call that pushes an image to a repository under no name; names are moved when all are there."""
    several = ("manifest", "push", "--all") if len(image.platforms) > 1 else ("push",)
    loopback = place.registry.partition(":")[0] in {"localhost", "127.0.0.1"}
    return (
        *several,
        "--quiet",
        *("--digestfile", digestfile),
        # As Docker does: a registry on this machine need not speak TLS.
        *(("--tls-verify=false",) if loopback else ()),
        held(plan, image.name, run),
        f"docker://{place.name}:{staging(image, place)}",
    )


def forget(image: PlannedImage, plan: Plan, run: str) -> Call:
    """Returns the call that takes the name of the run away again; layers stay, and are podman's cache."""
    name = held(plan, image.name, run)
    return ("manifest", "rm", name) if len(image.platforms) > 1 else ("untag", name, name)


def _pairs(flag: str, values: Mapping[str, str]) -> Call:
    return tuple(word for key, value in values.items() for word in (flag, f"{key}={value}"))


def _context(value: str, plan: Plan, run: str) -> str:
    if value.startswith(TARGET):
        return f"container-image://{held(plan, value.removeprefix('target:'), run)}"
    return value if is_remote(value) else str(plan.root / value)
