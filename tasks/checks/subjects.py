"""The images of a plan as they are in the engine, each on each platform: what a test of the fleet looks at.

What is not there is a check that was skipped, with the reason; by name it was asked for, and then it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ..engine import images
from ..engine.together import together
from ..errors import AbsentError, SurroundingsError
from ..evidence import in_engine
from ..evidence.blobs import Blobs
from ..model import Client, Contract, Reference
from ..planning.familiar import familiar
from ..planning.layering import Line
from ..planning.plan import Plan, PlannedImage
from .check import Check, Outcome
from .subject import Subject

THREADS = 4


def in_the_engine(
    plan: Plan,
    client: Client,
    promised: Mapping[str, tuple[Contract, tuple[Line, ...]]],
    needed: Collection[str] = (),
    reads: Callable[[str, str], object] = lambda _image, _platform: None,
) -> tuple[tuple[Subject, ...], tuple[Check, ...]]:
    """Returns what is there of the plan's selected images, and a check for each that is not, or cannot be read.

    `promised` is each image's contract, and the lines that its layers come from; `needed` are images whose
    absence is a failure; `reads` hears of each image that is read, which takes a while the first time. Raises
    SurroundingsError where the engine does not answer.
    """
    named = {str(reference): image for image in plan.images for reference in image.references}
    there = images.inspect(client, list(named))
    fleet = {familiar(Reference.parse(name).name): str(about["Id"]) for name, about in there.items()}
    blobs = Blobs()

    def look(image: PlannedImage, platform: str) -> Subject | Check:
        known = [str(reference) for reference in image.references if str(reference) in there]
        if not image.references:
            return _absent(
                image, platform, "it has no name to be found by in the engine: tags, local", needed
            )
        if not known:
            return _absent(
                image, platform, _unbuilt(image, f"{image.references[0]} is not in the engine"), needed
            )
        identity = str(there[known[0]]["Id"])
        reads(image.name, platform)
        try:
            evidence = in_engine.evidence(client, identity, platform, blobs)
        except AbsentError:
            what = _unbuilt(image, f"{known[0]} is not in the engine for {platform}")
            return _absent(image, platform, what, needed)
        except SurroundingsError as error:
            # It is there and cannot be read: a fault, which no build mends and no test may pass over.
            return Check(image.name, "image", Outcome.FAILED, str(error), platform, reference=known[0])
        name = Reference.parse(known[0]).name
        evidence = replace(evidence, reference=f"{name}@{evidence.digest}")
        return Subject(image.name, platform, *promised[image.name], evidence, identity, fleet)

    pairs = [(image, platform) for image in plan.selected for platform in image.platforms]
    found = together(lambda pair: look(*pair), pairs, THREADS)
    blobs.prune()
    return (
        tuple(one for one in found if isinstance(one, Subject)),
        tuple(one for one in found if isinstance(one, Check)),
    )


def _absent(image: PlannedImage, platform: str, what: str, needed: Collection[str]) -> Check:
    outcome = Outcome.FAILED if image.name in needed else Outcome.SKIPPED
    return Check(image.name, "image", outcome, what, platform)


def _unbuilt(image: PlannedImage, what: str) -> str:
    return f"{what}. Build it: inv build --images {image.name}"
