"""Argosy in somebody else's repository: from a wheel, in an environment of its own, beside tasks of their own."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

import pytest

from tasks.collection import ns
from tests.conftest import PrivateEngine
from tests.scenario import Fleet
from tests.wheels import environment, wheel

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

OWN = """
from invoke.tasks import task

@task
def greet(_):
    "A task of the repository's own."
    print("hello from next door")
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds nothing but the wheel and what it asks for."""
    return environment(tmp_path_factory.mktemp("adopter") / "venv", str(wheel()))


@pytest.fixture
def repository(real: Fleet, programs: Path) -> Fleet:
    """A repository with two services and tasks of its own; what runs in it is what the wheel brought."""
    real.env["PATH"] = f"{programs}:{real.env['PATH']}"
    real.file("services/base/Dockerfile", "FROM busybox:stable\nRUN echo from next door > /mark\n")
    real.file("services/api/Dockerfile", f'FROM {real.owner}/base\nCMD ["cat", "/mark"]\n')
    real.toml("[images.api]\n[images.base]\n")
    real.file("tasks.py", OWN + "\nfrom argosy import ns\nns.add_task(greet)\n")
    return real


def reference(repository: Fleet, image: str) -> str:
    return f"{repository.registry}/{repository.owner}/{image}:0.1.0"


def test_one_line_takes_up_all_tasks_beside_the_own_ones(repository: Fleet):
    listed = repository.run("inv", "--list").ok().out
    for name in ("greet", *ns.task_names):
        assert f"\n  {name} " in listed, listed
    ran = repository.run("inv", "greet", "version").ok().out
    assert ran == "hello from next door\n0.1.0  (project.version)\n"


def test_it_builds_for_real_from_a_sub_folder(repository: Fleet, engine: PrivateEngine):
    ran = repository.run("inv", "build", "--images", "api", cwd="services/api").ok()
    assert "1 built" in ran.out, ran.out
    assert engine.docker("run", "--rm", reference(repository, "api")) == "from next door"


def test_all_of_it_goes_under_a_prefix_beside_a_task_of_the_same_name(repository: Fleet):
    repository.file(
        "tasks.py",
        OWN.replace("greet", "build")
        + dedent("""
            import argosy
            from invoke.collection import Collection
            ns = Collection(build, argosy)
        """),
    )
    assert repository.run("inv", "build").ok().out == "hello from next door\n"
    assert repository.run("inv", "argosy.version").ok().out == "0.1.0  (project.version)\n"


def test_one_family_goes_under_a_prefix_and_builds(repository: Fleet, engine: PrivateEngine):
    repository.file(
        "tasks.py",
        """
        from argosy.commands import building
        from invoke.collection import Collection
        ns = Collection(building)
        """,
    )
    listed = repository.run("inv", "--list").ok().out
    assert "building.push" in listed
    assert "doctor" not in listed
    repository.run("inv", "building.build", "--images", "base").ok()
    assert engine.docker("run", "--rm", reference(repository, "base"), "cat", "/mark") == "from next door"


@pytest.mark.skipif(not shutil.which("make"), reason="make is what is tested")
def test_one_include_line_brings_the_make_targets(repository: Fleet, engine: PrivateEngine):
    repository.file("Makefile", "include $(shell argosy-mk)\n")
    repository.run("make", "container-build-api").ok()
    assert engine.docker("run", "--rm", reference(repository, "api")) == "from next door"
    assert reference(repository, "base") in repository.run("make", "container-list").ok().out


def test_the_program_serves_a_repository_without_a_tasks_file(repository: Fleet):
    (repository.root / "tasks.py").unlink()
    listed = repository.run("argosy", "--list").ok().out
    for name in ns.task_names:
        assert f"\n  {name} " in listed, listed
    assert repository.run("argosy", "--version").ok().out.startswith("Argosy 0.")
    assert "api" in repository.run("argosy", "list", cwd="services/api").ok().out


def test_a_failure_is_one_message_and_an_exit_code_here_too(repository: Fleet):
    ran = repository.run("argosy", "build", "--images", "apo").failed(2)
    assert 'no image "apo"' in ran.err
    assert 'did you mean "api"?' in ran.err


def test_nobody_gets_a_top_level_module_called_tasks(repository: Fleet, programs: Path):
    (site,) = (programs.parent / "lib").glob("python*/site-packages")
    brought = {path.name for path in site.iterdir()}
    assert "argosy" in brought
    assert not {"tasks", "tasks.py", "tests", "scripts", "docker"} & brought
    (repository.root / "tasks.py").unlink()
    assert repository.run("python", "-c", "import tasks").code == 1
