"""The command line itself: every task says what it does, every flag what it is for, and starting costs little."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.collection import ns
from tests.scenario import ROOT, Fleet

# Invoke forgets a task's help once it has read it, so it is read in a process of its own.
READ = """
import json
from tasks.collection import ns
print(json.dumps({name: [
    {"name": a.name.replace("_", "-"), "names": a.names, "help": a.help or "", "kind": a.kind.__name__,
     "bare": a.optional, "needed": a.positional}
    for a in ns[name].get_arguments()
] for name in ns.task_names}))
"""
TASKS = tuple(ns.task_names)


@dataclass(frozen=True)
class Flag:
    """One flag of a task, as Invoke has it."""

    name: str
    names: tuple[str, ...]
    help: str
    kind: str
    bare: bool
    """Whether its value may be left out; then it takes the next task's name for one."""
    needed: bool


def python(code: str, cwd: str = str(ROOT), env: Mapping[str, str] | None = None) -> str:
    """Runs code in a process of its own and returns the last line it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": cwd, **(env or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def flags() -> dict[str, list[Flag]]:
    """The flags of every task."""
    return {name: [Flag(**one) for one in found] for name, found in json.loads(python(READ)).items()}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_in_one_line_what_it_does(name: str) -> None:
    first = (ns[name].__doc__ or "").split("\n")[0]
    assert 10 < len(first) <= 110
    assert first.endswith(".")


@pytest.mark.parametrize("name", TASKS)
def test_every_flag_has_help(flags: dict[str, list[Flag]], name: str) -> None:
    assert not [flag.name for flag in flags[name] if not flag.help]


@pytest.mark.parametrize("name", TASKS)
def test_no_flag_has_a_short_form_or_swallows_a_word_by_accident(
    flags: dict[str, list[Flag]], name: str
) -> None:
    for flag in flags[name]:
        assert all(len(word) > 1 for word in flag.names), flag
        assert flag.kind in {"bool", "str", "list"}, flag
        assert not flag.bare, flag


def test_the_same_flag_means_the_same_in_every_task(flags: dict[str, list[Flag]]) -> None:
    said: dict[str, set[str]] = {}
    for flag in (flag for found in flags.values() for flag in found):
        said.setdefault(flag.name, set()).add(flag.help)
    shared = (
        "images",
        "group",
        "platforms",
        "registry",
        "owner",
        "tags",
        "output",
        "json",
        "no-deps",
        "keep-going",
    )
    assert {name: len(said[name]) for name in shared} == dict.fromkeys(shared, 1)


def test_the_list_of_tasks_reads_well(fleet: Fleet) -> None:
    out = fleet.inv("--list").ok().out
    for name in TASKS:
        (line,) = (line for line in out.splitlines() if line.split()[:1] == [name])
        assert len(line.split()) > 3


@pytest.mark.parametrize("name", TASKS)
def test_the_help_of_a_task_shows_its_flags(fleet: Fleet, flags: dict[str, list[Flag]], name: str) -> None:
    out = fleet.inv(f"--help {name}").ok().out
    assert all(f"--{flag.name}" in out for flag in flags[name])


def test_help_after_a_task_is_help_also_where_a_value_must_be_given(
    fleet: Fleet, flags: dict[str, list[Flag]]
) -> None:
    """Invoke alone takes `--help` there for the value: `inv release --help` would look for a release of that name."""
    needing = [name for name, found in flags.items() if any(flag.needed for flag in found)]
    assert {"release", "save"} <= set(needing)
    environ = {"PYTHONPATH": str(ROOT)}
    argosy = (sys.executable, "-m", "tasks.cli")
    for name in ("build", *needing):
        taught = fleet.run(*argosy, "--help", name, env=environ).ok().out
        assert "Options:" in taught
        flag = "-h" if name == "save" else "--help"
        assert fleet.run(*argosy, name, flag, env=environ).ok().out == taught, name


def test_an_unknown_flag_and_an_unknown_task_are_one_line(fleet: Fleet) -> None:
    for line, word in (("build --plattforms x", "--plattforms"), ("biuld", "biuld")):
        ran = fleet.inv(line).failed(1)
        assert word in ran.err
        assert len(ran.err.splitlines()) == 1
        assert not ran.out


@pytest.mark.parametrize("line", ["list --images", "clean --images --yes", "push --group --json"])
def test_a_list_without_a_value_is_not_everything(fleet: Fleet, line: str) -> None:
    """Invoke takes it for an empty one."""
    fleet.image("api")
    fleet.toml("[images.api]")
    assert "needed value" in fleet.inv(line).failed(1).err


def test_in_a_log_of_both_streams_what_follows_a_table_stands_behind_it(fleet: Fleet) -> None:
    """As CI services keep it; Python holds stdout back where it is no terminal."""
    fleet.image("api")
    fleet.toml("[images.api]")
    words = [sys.executable, "-m", "tasks.cli", "doctor"]
    env = fleet.env | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        words,
        cwd=fleet.root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert "CHECK" in lines[0]
    assert "checks failed" in lines[-1]


@pytest.mark.parametrize("line", ["list", "list --json"])
def test_output_that_nobody_reads_is_no_error_to_explain(fleet: Fleet, line: str) -> None:
    """`inv list | head -1`: the shell's own status for a closed pipe, as `cat` has it."""
    fleet.image("api")
    fleet.toml("[images.api]")
    with fleet.start(line) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


HEAVY = (
    "python_on_whales",
    "oras",
    "rich",
    "pydantic",
    "urllib3",
    "requests",
    "hypothesis",
    "tenacity",
    "tomlkit",
)


def imported(code: str, cwd: str) -> set[str]:
    """The modules that are loaded after some code has run."""
    names = python(f"{code}\nimport sys; print(*sys.modules)", cwd).split()
    return {name.partition(".")[0] for name in names}


def test_what_is_heavy_is_not_loaded_to_list_the_tasks(fleet: Fleet) -> None:
    loaded = imported("import tasks.collection", str(fleet.root))
    assert "invoke" in loaded
    assert not loaded & set(HEAVY)


def test_a_list_loads_neither_engine_nor_registry_nor_screen(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]")
    code = "from tasks.cli import program\nprogram.run(['argosy', 'list'], exit=False)"
    loaded = imported(code, str(fleet.root))
    assert "pydantic" in loaded
    assert not loaded & {"python_on_whales", "oras", "rich", "urllib3", "requests"}


@pytest.mark.parametrize("program", ["invoke.main", "argosy.cli"])
def test_what_python_compiles_is_kept_unless_its_user_says_no(
    fleet: Fleet, tmp_path: Path, program: str
) -> None:
    """Invoke turns that off for itself: a hundred modules would be compiled at every run."""
    fleet.image("api")
    fleet.toml("[images.api]")
    fleet.file("tasks.py", "from argosy import ns\n")
    code = f"import {program} as door\ndoor.program.run(['x', 'list'], exit=False)"
    for said, kept in (("1", False), ("", True)):
        env = {"PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"), "PYTHONDONTWRITEBYTECODE": said}
        python(code, str(fleet.root), env)
        found = [file.name.partition(".")[0] for file in (tmp_path / "compiled").rglob("*.pyc")]
        assert ("planner" in found) is kept
