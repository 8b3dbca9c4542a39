"""Layers told by the Dockerfile lines that made them, through stages and siblings down to an outside base."""

from __future__ import annotations

from tasks.planning.layering import Line, lines, matched
from tasks.planning.naming import Naming
from tasks.planning.planner import drafts
from tests.planned import facts, project
from tests.scenario import Fleet


def test_lines_come_from_the_last_stage_and_all_below_it(fleet: Fleet):
    fleet.image("base", "FROM busybox\nENV A=1\nRUN echo base\nWORKDIR /srv\n")
    fleet.image(
        "api",
        "FROM golang AS build\nRUN go build\n"
        "FROM acme/base AS run\nCOPY --from=build /go /go\nFROM run\nRUN strip /go\n",
    )
    fleet.toml("[images.base]\n[images.api]")
    loaded = project(fleet)
    naming = Naming(loaded, facts(loaded))
    known = drafts(naming, ["api"], deps=True)
    found = lines(known["api"], naming, known)
    assert [(line.place, line.keyword) for line in found] == [
        ("docker/base/Dockerfile:3", "RUN"),
        ("docker/base/Dockerfile:4", "WORKDIR"),
        ("docker/api/Dockerfile:4", "COPY"),
        ("docker/api/Dockerfile:6", "RUN"),
    ]


def test_history_is_followed_from_its_end():
    run, copy, folder = (Line(word, "", f"Dockerfile:{word}") for word in ("RUN", "COPY", "WORKDIR"))
    steps = ["ADD rootfs.tar / # buildkit", "RUN /bin/sh -c x # buildkit", "COPY a / # buildkit"]
    # The folder of WORKDIR was there already: it has made no layer.
    assert matched(steps, [run, folder, copy, folder]) == (None, run, copy)
    # What does not follow is not guessed at.
    assert matched(["RUN a", "ADD b", "COPY c"], [run, copy]) == (None, None, copy)
    assert matched([], [run]) == ()
