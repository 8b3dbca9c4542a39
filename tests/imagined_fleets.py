"""Small fleets that nobody would write: what the property of test_never_stale.py is tried on.

A fleet here is a value: files, folders and links, Dockerfiles as stages of lines, and what build.toml says. Names
are few on purpose, so that things get in each other's way. Every fleet is meant to build; some do not.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from hypothesis import strategies as st

from tasks.config.lock import Base, Lock
from tasks.config.lock import write as write_lock

SHOW = (
    'cd /m; { find . | sort | while read -r p; do stat -c "%a %h %F %N" "$p" | sed "/directory/s/ [0-9]* / /"; done; '
    "find . -type f | sort | xargs cat; } >"
)
"""A shell command that tells all there is to see in a bind mount; where to comes behind it."""
PLAIN, TRIGGER = "never-stale/plain:1", "never-stale/trigger:1"
"""Two outside bases, each of which can move: PLAIN has an environment, TRIGGER has ONBUILD."""
BUSYBOX = "busybox:stable"


@dataclass(frozen=True, slots=True)
class Thing:
    """One file, folder, symlink or (by the path in `text`) hard link."""

    text: str = ""
    mode: int = 0o644
    kind: Literal["file", "dir", "symlink", "hardlink"] = "file"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: the words of its FROM, and its other lines (a heredoc is one of them)."""

    name: str
    base: str
    lines: tuple[str, ...] = ()
    runs: bool = True
    """Whether a shell is in it."""

    @property
    def text(self) -> str:
        named = f" AS {self.name}" if self.name else ""
        return "\n".join([f"FROM {self.base}{named}", *self.lines])


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of a fleet, as its Dockerfile and build.toml have it."""

    name: str
    dockerfile: str
    stages: tuple[Stage, ...]
    head: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What build.toml says beside dockerfile and context; tables are dicts."""

    @property
    def text(self) -> str:
        return "\n".join([*self.head, *(stage.text for stage in self.stages)]) + "\n"

    def table(self, key: str) -> dict[str, Any]:
        return dict(self.settings.get(key, {}))

    def with_table(self, key: str, value: Mapping[str, Any]) -> Picture:
        return replace(self, settings={**self.settings, key: dict(value)})


@dataclass(frozen=True, slots=True)
class Imagined:
    """A whole fleet. `stands` says at which of its two contents each outside base is."""

    things: Mapping[str, Thing]
    pictures: tuple[Picture, ...]
    stands: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    touched: bool = False

    def with_picture(self, picture: Picture) -> Imagined:
        found = (picture if one.name == picture.name else one for one in self.pictures)
        return replace(self, pictures=tuple(found))

    def everything(self) -> dict[str, Thing]:
        """All that lies in the project's folder, but the lock."""
        files = {picture.dockerfile: Thing(picture.text) for picture in self.pictures}
        return {**self.things, **files, "build.toml": Thing(self._toml())}

    def _toml(self) -> str:
        lines = ["[project]", 'registry = "ghcr.io"', 'owner = "acme"', 'version = "1"']
        for picture in self.pictures:
            lines += [f"[images.{picture.name}]", f'dockerfile = "{picture.dockerfile}"', 'context = "src"']
            for key, value in picture.settings.items():
                if isinstance(value, dict):
                    inside = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items())
                    lines.append(f"{key} = {{ {inside} }}")
                else:
                    lines.append(f"{key} = {json.dumps(value)}")
        return "\n".join(lines) + "\n"

    def shown(self) -> list[str]:
        """The fleet as lines to read and to compare."""
        found = [f"# {name}={value} in the environment" for name, value in sorted(self.environ.items())]
        found += [f"# {name} stands at its content {where}" for name, where in sorted(self.stands.items())]
        found += ["# all files touched"] if self.touched else []
        for path, thing in sorted(self.everything().items()):
            found.append(f"== {path}: {thing.kind} {thing.mode:04o}")
            found += [f"   {line}" for line in thing.text.splitlines()]
        return found

    def write(self, root: Path, digests: Mapping[tuple[str, str], str]) -> None:
        """Writes the project; `digests` are those of the outside bases at each of their contents."""
        everything = sorted(self.everything().items(), key=lambda item: item[1].kind == "hardlink")
        for path, thing in everything:
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if thing.kind == "file":
                place.write_text(thing.text, encoding="utf-8", newline="")
                place.chmod(thing.mode)
            elif thing.kind == "symlink":
                place.symlink_to(thing.text)
            elif thing.kind == "hardlink":
                place.hardlink_to(root / thing.text)
            else:
                place.mkdir(exist_ok=True)
        for path, thing in everything:
            if thing.kind == "dir":
                (root / path).chmod(thing.mode)
            if self.touched and thing.kind == "file":
                os.utime(root / path, (time.time() - 5e6,) * 2)
        # onbuild as bases.resolve finds it; only what the fleet stands on.
        names = "".join(picture.text + str(picture.settings) for picture in self.pictures)
        bases = {
            name: Base(digests[name, self.stands.get(name, "a")], onbuild=name == TRIGGER)
            for name in (BUSYBOX, PLAIN, TRIGGER)
            if name in names
        }
        write_lock(root, Lock(bases))


MODES = st.sampled_from([0o644, 0o644, 0o600, 0o664, 0o755])
WORDS = st.sampled_from(["one", "two", "three"])
ALWAYS = ("a.txt", "b.txt", "lib/c.txt", "lib/d.sh", "lib/deep/e.txt", "data/f.txt", "left/g", "right/g")
SOMETIMES = {
    "empty": Thing(kind="dir", mode=0o755),
    "lib/hollow": Thing(kind="dir", mode=0o755),
    "to-a": Thing("a.txt", kind="symlink"),
    "to-lib": Thing("lib", kind="symlink"),
    "nowhere": Thing("missing", kind="symlink"),
    "lib/up": Thing("../b.txt", kind="symlink"),
    "twin": Thing("src/a.txt", kind="hardlink"),
    "lib/twin": Thing("src/lib/c.txt", kind="hardlink"),
    "everything": Thing("one\n"),
    "notes.log": Thing("one\n"),
    "logs/x.log": Thing("one\n"),
}
PATTERNS = (
    "*.log", "*.log", "logs", "**/*.log", "lib/deep", "!lib/deep/e.txt", "data", "!data/f.txt", "*.md", "nowhere",
    ".dockerignore", "*.Dockerfile", "empty", "lib/hollow", "# a comment", "!lib", "twin",
)  # fmt: skip
SOURCES = (
    "a.txt", "b.txt", "lib", "lib/", "lib/c.txt", "lib/deep", "data/f.txt", "./a.txt", "lib/../b.txt", ".", ".",
    "*.txt", "lib/*", "[ab].txt", "l*/c.txt", "a.txt lib", "data lib/d.sh", "*", "lib/?.txt", "left", "a.tx[t]",
    "*.txt data/", "**/e.txt", "/lib",
)  # fmt: skip


@st.composite
def things(draw: st.DrawFn) -> dict[str, Thing]:
    found = {f"src/{path}": Thing(draw(WORDS) + "\n", draw(MODES)) for path in ALWAYS}
    for path in draw(st.lists(st.sampled_from(sorted(SOMETIMES)), unique=True, max_size=6)):
        found[f"src/{path}"] = SOMETIMES[path]
    found |= {
        f"third/{path}": Thing(draw(WORDS) + "\n") for path in ("v.txt", "w/x.txt", "left/g", "skip.md")
    }
    found |= {f"other/{path}": Thing("other\n") for path in ("v.txt", "w/x.txt", "left/g")}
    for place in ("src", "third", "src/one.Dockerfile"):
        if draw(st.integers(0, 2)) == 0:
            patterns = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4))
            dot = "" if place.endswith("file") else "/"
            found[f"{place}{dot}.dockerignore"] = Thing("\n".join(patterns) + "\n")
    return found


def _copies(there: Mapping[str, Thing]) -> list[str]:
    extra = {
        "to-a": ["to-a"], "to-lib": ["to-lib", "to-lib/c.txt", "to-l*"], "twin": ["twin a.txt", "twin", "t*"],
        "lib/up": ["lib/up"], "everything": ["everything"], "empty": ["empty"], "notes.log": ["n*", "notes.log"],
    }  # fmt: skip
    return [*SOURCES, *(text for path, texts in extra.items() if f"src/{path}" in there for text in texts)]


@st.composite
def lines(
    draw: st.DrawFn, there: Mapping[str, Thing], before: tuple[Stage, ...], siblings: tuple[str, ...]
) -> str:
    """One line of a stage with a shell."""
    number = draw(st.integers(0, 99))
    source = draw(st.sampled_from(_copies(there)))
    earlier = [stage.name or str(order) for order, stage in enumerate(before) if stage.runs]
    flag = draw(st.sampled_from(["", "", "", "--chmod=0711 ", "--chown=1:2 ", "--link "]))
    options = [
        f"COPY {flag}{source} /c{number}/",
        f"COPY {flag}{source} /c{number}/",
        f"COPY {flag}{source} /c{number}/",
        f"ADD {source} /d{number}/",
        f"COPY {json.dumps([*source.split(), f'/j{number}/'])}",
        f"COPY <<X /h{number}\nbody {draw(WORDS)} $A\nX",
        f"RUN <<X\necho {draw(WORDS)} > /out/{number}\nX",
        f"RUN env | sort > /out/{number}",
        f"RUN env | sort > /out/{number}",
        f"RUN echo {draw(WORDS)} ,from={draw(st.sampled_from(['x/y', 'x/z']))} > /out/{number}",
        f"RUN --mount=type=bind,target=/m {SHOW} /out/{number}",
        f"RUN --mount=target=/m,source=lib {SHOW} /out/{number}",
        f"RUN --mount=target=/m,source=a.txt cat /m > /out/{number}",
        f"RUN --mount=target=/m,from=vendor {SHOW} /out/{number}",
        f"RUN --mount=target=/m,from=vendor,source=w {SHOW} /out/{number}",
        *(f"ARG {name}" for name in ("A", "B", "A=dflt", "C=$A", "TARGETARCH", "BUILDPLATFORM")),
        *("ARG SOURCE_DATE_EPOCH", "ARG PLACE=right", "ENV DIR=lib", "ENV E=$A F=b", "ENV G=a\\$b"),
        f"ENV W {draw(WORDS)}",
        f"COPY ${{PLACE:-left}} /p{number}",
        f"COPY ${{PLACE:-left}} /p{number}",
        f"COPY ${{DIR:-data}} /p{number}",
        f"COPY --from=vendor {draw(st.sampled_from(['.', 'v.txt', 'w', '*.txt', '${PLACE:-left}']))} /v{number}/",
        f"LABEL l={draw(WORDS)}",
        f'CMD ["{draw(WORDS)}"]',
        "ONBUILD COPY data /onbuild/",
        "ONBUILD ARG A=trig",
        f"ONBUILD RUN echo {draw(WORDS)} $A $B > /onbuilt",
        *(f"COPY --from={name} /out /f{number}/" for name in earlier * 2),
        *(
            f"RUN --mount=target=/m,from={name},source=/out {SHOW} /out/{number}"
            for name in earlier
            if name.isalpha()
        ),
        *(f"COPY --from=ghcr.io/acme/{name}:1 /out /s{number}/" for name in siblings * 2),
        f"COPY --from={PLAIN} /which /w{number}",
        f"COPY --from={BUSYBOX} /bin/busybox /w{number}",
    ]
    return draw(st.sampled_from(options))


@st.composite
def stages(draw: st.DrawFn, there: Mapping[str, Thing], siblings: tuple[str, ...]) -> tuple[Stage, ...]:
    found: tuple[Stage, ...] = ()
    for order in range(draw(st.sampled_from([1, 1, 2, 2, 3]))):
        name = draw(st.sampled_from(["", *"xyz"])) if order == 0 else "uvw"[order]
        standing = [stage.name for stage in found if stage.name and stage.runs]
        base = draw(
            st.sampled_from(
                [
                    *([BUSYBOX] * 4), "$BASE", "--platform=$BUILDPLATFORM busybox:stable", PLAIN, TRIGGER, "scratch",
                    *standing * 3,
                    *["${WHICH:-" + standing[-1] + "}" for _ in standing[:1]],
                    *(f"ghcr.io/acme/{name}:1" for name in siblings * 3),
                    *("$SIBLING" for _ in siblings),
                ]
            )
        )  # fmt: skip
        if base == "scratch":
            sources = draw(st.lists(st.sampled_from(_copies(there)), min_size=1, max_size=2))
            origin = [f"COPY --from={stage.name} /out /o/" for stage in found if stage.name and stage.runs]
            copies = [f"COPY {source} /c{number}/" for number, source in enumerate(sources)]
            found += (Stage(name, base, (*copies, *origin), runs=False),)
            continue
        first = f"COPY <<X /out/m{order}\n{name or 'first'}\nX"  # no shell, which costs the most
        some = draw(st.lists(lines(there, found, siblings), min_size=1, max_size=5))
        found += (Stage(name, base, (first, *some)),)
    return found


@st.composite
def fleets(draw: st.DrawFn) -> Imagined:
    """A whole fleet."""
    there = draw(things())
    pictures: tuple[Picture, ...] = ()
    for name in ("one", "two", "three")[: draw(st.sampled_from([1, 1, 2, 2, 3]))]:
        siblings = tuple(picture.name for picture in pictures if picture.stages[-1].runs)
        found = draw(stages(there, siblings))
        settings: dict[str, Any] = {"contexts": {"vendor": "third"}}
        args = {key: draw(WORDS) for key in draw(st.lists(st.sampled_from("AB"), unique=True, max_size=2))}
        if siblings:
            args["SIBLING"] = "{image." + siblings[0] + "}"
        if draw(st.integers(0, 4)) == 0:
            settings["matrix"] = {"m": [draw(WORDS)]}
            args["B"] = "{m}"
        settings["args"] = args
        named = [stage.name for stage in found if stage.name]
        if named and draw(st.integers(0, 3)) == 0:
            settings["target"] = draw(st.sampled_from(named))
        if draw(st.integers(0, 5)) == 0:
            settings["labels"] = {"made.by": draw(WORDS)}
        head = [f"ARG BASE={BUSYBOX}"]
        head += ["ARG SIBLING"] if siblings else []
        head += draw(
            st.lists(st.sampled_from(["ARG A=global", "ARG B", "ARG WHICH", "ARG UNUSED=1"]), unique=True)
        )
        inside = draw(st.booleans())
        place = f"src/{name}.Dockerfile" if inside else f"docker/{name}/Dockerfile"
        pictures += (Picture(name, place, found, tuple(head), settings),)
    environ = {"SOURCE_DATE_EPOCH": "1000"} if draw(st.integers(0, 7)) == 0 else {}
    return Imagined(there, pictures, {PLAIN: "a", TRIGGER: "a"}, environ)
