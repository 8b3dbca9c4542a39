"""What may happen to a fleet between two builds: one small change at a time, each with a name for its kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.imagined_fleets import (
    BUSYBOX,
    PATTERNS,
    PLAIN,
    TRIGGER,
    WORDS,
    Imagined,
    Picture,
    Stage,
    Thing,
    fleets,
)

Draw = st.DrawFn
Change = Callable[[Draw, Imagined], "Imagined | None"]
"""A change; None where the fleet has nothing for it to happen to."""

CHANGES: dict[str, Change] = {}
HARMLESS = (
    "touch",
    "comment",
    "comment in an instruction",
    "spacing",
    "keyword in lower case",
    "blank lines",
)
"""Kinds that change no image, unless a Dockerfile is copied."""


def change(kind: str) -> Callable[[Change], Change]:
    """Keeps a change under the name of its kind."""

    def keep(made: Change) -> Change:
        CHANGES[kind] = made
        return made

    return keep


def _some(draw: Draw, fleet: Imagined, *kinds: str, under: str = "") -> str | None:
    """Draws the path of a thing of these kinds."""
    paths = [
        path for path, thing in sorted(fleet.things.items()) if thing.kind in kinds and path.startswith(under)
    ]
    ignore = {path for path in paths if path.endswith(".dockerignore")}
    known = [path for path in paths if path not in ignore]
    return draw(st.sampled_from(known)) if known else None


def _with(fleet: Imagined, found: dict[str, Thing | None]) -> Imagined:
    """Returns the fleet with some things replaced, or (None) gone; nothing hangs on what is gone."""
    there = {**fleet.things, **found}
    kept = {path: thing for path, thing in there.items() if thing is not None}
    lost = [path for path, thing in kept.items() if thing.kind == "hardlink" and thing.text not in kept]
    return replace(fleet, things={path: thing for path, thing in kept.items() if path not in lost})


def _thing(kind: str, *kinds: str) -> Callable[[Callable[[Draw, str, Thing], dict[str, Thing | None]]], None]:
    """A change of one thing of these kinds."""

    def keep(made: Callable[[Draw, str, Thing], dict[str, Thing | None]]) -> None:
        def happen(draw: Draw, fleet: Imagined) -> Imagined | None:
            path = _some(draw, fleet, *kinds)
            return None if path is None else _with(fleet, made(draw, path, fleet.things[path]))

        CHANGES[kind] = happen

    return keep


@_thing("content", "file")
def _content(draw: Draw, path: str, thing: Thing) -> dict[str, Thing | None]:
    return {path: replace(thing, text=thing.text + draw(WORDS) + "\n")}


@_thing("mode", "file", "dir")
def _mode(draw: Draw, path: str, thing: Thing) -> dict[str, Thing | None]:
    return {path: replace(thing, mode=draw(st.sampled_from([0o700, 0o755, 0o640, 0o750])))}


@_thing("rename", "file", "dir", "symlink")
def _rename(draw: Draw, path: str, thing: Thing) -> dict[str, Thing | None]:
    return {path: None, path + draw(st.sampled_from(["x", ".txt", ".log"])): thing}


@_thing("delete", "file", "dir", "symlink", "hardlink")
def _delete(_: Draw, path: str, __: Thing) -> dict[str, Thing | None]:
    return {path: None}


@_thing("symlink target", "symlink")
def _retarget(draw: Draw, path: str, _: Thing) -> dict[str, Thing | None]:
    text = draw(st.sampled_from(["a.txt", "b.txt", "lib", "data", "gone", "/lib", "a.txt ", "../a.txt"]))
    return {path: Thing(text, kind="symlink")}


@_thing("file becomes a symlink", "file")
def _linked(draw: Draw, path: str, _: Thing) -> dict[str, Thing | None]:
    return {path: Thing(draw(st.sampled_from(["b.txt", "/b.txt", "c.txt"])), kind="symlink")}


@change("hard link becomes a copy")
def _unlinked(draw: Draw, fleet: Imagined) -> Imagined | None:
    path = _some(draw, fleet, "hardlink")
    return None if path is None else _with(fleet, {path: fleet.things[fleet.things[path].text]})


@change("copy becomes a hard link")
def _joined(draw: Draw, fleet: Imagined) -> Imagined | None:
    path = _some(draw, fleet, "file", under="src/")
    if path is None:
        return None
    text = fleet.things[path].text
    alike = [
        other
        for other, thing in sorted(fleet.things.items())
        if other != path
        and thing.kind == "file"
        and thing.text == text
        and thing.mode == fleet.things[path].mode
    ]
    hangs = any(thing.kind == "hardlink" and thing.text == path for thing in fleet.things.values())
    if not alike or hangs:
        return None
    return _with(fleet, {path: Thing(draw(st.sampled_from(alike)), kind="hardlink")})


@change("two files change places")
def _swapped(draw: Draw, fleet: Imagined) -> Imagined | None:
    one, other = _some(draw, fleet, "file"), _some(draw, fleet, "file")
    if one is None or other is None:
        return None
    return _with(fleet, {one: fleet.things[other], other: fleet.things[one]})


@change("add a file")
def _add(draw: Draw, fleet: Imagined) -> Imagined:
    names = [
        "new.txt",
        "lib/new.txt",
        "lib/deep/new",
        "data/new",
        "new/deep/er",
        "left/new",
        "new.log",
        "x.md",
    ]
    return _with(
        fleet, {f"{draw(st.sampled_from(['src', 'src', 'third']))}/{draw(st.sampled_from(names))}": Thing()}
    )


@change("add an empty folder")
def _folder(draw: Draw, fleet: Imagined) -> Imagined:
    names = ["void", "lib/void", "data/void", "left/void"]
    return _with(fleet, {f"src/{draw(st.sampled_from(names))}": Thing(mode=0o755, kind="dir")})


@change("outside every context")
def _outside(_: Draw, fleet: Imagined) -> Imagined:
    return _with(fleet, {"README.md": Thing("read me\n")})


@change("ignore file")
def _ignore(draw: Draw, fleet: Imagined) -> Imagined:
    path = draw(
        st.sampled_from(["src/.dockerignore", "third/.dockerignore", "src/one.Dockerfile.dockerignore"])
    )
    before = fleet.things.get(path)
    text = draw(st.sampled_from([f"{draw(st.sampled_from(PATTERNS))}\n", "# nothing\n", "\n"]))
    if before and draw(st.booleans()):
        first, *rest = before.text.splitlines(keepends=True)
        return _with(fleet, {path: Thing("".join([*rest, first]))})
    return _with(fleet, {path: Thing((before.text if before else "") + text)})


@change("an ignored file")
def _ignored(draw: Draw, fleet: Imagined) -> Imagined:
    path = draw(st.sampled_from(["src/notes.log", "src/logs/x.log", "src/lib/deep/e.txt", "src/data/f.txt"]))
    return _with(fleet, {path: Thing("changed\n")})


@change("touch")
def _touch(_: Draw, fleet: Imagined) -> Imagined:
    return replace(fleet, touched=True)


@change("environment SOURCE_DATE_EPOCH")
def _epoch(draw: Draw, fleet: Imagined) -> Imagined:
    return replace(fleet, environ={"SOURCE_DATE_EPOCH": "2000"} if draw(st.booleans()) else {})


@change("a base moved")
def _moved(draw: Draw, fleet: Imagined) -> Imagined:
    return replace(
        fleet, stands={**fleet.stands, PLAIN: "b"} if draw(st.booleans()) else {PLAIN: "b", TRIGGER: "b"}
    )


@change("an ONBUILD base moved")
def _triggers(_: Draw, fleet: Imagined) -> Imagined:
    return replace(fleet, stands={**fleet.stands, TRIGGER: "b"})


def _picture(kind: str) -> Callable[[Callable[[Draw, Picture], Picture | None]], None]:
    """A change of one image."""

    def keep(made: Callable[[Draw, Picture], Picture | None]) -> None:
        def happen(draw: Draw, fleet: Imagined) -> Imagined | None:
            picture = made(draw, draw(st.sampled_from(fleet.pictures)))
            return None if picture is None else fleet.with_picture(picture)

        CHANGES[kind] = happen

    return keep


@_picture("argument value")
def _value(draw: Draw, picture: Picture) -> Picture:
    name = draw(st.sampled_from(["A", "B", "PLACE", "C", "FLAVOUR"]))
    values = st.sampled_from(["one", "two", "left", "right", "unset", "", "dflt"])
    return picture.with_table("args", {**picture.table("args"), name: draw(values)})


@_picture("an argument nobody declares")
def _undeclared(draw: Draw, picture: Picture) -> Picture:
    name = draw(st.sampled_from(["NOBODY", "UNUSED", "http_proxy", "DIR", "TARGETARCH"]))
    return picture.with_table("args", {**picture.table("args"), name: "http://x"})


@_picture("an argument that steers BuildKit")
def _steering(draw: Draw, picture: Picture) -> Picture:
    name = draw(st.sampled_from(["SOURCE_DATE_EPOCH", "BUILDKIT_SANDBOX_HOSTNAME"]))
    return picture.with_table("args", {**picture.table("args"), name: "77"})


@_picture("argument dropped")
def _dropped(draw: Draw, picture: Picture) -> Picture | None:
    args = {key: value for key, value in picture.table("args").items() if key in "AB"}
    if not args:
        return None
    gone = draw(st.sampled_from(sorted(args)))
    return picture.with_table("args", {k: v for k, v in picture.table("args").items() if k != gone})


@_picture("argument that selects")
def _selects(draw: Draw, picture: Picture) -> Picture:
    name, values = "BASE", [BUSYBOX, "docker.io/library/busybox:stable", PLAIN]
    named = [stage.name for stage in picture.stages if stage.name]
    choice = draw(st.sampled_from(["BASE", "WHICH"]))
    if named and choice == "WHICH":
        name, values = choice, [*named, BUSYBOX]
    return picture.with_table("args", {**picture.table("args"), name: draw(st.sampled_from(values))})


@_picture("matrix value")
def _matrix(draw: Draw, picture: Picture) -> Picture | None:
    return picture.with_table("matrix", {"m": [draw(WORDS)]}) if picture.table("matrix") else None


@_picture("label")
def _label(draw: Draw, picture: Picture) -> Picture:
    return picture.with_table("labels", {"made.by": draw(WORDS)})


@_picture("target")
def _target(draw: Draw, picture: Picture) -> Picture | None:
    named = ["", *(stage.name for stage in picture.stages if stage.name)]
    return replace(picture, settings={**picture.settings, "target": draw(st.sampled_from(named))})


@_picture("named context")
def _context(draw: Draw, picture: Picture) -> Picture:
    return picture.with_table("contexts", {"vendor": draw(st.sampled_from(["third", "other"]))})


@_picture("a stage becomes a named context")
def _replaced(draw: Draw, picture: Picture) -> Picture:
    names = [stage.name for stage in picture.stages[:-1] if stage.name] or ["busybox"]
    given = {draw(st.sampled_from(names)): draw(st.sampled_from([f"docker-image://{PLAIN}", "third"]))}
    return picture.with_table("contexts", {**picture.table("contexts"), **given})


@_picture("comment")
def _comment(draw: Draw, picture: Picture) -> Picture:
    at = draw(st.integers(0, len(picture.head)))
    return replace(picture, head=(*picture.head[:at], f"# {draw(WORDS)}", *picture.head[at:]))


@_picture("blank lines")
def _blank(_: Draw, picture: Picture) -> Picture:
    return replace(picture, stages=tuple(replace(s, lines=("", *s.lines, "")) for s in picture.stages))


@_picture("escape directive")
def _escape(_: Draw, picture: Picture) -> Picture:
    return replace(picture, head=("# escape=`", *picture.head))


@_picture("global argument")
def _global(draw: Draw, picture: Picture) -> Picture:
    line = draw(
        st.sampled_from(["ARG A=other", "ARG B=other", "ARG UNUSED=2", "ARG C=other", "ARG PLACE=left"])
    )
    return replace(picture, head=(*picture.head, line))


@_picture("stages change places")
def _order(draw: Draw, picture: Picture) -> Picture | None:
    if len(picture.stages) < 3:
        return None
    first, second, *rest = picture.stages
    if draw(st.booleans()):
        first, second = replace(first, lines=second.lines), replace(second, lines=first.lines)
    else:
        first, second = replace(first, base=second.base), replace(second, base=first.base)
    return replace(picture, stages=(first, second, *rest))


@_picture("stage order")
def _turned(_: Draw, picture: Picture) -> Picture | None:
    if len(picture.stages) < 3:
        return None
    first, second, *rest = picture.stages
    return replace(picture, stages=(second, first, *rest))


def _line(kind: str, wanted: str = "") -> Callable[[Callable[[Draw, str], list[str] | None]], None]:
    """A change of one line (an instruction, a heredoc with its body) that contains what is `wanted`."""

    def keep(made: Callable[[Draw, str], list[str] | None]) -> None:
        def happen(draw: Draw, picture: Picture) -> Picture | None:
            places = [
                (order, number)
                for order, stage in enumerate(picture.stages)
                for number, line in enumerate(stage.lines)
                if wanted in line
            ]
            if not places:
                return None
            order, number = draw(st.sampled_from(places))
            stage = picture.stages[order]
            found = made(draw, stage.lines[number])
            if found is None:
                return None
            changed = replace(stage, lines=(*stage.lines[:number], *found, *stage.lines[number + 1 :]))
            return replace(picture, stages=(*picture.stages[:order], changed, *picture.stages[order + 1 :]))

        _picture(kind)(happen)

    return keep


@_line("instruction text")
def _text(draw: Draw, line: str) -> list[str] | None:
    words = re.findall(r"\b(?:one|two|three|lib|a\.txt|dflt|right|left|body|third|data|trig)\b", line)
    if not words:
        return None
    others = st.sampled_from(["one", "two", "three", "b.txt", "left", "data"])
    return [line.replace(draw(st.sampled_from(words)), draw(others), 1)]


@_line("heredoc body", wanted="<<X")
def _body(draw: Draw, line: str) -> list[str]:
    return [line.replace("\n", draw(st.sampled_from(["\n# ", "\n\n", "\n : "])), 1)]


@_line("text that looks like a reference", wanted=",from=x")
def _looks(_: Draw, line: str) -> list[str]:
    return [line.replace("x/y", "x/other").replace("x/z", "x/y")]


@_line("reference", wanted="--from=")
def _reference(draw: Draw, line: str) -> list[str]:
    other = draw(st.sampled_from(["x", "u", "v", "0", "1", PLAIN, BUSYBOX, "ghcr.io/acme/one:1"]))
    return [re.sub(r"--from=\S+", f"--from={other}", line)]


@_line("instruction removed")
def _removed(_: Draw, __: str) -> list[str]:
    return []


@_line("instruction twice")
def _twice(_: Draw, line: str) -> list[str]:
    return [line, line]


@_line("comment in an instruction")
def _inner(draw: Draw, line: str) -> list[str]:
    first, blank, rest = line.partition(" ")
    return [f"{first}{blank}\\\n# {draw(WORDS)}\n{rest}"]


@_line("spacing")
def _spacing(draw: Draw, line: str) -> list[str]:
    first, _, rest = line.partition(" ")
    return [f"{draw(st.sampled_from(['', '  ']))}{first}   {rest}"]


@_line("spacing inside")
def _spaces(_: Draw, line: str) -> list[str]:
    head, blank, tail = line.partition("\n")
    return [re.sub(" ", "  ", head) + blank + tail]


@_line("keyword in lower case")
def _case(_: Draw, line: str) -> list[str]:
    return [line[:3].lower() + line[3:]]


@_picture("two instructions change places")
def _exchanged(draw: Draw, picture: Picture) -> Picture | None:
    order = draw(st.integers(0, len(picture.stages) - 1))
    stage = picture.stages[order]
    first = 1 if stage.runs else 0
    if len(stage.lines) < first + 2:
        return None
    at = draw(st.integers(first, len(stage.lines) - 2))
    found = list(stage.lines)
    found[at], found[at + 1] = found[at + 1], found[at]
    changed = replace(stage, lines=tuple(found))
    return replace(picture, stages=(*picture.stages[:order], changed, *picture.stages[order + 1 :]))


@_picture("references change places")
def _crossed(_: Draw, picture: Picture) -> Picture | None:
    """Two COPY --from of one stage take from each other's place."""
    for order, stage in enumerate(picture.stages):
        found = [n for n, line in enumerate(stage.lines) if line.startswith("COPY --from=")]
        if len(found) < 2:
            continue
        one, other = (re.match(r"COPY --from=(\S+)", stage.lines[n]) for n in found[:2])
        changed = list(stage.lines)
        for number, match in ((found[0], other), (found[1], one)):
            changed[number] = re.sub(r"--from=\S+", f"--from={match[1] if match else ''}", changed[number])
        stages: tuple[Stage, ...] = (
            *picture.stages[:order], replace(stage, lines=tuple(changed)), *picture.stages[order + 1 :],
        )  # fmt: skip
        return replace(picture, stages=stages)
    return None


@_picture("stage renamed")
def _renamed(_: Draw, picture: Picture) -> Picture | None:
    last = picture.stages[-1]
    if picture.settings.get("target") == last.name and last.name:
        return None
    return replace(picture, stages=(*picture.stages[:-1], replace(last, name="final")))


@_picture("a stage nobody reaches")
def _unreached(draw: Draw, picture: Picture) -> Picture:
    extra = Stage("idle", draw(st.sampled_from([BUSYBOX, PLAIN])), (f"RUN echo {draw(WORDS)}",))
    at = draw(st.sampled_from([0, len(picture.stages) - 1]))
    return replace(picture, stages=(*picture.stages[:at], extra, *picture.stages[at:]))


@dataclass(frozen=True, slots=True)
class After:
    """What became of a fleet, and by which kinds of change."""

    kinds: tuple[str, ...]
    fleet: Imagined


@dataclass(frozen=True, slots=True)
class Story:
    """A fleet, and several things that it may become: each of them is one case."""

    before: Imagined
    afters: tuple[After, ...]


@st.composite
def afters(draw: Draw, before: Imagined, order: tuple[str, ...]) -> After:
    """One or two changes that happen to a fleet: the first kind in order that can, and maybe any other."""
    fleet, kinds = before, list[str]()
    for start in [0, *draw(st.lists(st.integers(0, len(order) - 1), max_size=1))]:
        for kind in order[start:] + order[:start]:
            found = CHANGES[kind](draw, fleet)
            if found is not None and found != fleet:
                fleet = found
                kinds.append(kind)
                break
    return After(tuple(kinds) or ("nothing",), fleet)


@st.composite
def stories(draw: Draw, order: tuple[str, ...], many: int = 5) -> Story:
    """A fleet and `many` cases; kinds of change are tried in this order, each once."""
    before = draw(fleets())
    found: list[After] = []
    for _ in range(many):
        after = draw(afters(before, order))
        found.append(after)
        order = tuple(sorted(order, key=lambda kind: kind == after.kinds[0]))  # that one comes last
    return Story(before, tuple(found))
