"""What changed between two addresses, in words."""

from __future__ import annotations

import pytest

from tasks.planning.address import Address, address
from tasks.planning.differing import differences


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("FILE docker/api/main.go", "0644 aa", "0644 bb", "docker/api/main.go changed"),
        ("FILE run.sh", "0644 aa", "0755 aa", "mode of run.sh 0644 -> 0755"),
        ("FILE x", None, "0644 aa", "x was added"),
        ("FILE x", "0644 aa", None, "x is gone"),
        ("argument VERSION", "0.1.0", "0.2.0", "argument VERSION 0.1.0 -> 0.2.0"),
        ("argument DEBUG", None, "1", "argument DEBUG unset -> 1"),
        ("sibling base linux/amd64", "a", "b", "stands on base, which changed"),
        ("sibling base linux/amd64", None, "a", "stands on base now"),
        ("sibling base linux/amd64", "a", None, "no longer stands on base"),
        (
            "base debian:trixie-slim linux/amd64",
            "sha256:" + "a" * 64,
            "sha256:" + "b" * 64,
            "base debian:trixie-slim moved aaaaaaaaaaaa -> bbbbbbbbbbbb",
        ),
        ("base busybox:stable linux/amd64", None, "sha256:" + "a" * 64, "base busybox:stable is new"),
        ("base busybox:stable linux/amd64", "sha256:" + "a" * 64, None, "no longer stands on busybox:stable"),
        ("label x", "1", None, "label x is gone"),
    ],
)
def test_a_change_is_said_in_words(name: str, old: str | None, new: str | None, said: str) -> None:
    addresses = []
    for value in (old, new):
        path = name.removeprefix("FILE ")
        found = {} if value is None else {path: value}
        addresses.append(address({}, found) if path != name else address(found))
    assert list(differences(*addresses)) == [said]


def written(*texts: str, stage: str = "stage-0") -> Address:
    """The address of one Dockerfile's instructions."""
    return address(
        {f"api/Dockerfile, stage {stage}, instruction {n}": text for n, text in enumerate(texts, 1)}
    )


LONG = "RUN apt-get update && apt-get install --yes --no-install-recommends curl"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (("COPY . .", "RUN make"), ("COPY . .", "RUN make all"), ["RUN make -> RUN make all"]),
        (("RUN make",), ("COPY . .", "RUN make"), ["COPY . . was added"]),
        (("COPY . .", "RUN make"), ("RUN make",), ["COPY . . is gone"]),
        (
            ("RUN a", "RUN b"),
            ("RUN c", "RUN d", "RUN e"),
            ["RUN a -> RUN c", "RUN b -> RUN d", "RUN e was added"],
        ),
        ((LONG,), (f"{LONG} git",), ["…--no-install-recommends curl -> …--no-install-recommends curl git"]),
        (("RUN <<END\necho one\nEND",), ("RUN true",), ["RUN <<END echo one END -> RUN true"]),
        ((LONG,), (), ["RUN apt-get update && apt-get install -… is gone"]),
    ],
)
def test_an_instruction_is_told_by_what_it_says(
    old: tuple[str, ...], new: tuple[str, ...], said: list[str]
) -> None:
    assert list(differences(written(*old), written(*new))) == [f"api/Dockerfile: {words}" for words in said]


def test_a_stage_of_another_name_is_a_change_though_no_instruction_is() -> None:
    renamed = written("RUN make", stage="build")
    assert list(differences(written("RUN make"), renamed)) == ["api/Dockerfile: its stages changed"]
