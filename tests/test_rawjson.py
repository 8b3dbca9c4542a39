"""The decoder reads every form buildx has printed, in pieces of any size, with plain text anywhere between."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.buildkit.rawjson import PLAIN_LINES, Decoder

RECORDED = sorted((Path(__file__).parent / "data" / "rawjson").glob("*.jsonl"))
MESSAGES: list[dict[str, Any]] = [
    {"vertexes": [{"digest": "sha256:1", "name": "[1/2] RUN echo }"}]},
    {"logs": [{"vertex": "sha256:1", "data": 'e30K"\\', "stream": 1}]},
    {},
]


def read(text: str, piece: int = 1 << 16) -> tuple[list[dict[str, Any]], list[str]]:
    decoder = Decoder()
    found = [
        value for start in range(0, len(text), piece) for value in decoder.feed(text[start : start + piece])
    ]
    found += decoder.close()
    return found, list(decoder.plain)


def as_0_13(message: dict[str, Any]) -> str:
    return json.dumps(message, indent=2)


def as_0_29(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


@pytest.mark.parametrize("form", [as_0_13, as_0_29])
def test_objects_are_found_between_plain_lines(form):
    lines = ["WARN: an old file", *map(form, MESSAGES), "ERROR: failed to solve: no"]
    assert read("\n".join(lines)) == (MESSAGES, ["WARN: an old file", "ERROR: failed to solve: no"])


@pytest.mark.parametrize("form", [as_0_13, as_0_29])
@given(piece=st.integers(1, 60))
def test_the_size_of_the_pieces_does_not_matter(form, piece):
    text = "".join(f"{form(message)}\n" for message in MESSAGES) + "bye\n"
    assert read(text, piece) == (MESSAGES, ["bye"])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_both_forms_of_a_recorded_build_say_the_same(path):
    found, plain = read(path.read_text())
    assert found
    again = "".join(f"{as_0_13(message)}\n" for message in found) + "\n".join(plain)
    assert read(again, 997) == (found, plain)


def test_an_object_that_is_cut_off_becomes_plain_text():
    found, plain = read('{\n  "vertexes": [\n')
    assert found == []
    assert plain == ["{", '  "vertexes": [']


def test_an_object_after_one_that_was_cut_off_is_found():
    found, plain = read(f'{{\n  "vertexes": [\n{as_0_13(MESSAGES[0])}\n')
    assert found == [MESSAGES[0]]
    assert plain == ["{", '  "vertexes": [']


def test_a_line_that_only_looks_like_an_object_is_plain_text():
    assert read("{not json}\n{}\n") == ([{}], ["{not json}"])


def test_the_last_plain_lines_are_kept_and_no_more():
    _, plain = read("".join(f"line {number}\n" for number in range(PLAIN_LINES + 5)))
    assert (plain[0], plain[-1], len(plain)) == ("line 5", f"line {PLAIN_LINES + 4}", PLAIN_LINES)


@pytest.mark.parametrize("form", [as_0_13, as_0_29])
def test_time_grows_with_the_text_and_not_with_its_square(form):
    def spent(lines: int) -> float:
        text = form({"logs": [{"data": "A" * 100}] * lines}) + "\n"
        started = time.process_time()
        found, _ = read(text, piece=64)
        assert len(found) == 1
        return time.process_time() - started

    small = max(min(spent(2_500) for _ in range(3)), 0.005)
    assert spent(40_000) < 64 * small  # 16 times the text: linear work takes 16 times as long, quadratic 256
