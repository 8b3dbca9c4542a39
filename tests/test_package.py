"""The wheel: what is in it, what it says of itself, what it asks for."""

from __future__ import annotations

import ast
import re
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import tomli

from tests.scenario import ROOT
from tests.wheels import wheel

PYPROJECT = tomli.loads((ROOT / "pyproject.toml").read_text())
SOURCES = sorted((ROOT / "tasks").rglob("*.py"))
DISTRIBUTIONS = {
    "python_on_whales": "python-on-whales",
    "elftools": "pyelftools",
    "pydantic_core": "pydantic",
}
"""Where a module's name is not its distribution's."""


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(wheel())


def test_it_holds_every_module_of_the_house_under_the_name_argosy(archive: zipfile.ZipFile):
    held = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {f"argosy/{path.relative_to(ROOT / 'tasks')}" for path in SOURCES}
    assert held == wanted | {"argosy/py.typed", "argosy/argosy.mk"}


def test_it_brings_its_licence_and_two_programs(archive: zipfile.ZipFile):
    (licence,) = (name for name in archive.namelist() if name.endswith("LICENSE"))
    assert b"Apache License" in archive.read(licence)
    (points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    text = archive.read(points).decode()
    assert "argosy = argosy.cli:main" in text
    assert "argosy-mk = argosy.makefile:main" in text


def test_it_says_what_pyproject_says(archive: zipfile.ZipFile):
    (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
    said = Parser().parsestr(archive.read(name).decode())
    project = PYPROJECT["project"]
    assert (said["Name"], said["Version"]) == ("argosy", project["version"])
    assert said["Requires-Python"] == ">=3.10"
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Summary"] == project["description"]
    assert "make container-build" in said.get_payload()  # the README is its description
    asked = sorted(_name(text) for text in said.get_all("Requires-Dist", []) if "extra ==" not in text)
    assert asked == sorted(_name(text) for text in project["dependencies"])


def test_every_library_that_is_imported_is_asked_for_and_none_that_is_not():
    imported = {DISTRIBUTIONS.get(name, name) for path in SOURCES for name in _imports(path)}
    assert imported == {_name(text) for text in PYPROJECT["project"]["dependencies"]}


@pytest.mark.parametrize("table", ["dependencies", "dev"])
def test_every_dependency_has_its_reason_in_contributing(table: str):
    reasons = (ROOT / "CONTRIBUTING.md").read_text().partition("## What we stand on")[2]
    lists = {**PYPROJECT["dependency-groups"], "dependencies": PYPROJECT["project"]["dependencies"]}
    missing = [name for name in map(_name, lists[table]) if not re.search(rf"\b{re.escape(name)}\b", reasons)]
    assert not missing


def test_inside_the_package_neither_of_its_two_names_is_ever_imported():
    for path in SOURCES:
        named = {"tasks", "argosy"} & _imports(path)
        assert not named, f"{path.relative_to(ROOT)} imports {named}; imports inside are relative"


def _name(requirement: str) -> str:
    found = re.match(r"[\w-]+", requirement)
    assert found
    return found[0].lower().replace("_", "-")


def _imports(path: Path) -> set[str]:
    """Returns the first parts of what a module imports when it runs, without the standard library."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names)
