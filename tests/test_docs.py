"""The documents say what is so: their commands are run, generated pages are up to date, links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path

import jsonschema
import pytest
import tomli

from tasks.collection import ns
from tasks.config.findings import check
from tests.conftest import PrivateEngine, plain_env
from tests.pages import OWNER, VARYING, same, steps
from tests.playing import play, told
from tests.reader import Reader
from tests.scenario import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(
    [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *DOCS.rglob("*.md")]
)
SYSTEMS = sorted(file.parent for file in (ROOT / "tests" / "systems").glob("*/build.toml"))
ABOUT = {
    "aic_sos": "services-behind-make.md",
    "carbide": "dockerfiles.md",
    "dev8": "base-and-children.md",
    "kiisrv": "siblings-by-local-name.md",
    "lapdev": "targets.md",
}
"""The how-to that is about each of the systems."""
ENGINELESS = {
    "another-repository.md",
    "base-and-children.md",
    "builder.md",
    "from-a-shell-loop.md",
    "lint.md",
    "lockstep.md",
    "flavours.md",
    "mirror.md",
    "names.md",
    "services-behind-make.md",
    "siblings-by-local-name.md",
}
"""Pages whose commands need no engine: they have none, so that it is true."""
STORIES = [page for page in PAGES if any(step.commands for step in steps(page))]

NOT_RUN: dict[str, dict[str, str]] = {
    "README.md": {"make test": "this is one of the tests that it runs"},
}
"""Commands that are shown and not run here, by page, each with the reason."""

PROSE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def surroundings(engine: Mapping[str, str], page: Path) -> dict[str, str]:
    """The environment of a page's reader: the engine, this environment's programs, output as it comes."""
    if page.name in ENGINELESS:
        engine = plain_env() | {"DOCKER_HOST": "unix:///nowhere.sock"}
    cache = subprocess.run(
        [sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return {
        **engine,
        "PATH": f"{Path(sys.executable).parent}:{engine['PATH']}",
        "PIP_CACHE_DIR": cache,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONUNBUFFERED": "1",
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def reader(page: Path, tmp_path: Path, engine: PrivateEngine) -> Iterator[Reader]:
    made = Reader(tmp_path / "home", surroundings(engine.env, page))
    yield made
    made.close()
    made.sweep()


@pytest.mark.engine
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", STORIES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_says(page: Path, reader: Reader):
    not_run = NOT_RUN.get(str(page.relative_to(ROOT)), {})
    differences = [told(page, difference) for difference in play(page, reader, not_run)]
    assert not differences, "\n\n".join(differences)


def test_what_is_not_run_is_still_in_the_page_and_says_why():
    for name, commands in NOT_RUN.items():
        shown = {command.text for step in steps(ROOT / name) for command in step.commands}
        assert commands.keys() <= shown, f"{name} no longer shows {commands.keys() - shown}"
        assert all(commands.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_command_hides_in_a_block_that_is_not_run(page: Path):
    for step in steps(page):
        where = f"{page.name}:{step.line}"
        if step.language in {"sh", "bash", "shell"}:
            assert step.path, f"{where}: commands stand in ```console, files begin with `# PATH`"
        if step.language != "console":
            assert not re.search(r"^\$ ", step.text, re.MULTILINE), f"{where}: a command outside ```console"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_piece_of_toml_is_good_for_build_toml_and_for_an_editor(page: Path):
    schema = json.loads((ROOT / "docs" / "build.schema.json").read_text())
    for step in steps(page):
        if step.language == "toml":
            tables = tomli.loads(step.text)
            whole = {"project": {}, "images": {"api": {}}} | tables
            assert not check(whole)[1], f"{page.name}:{step.line}"
            jsonschema.validate(whole, schema)


def test_the_schema_for_editors_is_sound_and_strict():
    schema = json.loads((ROOT / "docs" / "build.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert validator.is_valid(tomli.loads((ROOT / "build.toml").read_text()))
    good = {"project": {"version": "1"}, "images": {"api": {"args": {"GO": 1.26}, "version": "2"}}}
    assert validator.is_valid(good)
    for wrong in (
        '[project]\nownr = "acme"\n[images]',
        '[project]\n[images.api]\nplatforms = "linux/amd64"',
        "[images.api]",
    ):
        assert not validator.is_valid(tomli.loads(wrong)), wrong


def test_the_reference_is_up_to_date():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "reference"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_table_of_build_toml_has_its_section():
    page = (ROOT / "docs" / "reference" / "build-toml.md").read_text()
    headings = set(re.findall(r"^## (.+)$", page, re.MULTILINE))
    schema = json.loads((ROOT / "docs" / "build.schema.json").read_text())
    tables = {name for name, one in schema["$defs"].items() if one.get("properties")}
    assert len([heading for heading in headings if heading.startswith("[")]) == len(tables)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    for target in LINK.findall(PROSE.sub("", page.read_text())):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{page.name}: {target}; there are {sorted(anchors(there))}"


def anchors(page: Path) -> set[str]:
    """The anchors GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", PROSE.sub("", page.read_text()), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tasks_flags_and_targets_named_in_prose_exist(page: Path):
    contexts = {context.name: context.flags for context in ns.to_contexts()}
    makefiles = (ROOT / "Makefile").read_text() + (ROOT / "tasks" / "argosy.mk").read_text()
    for words in re.findall(r"`(?:inv|argosy) ([a-z][^`]*)`", PROSE.sub("", page.read_text())):
        task, *rest = words.split()
        assert task in contexts, f"{page.name} names a task `{task}`"
        for word in rest:
            if word.startswith("--"):
                assert word.partition("=")[0] in contexts[task], f"{page.name}: `{task}` has no {word}"
    for target in re.findall(r"`make ([a-z%-]+)`", PROSE.sub("", page.read_text())):
        family = re.sub(r"^(container-[a-z]+)-[a-z]+$", r"\1-%", target)
        assert re.search(rf"^(?:.* )?{re.escape(family)}(?: .*)?:", makefiles, re.MULTILINE), f"make {target}"


def test_pictures_are_well_formed_and_serve_dark_screens():
    pictures = list((ROOT / "docs").glob("*.svg"))
    assert pictures
    for picture in pictures:
        assert ET.parse(picture).getroot().tag.endswith("svg")  # noqa: S314 - our own file
        assert "prefers-color-scheme: dark" in picture.read_text()


def test_the_readme_opens_with_the_two_commands():
    first = next(step for step in steps(ROOT / "README.md") if step.commands)
    assert [command.text for command in first.commands] == ["make container-build", "make test"]
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("make test")


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: str(system.name))
def test_the_page_about_a_system_shows_its_build_toml(system: Path):
    """The pages about real shapes are made from trees that are built for real."""
    shown = next(
        step.text for step in steps(DOCS / "how-to" / ABOUT[system.name]) if step.path == "build.toml"
    )
    whole = (system / "build.toml").read_text()
    if system.name == "carbide":  # seven images that are alike: the page shows the first two
        assert whole.startswith(shown)
        assert shown.count("[images.") == 2
    else:
        assert shown == whole


def test_every_page_is_linked_from_the_list_of_pages():
    links = {target.partition("#")[0] for target in LINK.findall((DOCS / "README.md").read_text())}
    linked = {(DOCS / link).resolve() for link in links if "://" not in link}
    unseen = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"README.md"}
    unseen -= {str(page.relative_to(DOCS)) for page in linked if page.is_relative_to(DOCS)}
    assert not unseen, f"docs/README.md does not link {sorted(unseen)}"


def test_no_page_is_linked_twice_from_the_list_of_pages():
    links = [target for target in LINK.findall((DOCS / "README.md").read_text()) if "#" not in target]
    assert len(links) == len(set(links)), sorted(link for link in set(links) if links.count(link) > 1)


def test_the_reference_marks_the_flags_that_a_task_needs():
    page = (DOCS / "reference" / "tasks.md").read_text()
    for context in ns.to_contexts():
        part = page.partition(f"\n## {context.name}\n")[2].partition("\n## ")[0]
        marked = re.findall(r"^\| `--(\S+) [^|]*\| \*\*needed\*\*", part, re.MULTILINE)
        assert marked == [str(argument.name) for argument in context.positional_args], context.name


def test_a_page_that_lies_is_caught(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n$ false\n$ false\n$ echo $?\n1\n```\n")
    reader = Reader(tmp_path / "home", {"PATH": "/usr/bin:/bin"})
    found = [(difference.command.text, difference.problem) for difference in play(page, reader, {})]
    reader.close()
    assert found == [("echo one", "prints something else"), ("false", "ends with exit 1")]


def test_what_a_page_leaves_out_may_be_anything_and_what_varies_may_vary():
    assert same("…\nb …\nc", "x\ny\nb 1\nc")
    assert same("api  1.3 MB  0.4 s  12 %", "api   2.0 kB  1 min 3 s  100 %".replace("1 min 3 s", "13.0 s"))
    assert same(f"localhost:5000/{OWNER}/api:1", f"localhost:22729/{OWNER}/api:1")
    assert not same("a\nc", "a\nb\nc")
    assert not same("api  built", "api  failed")
    assert VARYING
