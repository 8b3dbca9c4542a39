"""What was measured, as values: rounds of seconds, medians, ratios pair by pair; kept in a JSON file.

A round is one run of each way, one after the other, so whatever else the machine did meets both of a pair.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

SCHEMA = 1

Round = dict[str, "float | None"]
"""Seconds by way; None for a run that failed; a way that did not take part is absent."""


@dataclass(slots=True)
class Series:
    """All rounds of a cell. `made_with` tells code and machine apart: only equal ones are continued."""

    made_with: str
    rounds: list[Round] = field(default_factory=list)

    def times(self, way: str) -> list[float]:
        """Seconds of a way's successful runs."""
        return [seconds for one in self.rounds if (seconds := one.get(way)) is not None]

    def started(self, way: str) -> int:
        """How many runs of a way there were, failed ones too."""
        return sum(1 for one in self.rounds if way in one)

    def typical(self, way: str) -> float | None:
        """The median, None where no run succeeded."""
        times = self.times(way)
        return median(times) if times else None

    def ratio(self, way: str, other: str) -> float | None:
        """The median of way/other, pair by pair."""
        pairs = self.pairs(way, other)
        return median(a / b for a, b in pairs) if pairs else None

    def difference(self, way: str, other: str) -> float | None:
        """The median of way - other in seconds, pair by pair."""
        pairs = self.pairs(way, other)
        return median(a - b for a, b in pairs) if pairs else None

    def pairs(self, way: str, other: str) -> list[tuple[float, float]]:
        """The rounds in which both succeeded."""
        found = ((one.get(way), one.get(other)) for one in self.rounds)
        return [(a, b) for a, b in found if a is not None and b is not None]


@dataclass(slots=True)
class Figures:
    """Everything measured so far: the machine, and a series for each cell's key."""

    machine: dict[str, str] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)

    def continued(self, key: str, made_with: str) -> Series:
        """Returns the series to add to: the one there is, or a new one if that was made otherwise."""
        found = self.series.get(key)
        if found is None or found.made_with != made_with:
            found = self.series[key] = Series(made_with)
        return found


def load(path: Path) -> Figures:
    """Reads figures; a file that is not there has none. Raises ValueError for another schema."""
    if not path.exists():
        return Figures()
    value = json.loads(path.read_text(encoding="utf-8"))
    if value.get("schema") != SCHEMA:
        raise ValueError(
            f"{path} has schema {value.get('schema')}, not {SCHEMA}; measure anew into another --results"
        )
    series = {key: Series(one["made_with"], one["rounds"]) for key, one in value["cells"].items()}
    return Figures(value["machine"], series)


def save(figures: Figures, path: Path) -> None:
    """Writes figures, one round a line, so that a change of the file can be read."""
    cells = [f"    {json.dumps(key)}: {_series(one)}" for key, one in figures.series.items() if one.rounds]
    text = (
        f'{{\n  "schema": {SCHEMA},\n  "machine": {json.dumps(figures.machine)},\n  "cells": {{\n'
        + ",\n".join(cells)
        + "\n  }\n}\n"
    )
    write(path, text)


def write(path: Path, text: str) -> None:
    """Puts a whole file in place of another; a run that is interrupted leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def _series(one: Series) -> str:
    rounds: list[Mapping[str, Any]] = [
        {way: seconds if seconds is None else round(seconds, 3) for way, seconds in item.items()}
        for item in one.rounds
    ]
    lines = ",\n".join(f"      {json.dumps(item)}" for item in rounds)
    return f'{{"made_with": {json.dumps(one.made_with)}, "rounds": [\n{lines}\n    ]}}'
