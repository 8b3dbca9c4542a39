"""What other files of the source repeat: where it stands, what should stand there. Pure: texts in, places out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..config import templates
from ..model import Image, Lockstep
from .naming import Naming

FLEET = Image(name="", dockerfile="", context="")
"""Who a template is expanded for where no image is meant."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of one file that repeats something: `start` to `end` is the value, `text` the whole line."""

    file: str
    line: int
    start: int
    end: int
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One place that says something else, or does not say it at all: then there is no line."""

    file: str
    said: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.said}" if self.line else self.said


def expected(naming: Naming, one: Lockstep) -> dict[str, str]:
    """Returns what must stand there, by image; where no image is meant, by "". Raises as Naming.expand."""
    where = f"{one.where}.equals"
    images = [naming.project.images[name] for name in one.images] or [FLEET]
    return {image.name: naming.expand(one.equals, image, where) for image in images}


def places(one: Lockstep, file: str, text: str) -> Iterator[Place]:
    """Yields where a file repeats it."""
    for match in re.finditer(one.regex, text, re.MULTILINE):
        start, end = match.span(1)
        if start >= 0:
            begin = text.rfind("\n", 0, start) + 1
            line = text[begin:].partition("\n")[0].strip()
            yield Place(file, text.count("\n", 0, start) + 1, start, end, match[1], line)


def disagreements(naming: Naming, one: Lockstep, texts: Mapping[str, str]) -> Iterator[Disagreement]:
    """Yields what does not agree in the files of one lockstep (path -> text)."""
    wanted = expected(naming, one)
    if not texts:
        yield Disagreement("", f"no file is called {' or '.join(one.files)} ({one.where}.files)")
    for file, text in texts.items():
        found = list(places(one, file, text))
        if not found:
            yield Disagreement(file, f"cannot find {one.regex} in {file} ({one.where})")
            continue
        for place in found:
            if place.value not in wanted.values():
                yield Disagreement(file, _differs(one, place, wanted), place.line)
        for name, value in wanted.items():
            if name and value not in {place.value for place in found}:
                yield Disagreement(
                    file, f'{file} does not name "{value}", which is image {name} ({one.where})'
                )


def _differs(one: Lockstep, place: Place, wanted: Mapping[str, str]) -> str:
    if one.images:
        return (
            f'"{place.value}" is none of {", ".join(one.images)} by {one.equals} ({one.where}): {place.text}'
        )
    return f'"{place.value}" differs from "{wanted[""]}", which is {one.equals} ({one.where}): {place.text}'


def speaks_of(one: Lockstep, name: str) -> bool:
    """Tells whether what must stand there names the version, or this constant."""
    named = templates.fields(one.equals)
    return name in named or (name == "version" and bool({"major", "minor"} & {*named}))
