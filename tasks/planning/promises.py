"""What each image of a plan has promised: its own word, that of the image it stands on, that of `[defaults]`. Pure.

A child keeps its parent's promises unless it says otherwise: tests are added (one of the same name takes the
other's place), tables are joined key by key, anything else it says replaces what was inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from ..model import Contract, Expect, Image
from . import dockerfile as dockerfiles
from .dockerfile import Stage
from .meanings import Meanings
from .naming import Naming
from .plan import PlannedImage
from .scopes import base_of, global_scope

SIBLING = "sibling "


def promises(naming: Naming, names: Iterable[str], known: Mapping[str, PlannedImage]) -> dict[str, Contract]:
    """Returns the contract of each of these images, its templates expanded; `known` are they and what they stand on.

    Raises ConfigError for a field that has no value now.
    """
    found: dict[str, Contract] = {}

    def own(image: Image) -> Contract:
        """What an image and all that it stands on say."""
        if image.name not in found:
            said = _expanded(naming, image.contract, image, f"images.{image.name}")
            below = bottom(known[image.name], naming)[1] if image.contract.inherit else ""
            found[image.name] = _over(said, own(naming.project.images[below])) if below else said
        return found[image.name]

    def whole(image: Image) -> Contract:
        """What holds for an image, the defaults too."""
        said, shared = own(image), _expanded(naming, naming.project.contract, image, "defaults")
        return replace(
            _over(said, shared), size=said.size or shared.size, waive={**shared.waive, **said.waive}
        )

    return {name: whole(naming.project.images[name]) for name in names}


def bottom(image: PlannedImage, naming: Naming) -> tuple[list[Stage], str]:
    """Returns the stages that an image's files come from, the last first, and the sibling below them all ("": none)."""
    text = dockerfiles.read(naming.facts.files[image.dockerfile], image.dockerfile)
    scope = global_scope(text, image.target or None, image.args, image.platforms[0], naming.facts.native)
    stages = [(image.target and text.named(image.target.lower())) or text.stages[-1]]
    base = base_of(text, stages[-1], scope)
    while (below := text.named(base, before=stages[-1].index)) and below.name not in image.contexts:
        stages.append(below)
        base = base_of(text, below, scope)
    meaning = Meanings(image, text, ()).base(stages[-1], base)
    return stages, meaning.removeprefix(SIBLING) if meaning.startswith(SIBLING) else ""


def _over(said: Contract, inherited: Contract) -> Contract:
    """Returns what is said over what is inherited; a parent lends neither its size nor its waivers."""
    names = {test.title for test in said.tests}
    return replace(
        said,
        expect=_joined(said.expect, inherited.expect),
        tests=(*(test for test in inherited.tests if test.title not in names), *said.tests),
    )


def _joined(said: Expect, inherited: Expect) -> Expect:
    found: dict[str, Any] = {}
    for one in fields(Expect):
        ours, theirs = getattr(said, one.name), getattr(inherited, one.name)
        found[one.name] = {**theirs, **ours} if isinstance(ours, dict) else theirs if ours is None else ours
    if said.healthcheck is not None:
        found["interval"] = said.interval
    return Expect(**found)


def _expanded(naming: Naming, contract: Contract, image: Image, where: str) -> Contract:
    def at(place: str) -> Callable[[str], str]:
        return lambda text: naming.expand(text, image, f"{where}.{place}")

    expect = contract.expect
    tests = tuple(
        replace(
            test,
            run=None if test.run is None else tuple(map(at(f"tests.{number}.run"), test.run)),
            output=None if test.output is None else at(f"tests.{number}.output")(test.output),
            around=replace(
                test.around,
                env={key: at(f"tests.{number}.env.{key}")(text) for key, text in test.around.env.items()},
            ),
        )
        for number, test in enumerate(contract.tests)
    )
    return replace(
        contract,
        expect=replace(
            expect,
            env={key: at(f"expect.env.{key}")(text) for key, text in expect.env.items()},
            labels={key: at(f"expect.labels.{key}")(text) for key, text in expect.labels.items()},
        ),
        tests=tests,
    )
