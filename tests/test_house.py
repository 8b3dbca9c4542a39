"""The floors of the house: a room imports only from its own floor or below, never upward, never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.scenario import ROOT

HOUSE = ROOT / "tasks"
FLOORS = {
    "model": 0,
    "errors": 0,
    "homes": 0,
    "writing": 0,
    "config": 1,
    "planning": 2,
    "buildkit": 3,
    "contents": 3,
    "registries": 3,
    "engine": 3,
    "podman": 3,
    "evidence": 3,
    "release": 4,
    "checks": 4,
    "report": 5,
    "commands": 6,
    "collection": 7,
    "cli": 7,
    "completion": 7,
    "makefile": 7,
}
# What starts slowly is imported inside the functions that need it, and by the rooms that know it at all.
HEAVY = {
    "python_on_whales": ("engine", "commands"),
    "oras": ("registries",),
    "requests": ("registries",),
    "urllib3": ("registries",),
    "rich": ("report",),
    "pydantic": ("config",),
}
IMPURE = {
    "os",
    "subprocess",
    "socket",
    "time",
    "datetime",
    "random",
    "tempfile",
    "shutil",
    "platform",
    "threading",
}
TOUCHING = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "exists", "is_file", "is_dir", "iterdir", "glob",
    "rglob", "stat", "unlink", "mkdir", "resolve", "cwd", "home", "print", "input",
}  # fmt: skip
VAGUE = {"util", "utils", "helper", "helpers", "manager", "common", "misc", "base", "core", "lib", "tools"}


@dataclass(frozen=True)
class Import:
    """One import of one module: what, where, and whether it happens when the module is loaded."""

    module: str
    line: int
    now: bool
    typing: bool


def modules() -> list[str]:
    """Every module of the house: `planning.naming`; a room's own is `planning`."""
    found = []
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


MODULES = modules()


def source(module: str) -> Path:
    path = HOUSE.joinpath(*module.split(".")) if module else HOUSE
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(source(module).read_text(encoding="utf-8"))


@cache
def imports(module: str) -> tuple[Import, ...]:
    """What a module imports: the house's own without `tasks.`, the others by their first name."""
    return tuple(_imports(tree(module), module, now=True, typing=False))


def _imports(node: ast.AST, module: str, *, now: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (
                Import(f"!{alias.name.split('.')[0]}", child.lineno, now, typing) for alias in child.names
            )
        elif isinstance(child, ast.ImportFrom):
            yield from _from(child, module, now=now, typing=typing)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            guarded = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from _imports(child, module, now=now and not inside, typing=typing or guarded)


def _from(node: ast.ImportFrom, module: str, *, now: bool, typing: bool) -> Iterator[Import]:
    if not node.level:
        yield Import(f"!{(node.module or '').split('.')[0]}", node.lineno, now, typing)
        return
    is_room = source(module).name == "__init__.py"
    parts = module.split(".") if module else []
    here = parts[: len(parts) - node.level + is_room]
    base = ".".join([*here, *(node.module or "").split(".")]).strip(".")
    for alias in node.names:
        inner = f"{base}.{alias.name}".strip(".")
        yield Import(inner if inner in MODULES else base, node.lineno, now, typing)


def room(module: str) -> str:
    return module.partition(".")[0]


def floor(module: str) -> int:
    return FLOORS[room(module)]


def test_every_room_has_a_floor() -> None:
    assert {room(module) for module in MODULES if module} <= set(FLOORS)


@pytest.mark.parametrize("module", [module for module in MODULES if module])
def test_a_room_imports_only_from_its_own_floor_or_below(module: str) -> None:
    upward = [
        f"{source(module).relative_to(ROOT)}:{found.line} imports {found.module}"
        for found in imports(module)
        if not found.module.startswith("!") and floor(found.module) > floor(module)
    ]
    assert not upward


def test_no_module_is_imported_in_a_circle() -> None:
    graph = {
        module: {
            found.module
            for found in imports(module)
            if found.now and not found.typing and not found.module.startswith("!")
        }
        for module in MODULES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", MODULES)
def test_what_starts_slowly_is_known_to_few(module: str) -> None:
    for found in imports(module):
        library = found.module.removeprefix("!")
        if library in HEAVY:
            assert room(module) in HEAVY[library], f"{module}:{found.line} knows {library}"


def test_what_starts_slowly_is_not_loaded_with_the_tasks() -> None:
    """Modules that cannot do without it are themselves imported late, inside functions."""
    loaded: set[str] = set()
    waiting = ["", "collection", "cli"]
    while waiting:
        module = waiting.pop()
        if module not in loaded:
            loaded.add(module)
            at_once = [found for found in imports(module) if found.now and not found.typing]
            assert not [found for found in at_once if found.module.removeprefix("!") in HEAVY], module
            inside = [found.module for found in at_once if not found.module.startswith("!")]
            waiting += [*inside, *(name.rpartition(".")[0] for name in inside)]
    assert "commands.building" in loaded
    assert "config.schema" not in loaded


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("planning")])
def test_planning_is_pure(module: str) -> None:
    """No process, no network, no clock, no file: a plan is a function of what it is given."""
    impure = [found.module for found in imports(module) if found.module.removeprefix("!") in IMPURE]
    assert not impure
    called = [node.func for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    names = {func.id for func in called if isinstance(func, ast.Name)}
    names |= {func.attr for func in called if isinstance(func, ast.Attribute) and not _ours(func)}
    assert not names & TOUCHING


def _ours(func: ast.Attribute) -> bool:
    """Tells a call of one of our own methods, `self.home(…)`, or of a module of the room."""
    return isinstance(func.value, ast.Name) and func.value.id in {"self", "naming"}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_opens_with_what_it_is_for(module: str) -> None:
    text = ast.get_docstring(tree(module)) or ""
    assert len(text.split("\n")[0]) > 20


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_long_or_vaguely_named(module: str) -> None:
    assert len(source(module).read_text(encoding="utf-8").splitlines()) <= 250
    assert not set(module.split(".")) & VAGUE


@pytest.mark.parametrize("module", MODULES)
def test_no_class_is_a_manager(module: str) -> None:
    classes = [node.name for node in ast.walk(tree(module)) if isinstance(node, ast.ClassDef)]
    assert not [
        name for name in classes if name.lower().endswith(("manager", "helper", "util", "utils", "handler"))
    ]


def test_the_house_s_own_door_only_hands_on() -> None:
    """`tasks/__init__.py` does not run under `inv`, so nothing may happen in it."""
    docstring, *rest = tree("").body
    assert isinstance(docstring, ast.Expr)
    assert all(isinstance(node, (ast.ImportFrom, ast.Assign)) for node in rest)
    assert all(ast.unparse(node).startswith("__all__") for node in rest if isinstance(node, ast.Assign))


def test_only_what_touches_the_outside_starts_processes() -> None:
    starting = {
        room(module) for module in MODULES for found in imports(module) if found.module == "!subprocess"
    }
    assert starting <= {"engine", "registries"}


def test_nothing_is_ever_run_by_a_shell() -> None:
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.keyword) and node.arg == "shell":
                pytest.fail(f"{source(module)}: shell=")


def test_a_wheel_holds_every_room() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    rooms = {module for module in MODULES if module and source(module).name == "__init__.py"}
    assert {room for room in rooms if f'"argosy.{room}"' not in text} == set()
