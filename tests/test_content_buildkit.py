"""Ignore rules and what a COPY takes, against BuildKit itself: what lands in the image, and nothing else.

Every file holds its own path, so that the image tells which files were taken. Each case is a named context of
its own: BuildKit sends each of them apart, by its own ignore file, and one build tries them all.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tasks.contents.statcache import StatCache
from tasks.contents.trees import rules, tree
from tasks.errors import ConfigError
from tasks.planning.content import Entry, Tree, copied
from tasks.planning.ignore import Rules, read
from tests.buildkit import buildx
from tests.conftest import PrivateEngine

pytestmark = pytest.mark.engine

Spec = Mapping[str, str]


class Case(NamedTuple):
    """A context (path -> "dir", "fifo", "-> target" of a symlink, or a file's mode), and a COPY from it."""

    context: Spec
    sources: Sequence[str] = (".",)
    ignore: str | None = None


class Thing(NamedTuple):
    """Something in an image or a context: files by what they hold, all else by name."""

    kind: str
    name: str
    detail: str = ""


FILES = """
    a b ab a.log .env .hidden/x README.md Dockerfile docs/index.md docs/api/a.md docs/api/b.log docs/README.md
    src/a.go src/b.log src/lib/c.go src/lib/.env src/lib/deep/d.go src/lib/deep/README.md src/node_modules/m.js
    node_modules/n.js node_modules/k/node_modules/o.js foo/a foo/bar/x foo/bar/y foo/baz/x foobar/x x/foo x/y/foo
    x/y/z x/foo.txt !bang/x #hash [class] a^b star*file br{a}ce dollar$ plus+ back\\slash par(en) pi|pe tmp/1 tmp/2
    ünï/cödé x/ünï
""".split()  # noqa: SIM905
WORLD: Spec = dict.fromkeys(FILES, "644") | {
    "with space": "600",
    "tool": "755",
    "empty": "dir",
    "x/hollow": "dir",
    "foo/pipe": "fifo",
    "to-docs": "-> docs",
    "src/up": "-> ../a",
}

IGNORES = [
    # Rooted names, wildcards, folders.
    "foo", "*.log", "docs/", "/docs", "./docs/api", "docs/api/../README.md", "//docs//api//", "*", ".", "/",
    "..", "../docs", "*/*", "*/*/*", "?", "a?", "src/*", "src/*/", "*/README.md", "foo/ba?/x", ".*", "a*",
    "*o*/x",
    # Two stars.
    "**", "**/foo", "**foo", "**/*.md", "**/README.md", "src/**", "src/**/*.go", "src/**/d.go",
    "**/node_modules", "foo**", "**/x", "**/**", "x/**/foo", "**/lib/**", "a**", "**/y/", "***",
    "**/*o*/**", "foo/**bar", "**.md", "src/**deep",
    # Exceptions.
    "*\n!src", "*\n!src/lib", "*\n!src/lib/deep/d.go", "**\n!docs/*.md", "docs\n!docs/README.md",
    "docs/\n!docs/api/", "*\n!**/README.md", "*\n!*.md", "src\n!src/lib\nsrc/lib/deep", "*.md\n!README.md",
    "!README.md\n*.md", "**/*.md\n!**/api/*", "foo\n!foo/bar\nfoo/bar/x", "*\n!foo/*", "*\n!foo/*\nfoo/bar",
    "*\n!x/**", "x/y\n!x", "x/y\n!x\nx/y/z", "x\n!x/y", "foo/bar\n!foo\n", "x/foo\nx/y\n!x\n",
    "**\n!foo/bar/", "*\n!fo*/ba?", "src/*\n!src/lib\nsrc/lib/*\n!src/lib/deep", "*\n!empty",
    "empty\n!empty/no", "*\n!foo/pipe", "*\n!src/up", "*\n!to-docs", "to-docs/*", "*\n! src", "*\n!/src/",
    "*\n!./src/../docs", "*\n/!src", "./!foo", "!!bang", "*\n!!bang", "*\n!foo/bar/x\nfoo/baz", "foo\n!foo",
    "!foo\nfoo", "*\n!src/lib/deep/nothing", "**/foo\n!x/**/foo",
    # Lines.
    "# foo\nfoo", " # foo\nfoo", "#hash", "\\#hash", " #hash", "  foo  \n\t*.log\t", "foo\r\n*.log\r\n",
    "\ufefffoo", "\ufeff# x\nfoo", "\n\n \nfoo\n\n", "foo\x0b\x0c", "with space", "\u00a0foo\u2003", "",
    "# nothing", "/ foo", "*\n!/ foo",
    # Escapes and classes.
    "\\!bang", "[a-c]", "[^a]", "[!a]", "[ab]*", "x/[^y]", "[^a]*", "docs[^a]api", "\\[class\\]",
    "[[]class]", "star\\*file", "a^b", "^a*", "a^*", "br{a}ce", "br{a}*", "dollar$", "dolla?$", "plus+*",
    "par(en)", "a.log", "a[.]log", "a?log", "b]", "[a-c]*]", "back\\\\slash", "x/[^a-z]*", "?ar(*",
    "[\\]a]", "[a\\-z]", "*[e-g]*",
]  # fmt: skip

# Read one way by Go's Match and another by its regular expressions; we then leave nothing out.
UNCLEAR = ["[a*]", "pi|p*", "a{2}*", "[a?]b", "\\foo", "\\d*", "[[:alpha:]]*", "x/\\w"]

REFUSED = ["!", "!/", "[", "a[", "foo\n[]a]", "[a-]", "[-a]", "[^]", "back\\", "!["]

LINKS: Spec = {
    "a1": "644", "b2": "640", "tool3": "755", "d/c4": "644", "d/e/f5": "600", "d/e/g6": "dir",
    "d/h7": "fifo", "w/i8": "644", "w/d9/j10": "644", "w/d9/k11": "-> ../../a1", "l12": "-> a1",
    "l13": "-> d", "l14": "-> l13/e", "d/l15": "-> e/f5", "d/l16": "-> ../w/i8", "l17": "-> /d/e",
    "l18": "-> ../../../d", "w/l19": "-> ..", "l20": "-> l12", "l21": "-> nothing",
    "d/e/l22": "-> /w/d9/j10", "deep/n/o/p23": "644", "deep/q": "-> n/o", "[x]": "644", "y24*z": "644",
    "w/[z]": "644", "st\\*r": "644",
}  # fmt: skip

COPIES: list[Sequence[str]] = [
    (".",), ("/",), ("./",), ("..",), ("./.",), ("*",), ("a1",), ("/a1",), ("./a1",), ("../a1",),
    ("d/../a1",), ("d",), ("d/",), ("d/.",), ("d/e",), ("/d//e/",), ("*/*",), ("*/e",), ("?1",), ("[ab]?",),
    ("[^a]*",), ("d?e",), ("l12",), ("l13",), ("l13/",), ("l13/e",), ("l14",), ("l14/f5",), ("d/l15",),
    ("d/l16",), ("l17",), ("l18/c4",), ("l18",), ("w/l19",), ("w/l19/*3",), ("l20",), ("d/e/l22",),
    ("l1[2-4]",), ("*/l*",), ("*/e/l22",), ("deep/q",), ("deep/q/p23",), ("deep/q/*",), ("deep/*",),
    ("*/q",), ("none*",), ("a1", "b2"), ("l12", "l20", "a1"), ("d", "w"), ("d/h7",), ("d/e/g6",), ("**",),
    ("**/f5",), ("[[]x]",), ("*/[[]z]",), ("y*z",), ("[t]ool3", "*2"), ("*/../a1",), ("d/e/f*",),
    ("a1", "*"), ("l13", "d"), ("d/*5",), ("w/d9",), ("l1[78]",),
]  # fmt: skip

# BuildKit asks for more than these take, and fails where that is not sent: another stage has all sent.
COPIES_OF_ALL: list[Sequence[str]] = [
    ("d/*",), ("d/*/*",), ("d*",), ("[^a-v]",), ("d[^x]e",), ("l13/*",), ("d/none*", "a1"), ("d/**",),
    ("w/d*/k*",), ("y24[*]z",), ("l1*",), ("*/l*", "w/i8"),
]  # fmt: skip


def lay(root: Path, context: Spec) -> Path:
    """Makes a context; every file holds its own path."""
    for path, what in context.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if what == "dir":
            place.mkdir(exist_ok=True)
        elif what == "fifo":
            os.mkfifo(place)
        elif what.startswith("-> "):
            place.symlink_to(what[3:])
        else:
            place.write_text(path)
            place.chmod(int(what, 8))
    return root


def bake(engine: PrivateEngine, targets: Mapping[str, Mapping[str, object]]) -> str:
    """Builds targets in one call; returns what went wrong, or ""."""
    plain = {"attest": ["type=provenance,disabled=true"]}
    definition = {
        "group": {"default": {"targets": list(targets)}},
        "target": {name: {**plain, **target} for name, target in targets.items()},
    }
    done = buildx(engine, "bake", "-f", "-", "--progress=plain", stdin=json.dumps(definition))
    return done.stderr[-2000:] if done.returncode else ""


def built(engine: PrivateEngine, cases: Sequence[Case], folder: Path) -> list[dict[str, Thing]]:
    """Builds all cases at once; returns what each put into its folder of the image, by path."""
    contexts = {}
    lines = ["FROM scratch"]
    for number, case in enumerate(cases):
        contexts[f"c{number}"] = str(lay(folder / f"{number}", case.context))
        if case.ignore is not None:
            ignore = folder / f"{number}" / ".dockerignore"
            ignore.write_text(case.ignore, encoding="utf-8", newline="")
        lines.append(f"COPY --from=c{number} {json.dumps([*case.sources, f'/{number}/'])}")
    (folder / "main").mkdir()
    target = {
        "context": str(folder / "main"),
        "dockerfile-inline": "\n".join(lines),
        "contexts": contexts,
        "output": [f"type=tar,dest={folder}/out.tar"],
    }
    fault = bake(engine, {"all": target})
    assert not fault, fault
    found: list[dict[str, Thing]] = [{} for _ in cases]
    for path, what in exported(folder / "out.tar"):
        place, _, inside = path.partition("/")
        if inside:
            found[int(place)][inside] = what
    return found


def exported(archive: Path) -> Iterator[tuple[str, Thing]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name.rstrip("/")
            opened = tar.extractfile(member) if member.isreg() or member.islnk() else None
            if opened:
                yield path, Thing("file", opened.read().decode(), oct(member.mode))
            elif member.issym():
                yield path, Thing("symlink", path.rpartition("/")[2], member.linkname)
            else:
                kind = "dir" if member.isdir() else "fifo" if member.isfifo() else "other"
                yield path, Thing(kind, path.rpartition("/")[2], oct(member.mode))


def thing(entry: Entry) -> Thing:
    if entry.kind == "file":
        return Thing("file", entry.path, oct(entry.mode))
    name = entry.path.rpartition("/")[2]
    return Thing(entry.kind, name, entry.link if entry.kind == "symlink" else oct(entry.mode))


def seen(root: Path, ignore: Rules) -> Tree:
    return tree(root, ignore, StatCache(root.parent / "stats"))


@pytest.fixture(scope="module")
def ignored(
    engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, dict[str, Thing]]]:
    folder = tmp_path_factory.mktemp("ignored")
    texts = [*IGNORES, *UNCLEAR]
    found = built(engine, [Case(WORLD, ignore=text) for text in texts], folder)
    return folder, dict(zip(texts, found, strict=True))


@pytest.mark.parametrize("text", IGNORES)
def test_what_an_ignore_file_leaves_is_what_buildkit_is_sent(
    text: str, ignored: tuple[Path, dict[str, dict[str, Thing]]]
) -> None:
    folder, sent = ignored
    root = folder / str(IGNORES.index(text))
    ours = {entry.path: thing(entry) for entry in seen(root, rules(root, ".")).entries}
    left = {path: found for path, found in ours.items() if path != ".dockerignore"}
    assert left == {path: found for path, found in sent[text].items() if path != ".dockerignore"}


@pytest.mark.parametrize("text", UNCLEAR)
def test_a_pattern_of_uncertain_meaning_leaves_nothing_out(
    text: str, ignored: tuple[Path, dict[str, dict[str, Thing]]]
) -> None:
    found = read(text)
    assert "not certain" in found.note
    assert not found.excludes("foo")
    assert set(ignored[1][text]) <= {entry.path for entry in seen(ignored[0] / "0", found).entries}


def test_what_buildkit_refuses_is_refused(engine: PrivateEngine, tmp_path: Path) -> None:
    def refused(number: int) -> str:
        root = lay(tmp_path / str(number), {"a": "644", "foo": "644"})
        (root / ".dockerignore").write_text(REFUSED[number])
        (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
        for _ in range(5):
            done = buildx(engine, "build", "-q", "--output=type=cacheonly", str(root))
            if "Canceled: context canceled" not in done.stderr:  # a busy BuildKit's only word, now and then
                break
        return done.stderr if done.returncode else ""

    with ThreadPoolExecutor(4) as pool:
        theirs = list(pool.map(refused, range(len(REFUSED))))
    assert [fault for fault in theirs if "pattern" not in fault] == []
    for text in REFUSED:
        with pytest.raises(ConfigError, match="is no pattern"):
            read(text)


def agree(sources: Sequence[str], context: Tree, image: Mapping[str, Thing]) -> None:
    """Asserts that a COPY took what we say it takes; only the folders it emptied and the symlinks it
    followed are ours alone.
    """
    taken = copied(context, sources)
    assert taken is not None
    ours, theirs = {thing(entry) for entry in taken}, set(image.values())
    assert theirs <= ours
    folders = [f"{entry.path}/" for entry in taken if entry.kind == "dir"]
    tops = [e for e in taken if e.kind in {"dir", "symlink"} and not e.path.startswith(tuple(folders))]
    assert ours - theirs <= {thing(entry) for entry in tops}


def without_dead_ends(context: Spec) -> Spec:
    """A symlink to nothing fails any COPY that names it."""
    return {path: what for path, what in context.items() if path != "l21"}


@pytest.fixture(scope="module")
def copies(
    engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, Thing]]]:
    folder = tmp_path_factory.mktemp("copies")
    return folder, built(engine, [Case(without_dead_ends(LINKS), sources) for sources in COPIES], folder)


@pytest.mark.parametrize("sources", COPIES, ids=" ".join)
def test_a_copy_takes_what_we_say(
    sources: Sequence[str], copies: tuple[Path, list[dict[str, Thing]]]
) -> None:
    number = COPIES.index(sources)
    agree(sources, seen(copies[0] / str(number), Rules()), copies[1][number])


def test_a_copy_takes_the_same_of_a_context_that_is_sent_whole(engine: PrivateEngine, tmp_path: Path) -> None:
    root = lay(tmp_path / "context", without_dead_ends(LINKS))
    targets = {
        f"t{number}": {
            "context": str(root),
            "dockerfile-inline": "FROM scratch AS all\nCOPY . /\nFROM scratch\nCOPY --from=all /a1 /all/a1\n"
            f"COPY {json.dumps([*sources, '/taken/'])}\n",
            "output": [f"type=tar,dest={tmp_path}/{number}.tar"],
        }
        for number, sources in enumerate(COPIES_OF_ALL)
    }
    fault = bake(engine, targets)
    assert not fault, fault
    for number, sources in enumerate(COPIES_OF_ALL):
        image = exported(tmp_path / f"{number}.tar")
        taken = {path: what for path, what in image if path.startswith("taken/")}
        agree(sources, seen(root, Rules()), taken)


PLACES: Spec = {"app/a": "644", "app/b": "644", "app/c": "644", "app/conf/ignore": "644", "other/x": "644"}


def test_one_ignore_file_holds(engine: PrivateEngine, tmp_path: Path) -> None:
    """Each target tells which of a, b and c its ignore file left."""
    texts = {
        ".dockerignore": "a",
        "Dockerfile.dockerignore": "b",
        "nothing.Dockerfile.dockerignore": "",
        "linked.Dockerfile.dockerignore": "-> conf/ignore",
        "absolute.Dockerfile.dockerignore": "-> /conf/ignore",
        "outward.Dockerfile.dockerignore": "-> ../outside",
        "folder.Dockerfile.dockerignore/x": "b",
        "../outside": "b",
        "../far.Dockerfile.dockerignore": "c",
        "conf/ignore": "c",
    }
    app = lay(tmp_path, PLACES) / "app"
    dockerfiles = ["Dockerfile", "none.Dockerfile", "nothing.Dockerfile", "linked.Dockerfile"]
    dockerfiles += ["absolute.Dockerfile", "outward.Dockerfile", "folder.Dockerfile", "../far.Dockerfile"]
    for path, text in texts.items():
        (app / path).parent.mkdir(exist_ok=True)
        if text.startswith("-> "):
            (app / path).symlink_to(text[3:])
        else:
            (app / path).write_text(text)
    targets = {}
    for number, dockerfile in enumerate(dockerfiles):
        (app / dockerfile).write_text("FROM scratch\nCOPY a* b* c* /\n")
        targets[f"t{number}"] = {
            "context": str(app),
            "dockerfile": str(app / dockerfile),
            "output": [f"type=tar,dest={tmp_path}/{number}.tar"],
        }
    fault = bake(engine, targets)
    assert not fault, fault
    for number, dockerfile in enumerate(dockerfiles):
        theirs = dict(exported(tmp_path / f"{number}.tar"))
        ours = seen(app, rules(tmp_path, "app", f"app/{dockerfile}"))
        assert {path for path in "abc" if ours.get(path)} == theirs.keys() & set("abc"), dockerfile


WORDS = st.sampled_from(
    ["*", "**", "?", "[ab]*", "[^a]*", "*1", "a*", "b?", "a", "b", "a1", "b2", "c", "c3", "..", "."]
)
PATTERNS = st.lists(WORDS, min_size=1, max_size=4).map("/".join)


@st.composite
def contexts(draw: st.DrawFn, *, links: bool) -> dict[str, str]:
    """Small contexts in which no two entries have the same name, so that nothing copied hides another.

    Without `links` there are none in folders.
    """
    folders = [""]
    context: dict[str, str] = {}
    for number in range(draw(st.integers(3, 12))):
        path = draw(st.sampled_from(folders)) + draw(st.sampled_from("abc")) + str(number)
        kind = draw(st.sampled_from(["dir", "dir", "file", "file", "file", "link"]))
        if kind == "link" and context and (links or "/" not in path):
            target = draw(st.sampled_from(sorted(context)))
            context[path] = "-> " + draw(st.sampled_from(["/", "../" * path.count("/")])) + target
        else:
            context[path] = "dir" if kind == "dir" else draw(st.sampled_from(["644", "755", "600"]))
            folders += [path + "/"] if kind == "dir" else []
    return context


@st.composite
def random_cases(draw: st.DrawFn) -> Case:
    """A context, ignore rules, and a COPY of something that they leave there."""
    what = draw(st.sampled_from(["ignore", "path", "pattern"]))
    # Of a symlink in a folder that a pattern matches, BuildKit wants the target, and has not sent it.
    context = draw(contexts(links=what != "pattern"))
    paths = st.sampled_from(sorted(context))
    if what != "ignore":
        return Case(context, (draw(PATTERNS if what == "pattern" else paths),))
    marks = st.sampled_from(["", "", "!", "/", "!/"])
    lines = [draw(marks) + draw(PATTERNS | paths) for _ in range(draw(st.integers(1, 5)))]
    return Case(context, (".",), "\n".join([*lines, ".dockerignore"]))


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(random_cases(), min_size=40, max_size=60))
def test_we_agree_on_contexts_nobody_thought_of(
    engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory, cases: list[Case]
) -> None:
    folder = tmp_path_factory.mktemp("random")
    tried = [
        case for number, case in enumerate(cases) if takes_something(case, folder / "tried" / str(number))
    ]
    images = built(engine, tried, folder)
    for number, (case, image) in enumerate(zip(tried, images, strict=True)):
        root = folder / str(number)
        agree(case.sources, seen(root, rules(root, ".")), image)


def takes_something(case: Case, root: Path) -> bool:
    """What is refused, by us or by BuildKit, makes no image to compare."""
    try:
        ignore = read(case.ignore or "")
    except ConfigError:
        return False
    return bool(copied(seen(lay(root, case.context), ignore), case.sources))
