"""The promise behind every reuse: if an image's address stays, BuildKit would make the same image, byte for byte.

Random fleets meet random changes (imagined_fleets.py, imagined_changes.py); where the address stays, the real
BuildKit builds before and after, uncached. scripts/stale runs as many such cases as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import stale_oracle, staleness
from tests.conftest import PrivateEngine
from tests.imagined_changes import CHANGES
from tests.imagined_fleets import BUSYBOX, PLAIN, TRIGGER, Imagined, Picture, Stage, Thing
from tests.staleness import Tally

CASES, EACH = 500, 5
DIGESTS = {(name, where): f"sha256:{where * 64}" for name in (BUSYBOX, PLAIN, TRIGGER) for where in "ab"}
"""For tests that build nothing."""
FILES = {
    "src/a.txt": Thing("one\n"),
    "src/b.txt": Thing("two\n"),
    "src/lib/c.txt": Thing("one\n"),
    "src/data/f.txt": Thing("one\n"),
    "src/left/g": Thing("one\n"),
    "src/right/g": Thing("two\n"),
    "third/v.txt": Thing("one\n"),
}


def fleet(
    *stages: tuple[str, ...],
    args: Mapping[str, str] | None = None,
    things: Mapping[str, Thing] | None = None,
    head: tuple[str, ...] = (),
    contexts: Mapping[str, str] | None = None,
    stands: Mapping[str, str] | None = None,
    epoch: str = "",
    dockerfile: str = "docker/one/Dockerfile",
) -> Imagined:
    """A fleet of one image; each stage is (base, its name or "", lines …)."""
    made = tuple(Stage(name, base, tuple(lines)) for base, name, *lines in stages)
    settings = {"args": dict(args or {}), "contexts": {"vendor": "third", **(contexts or {})}}
    there = {path: thing for path, thing in {**FILES, **(things or {})}.items() if thing.text != "gone"}
    environ = {"SOURCE_DATE_EPOCH": epoch} if epoch else {}
    return Imagined(there, (Picture("one", dockerfile, made, head, settings),), dict(stands or {}), environ)


class Pair(NamedTuple):
    """Two fleets that differ in one thing."""

    why: str
    before: Imagined
    after: Imagined


def pair(why: str, *stages: tuple[str, ...], **changed: object) -> Pair:
    """The same stages before and after; `changed` are the words of `fleet` for after."""
    return Pair(why, fleet(*stages), fleet(*stages, **changed))  # type: ignore[arg-type]


ONE, TWO = (BUSYBOX, "x", "RUN echo 1 > /f"), (BUSYBOX, "y", "RUN echo 2 > /f")
LAST = (BUSYBOX, "", "COPY a.txt /")
MATTERS = [
    pair("content", LAST, things={"src/a.txt": Thing("changed\n")}),
    pair("mode", LAST, things={"src/a.txt": Thing("one\n", 0o600)}),
    pair("mode of a folder", (BUSYBOX, "", "COPY . /l"), things={"src/lib": Thing(kind="dir", mode=0o700)}),
    pair("an empty folder", (BUSYBOX, "", "COPY . /l"), things={"src/void": Thing(kind="dir", mode=0o755)}),
    pair(
        "a symlink's target",
        (BUSYBOX, "", "COPY to /l"),
        things={"src/to": Thing("b.txt", kind="symlink")},
    )._replace(before=fleet((BUSYBOX, "", "COPY to /l"), things={"src/to": Thing("a.txt", kind="symlink")})),
    Pair(
        "a blank at the end of a symlink's text",
        fleet((BUSYBOX, "", "COPY lib /l"), things={"src/lib/to": Thing("c.txt", kind="symlink")}),
        fleet((BUSYBOX, "", "COPY lib /l"), things={"src/lib/to": Thing("c.txt ", kind="symlink")}),
    ),
    pair("an argument that RUN alone sees", (BUSYBOX, "", "ARG A", "RUN env > /e"), args={"A": "1"}),
    pair("the word for unset", (BUSYBOX, "", "ARG A", "RUN echo $A > /e"), args={"A": "unset"}),
    pair("SOURCE_DATE_EPOCH as an argument", LAST, args={"SOURCE_DATE_EPOCH": "99"}),
    pair("SOURCE_DATE_EPOCH in the environment", LAST, epoch="99"),
    pair(
        "text that looks like a reference",
        (BUSYBOX, "", "RUN echo a,from=x/y > /e"),
    )._replace(after=fleet((BUSYBOX, "", "RUN echo a,from=x/z > /e"))),
    Pair(
        "stages copied from change places",
        fleet(ONE, TWO, (BUSYBOX, "", "COPY --from=x /f /1", "COPY --from=y /f /2")),
        fleet(ONE, TWO, (BUSYBOX, "", "COPY --from=y /f /1", "COPY --from=x /f /2")),
    ),
    Pair(
        "stages copied from by number change places",
        fleet(ONE, TWO, (BUSYBOX, "", "COPY --from=0 /f /1", "COPY --from=y /f /2")),
        fleet(TWO, ONE, (BUSYBOX, "", "COPY --from=0 /f /1", "COPY --from=y /f /2")),
    ),
    Pair(
        "images copied from change places",
        fleet(("scratch", "", f"COPY --from={PLAIN} / /1/", f"COPY --from={BUSYBOX} / /2/")),
        fleet(("scratch", "", f"COPY --from={BUSYBOX} / /1/", f"COPY --from={PLAIN} / /2/")),
    ),
    Pair(
        "an argument chooses the stage to stand on",
        fleet(ONE, TWO, ("$B", "", "COPY --from=x /f /1", "COPY --from=y /f /2"), head=("ARG B=x",)),
        fleet(ONE, TWO, ("$B", "", "COPY --from=x /f /1", "COPY --from=y /f /2"), head=("ARG B=y",)),
    ),
    Pair(
        "the bases of two stages change places",
        fleet((BUSYBOX, "x", "COPY a.txt /"), (PLAIN, "", "COPY --from=x /bin /b")),
        fleet((PLAIN, "x", "COPY a.txt /"), (BUSYBOX, "", "COPY --from=x /bin /b")),
    ),
    Pair(
        "another escape character",
        fleet((BUSYBOX, "", "ENV E=a\\\\b")),
        fleet((BUSYBOX, "", "ENV E=a\\\\b"), head=("# escape=`",)),
    ),
    pair("a base moved", (PLAIN, "", "COPY a.txt /"), stands={PLAIN: "b"}),
    pair("what a base's trigger copies", (TRIGGER, "", "USER 1"), things={"src/data/f.txt": Thing("changed\n")}),
    pair("an argument of a base's trigger", (TRIGGER, "", "USER 1"), args={"FLAVOUR": "1"}),
    Pair(
        "a global default that a base's trigger sees",
        fleet((TRIGGER, "", "USER 1"), head=("ARG UNUSED=1",)),
        fleet((TRIGGER, "", "USER 1"), head=("ARG UNUSED=2",)),
    ),
    pair("a base with triggers moved", (TRIGGER, "", "USER 1"), stands={TRIGGER: "b"}),
    pair(
        "the environment of a base takes the place of an argument",
        (PLAIN, "x", "ARG PLACE=right"),
        ("x", "", "COPY $PLACE /p"),
        things={"src/left/g": Thing("changed\n")},
    ),
    pair(
        "a variable made of one that the base has",
        (PLAIN, "", "ENV E=${PLACE:+right}", "COPY ${E:-left} /p"),
        things={"src/right/g": Thing("changed\n")},
    ),
    pair(
        "an argument made of a variable that the base has",
        (PLAIN, "", "ARG E=${PLACE:+right}", "ARG F=$E", "COPY ${F:-left} /p"),
        things={"src/right/g": Thing("changed\n")},
    ),
    pair(
        "a variable made of one that a stage below has of its base",
        (PLAIN, "x", "ENV D=${PLACE:+right}"),
        ("x", "", "ENV E=$D", "COPY ${E:-left} /p"),
        things={"src/right/g": Thing("changed\n")},
    ),
    Pair(
        "a named context in a stage's place, taken by number",
        fleet(ONE, (BUSYBOX, "", "COPY --from=0 v.txt /1"), contexts={"x": "third"}),
        fleet(
            ONE, (BUSYBOX, "", "COPY --from=0 v.txt /1"), contexts={"x": "third"},
            things={"third/v.txt": Thing("changed\n")},
        ),
    ),
    pair(
        "a mount of everything beside a file of that name",
        (BUSYBOX, "", "RUN --mount=target=/m cat /m/a.txt > /1", "COPY everything /2"),
    )._replace(
        before=fleet(
            (BUSYBOX, "", "RUN --mount=target=/m cat /m/a.txt > /1", "COPY everything /2"),
            things={"src/everything": Thing("one\n")},
        ),
        after=fleet(
            (BUSYBOX, "", "RUN --mount=target=/m cat /m/a.txt > /1", "COPY everything /2"),
            things={"src/everything": Thing("one\n"), "src/a.txt": Thing("changed\n")},
        ),
    ),
]  # fmt: skip
IGNORE = Thing("*.log\n")
LOG = {"src/.dockerignore": IGNORE, "src/x.log": Thing("one\n")}
COPIES = (BUSYBOX, "", "COPY a.txt lib /d/", "RUN echo 1 > /r", "ONBUILD RUN echo 2", "COPY <<X /h\nbody\nX")
HARMLESS = [
    Pair("a touched file", fleet(COPIES), replace(fleet(COPIES), touched=True)),
    Pair(
        "an ignored file, whole context copied",
        fleet((BUSYBOX, "", "COPY . /d"), things=LOG),
        fleet((BUSYBOX, "", "COPY . /d"), things={**LOG, "src/x.log": Thing("changed\n")}),
    ),
    pair("a file that nothing copies", COPIES, things={"src/b.txt": Thing("changed\n")}),
    Pair(
        "comments and empty lines",
        fleet(COPIES),
        fleet(
            (BUSYBOX, "", *(line for text in COPIES[2:] for line in ("# why", "", text))), head=("# a file",)
        ),
    ),
    Pair(
        "spacing and keywords' case",
        fleet(COPIES),
        fleet(
            (
                BUSYBOX,
                "",
                "  copy   a.txt    lib /d/  ",
                "Run   echo 1 > /r",
                " onbuild   RUN echo 2",
                COPIES[5],
            )
        ),
    ),
    Pair(
        "a comment inside an instruction",
        fleet(COPIES),
        fleet((BUSYBOX, "", "COPY \\\n# both\n  a.txt lib \\\n  /d/", *COPIES[3:])),
    ),
    pair("an argument that nobody declares", COPIES, args={"NOBODY": "1"}),
    Pair("a stage that nobody reaches", fleet(ONE, COPIES), fleet((PLAIN, "x", "COPY b.txt /"), COPIES)),
]


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def digests(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """The outside bases, in the engine's reach."""
    return stale_oracle.bases(engine.env, engine.registry, tmp_path_factory.mktemp("bases"))


def addresses(folder: Path, one: Pair) -> Iterator[Mapping[str, str]]:
    for name, imagined in (("before", one.before), ("after", one.after)):
        state = stale_oracle.state(name, imagined, folder / name / "fleet", DIGESTS)
        assert state.addresses, state.refused
        yield state.addresses


@pytest.mark.parametrize("one", MATTERS, ids=lambda one: one.why)
def test_what_matters_changes_the_address(tmp_path: Path, one: Pair) -> None:
    before, after = addresses(tmp_path, one)
    assert before != after


@pytest.mark.parametrize("one", HARMLESS, ids=lambda one: one.why)
def test_what_does_not_matter_leaves_the_address(tmp_path: Path, one: Pair) -> None:
    before, after = addresses(tmp_path, one)
    assert before == after


def test_a_copied_dockerfile_counts_as_a_file(tmp_path: Path) -> None:
    lines = (BUSYBOX, "", "COPY . /d")
    before = fleet(lines, dockerfile="src/one.Dockerfile")
    after = fleet(lines, dockerfile="src/one.Dockerfile", head=("# a comment",))
    one, other = addresses(tmp_path, Pair("", before, after))
    assert one != other


def test_what_a_base_pinned_by_digest_triggers_is_not_known_and_may_be_all(tmp_path: Path) -> None:
    lines = (f"{TRIGGER}@sha256:{'a' * 64}", "", "USER 1")
    before, after = addresses(tmp_path, pair("", lines, things={"src/data/f.txt": Thing("changed\n")}))
    assert before != after


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_buildkit_agrees_on_what_matters(
    engine: PrivateEngine, digests: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    """Without this the examples above would be our opinion."""
    states = [
        stale_oracle.state(
            f"s{number}x{side}",
            (one.before, one.after)[side],
            tmp_path / f"{number}" / f"{side}" / "fleet",
            digests,
        )
        for side in (0, 1)  # all before and all after: what is equal in one call is made but once
        for number, one in enumerate([*MATTERS, *HARMLESS])
    ]
    built = stale_oracle.built(engine.env, [(state, {"one"}) for state in states], tmp_path)
    found: dict[str, list[str]] = {"same": [], "other": [], "failed": []}
    for number, one in enumerate([*MATTERS, *HARMLESS]):
        before, after = built[f"s{number}x0"], built[f"s{number}x1"]
        same = before.digests == after.digests
        found["failed" if before.failed or after.failed else "same" if same else "other"].append(one.why)
    # BuildKit is sent only what changed in a context since the last time, and does not always see a folder's mode.
    found = {key: [why for why in found[key] if why != "mode of a folder"] for key in found}
    assert found == {
        "same": [one.why for one in HARMLESS],
        "other": [one.why for one in MATTERS if one.why != "mode of a folder"],
        "failed": [],
    }


@pytest.mark.engine
@pytest.mark.timeout(1800)
def test_no_image_is_reused_that_buildkit_would_make_in_another_way(
    engine: PrivateEngine, digests: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    told = staleness.imagined(CASES // EACH, random=0, many=EACH)
    alone = {after.kinds[0] for story in told for after in story.afters if len(after.kinds) == 1}
    assert alone == set(CHANGES)
    tally = Tally()
    for tally in staleness.judge(engine.env, digests, tmp_path, told):
        assert not tally.stale, "\n\n".join(str(stale) for stale in tally.stale)
    assert tally.cases >= CASES
    assert tally.same >= CASES // 4, "too few images kept their address for this to say anything"
