"""Flavours: the same fleet, built in another way."""

from __future__ import annotations

import pytest

from tests.conftest import PrivateEngine
from tests.planned import findings, plan, project
from tests.scenario import Fleet

TOML = """
[defaults]
dockerfile = "docker/production/Dockerfile.{{image}}"
context = "."
args = {{ MODE = "release", GO = "1.25" }}
[images.api]
[images.worker]

[flavours.fast]
project.registry = "{fast}"
defaults = {{ dockerfile = "docker/production/Dockerfile.{{image}}.fast", args.MODE = "debug" }}
images.runtime.dockerfile = "docker/runtime/Dockerfile"
"""


@pytest.fixture
def carbide(fleet: Fleet) -> Fleet:
    """Two images, and three lines for a flavour of them that stands on a base of its own."""
    return written(fleet, "localhost:5000")


def written(fleet: Fleet, fast: str, stable: str = "busybox:stable") -> Fleet:
    for name in ("api", "worker"):
        fleet.file(
            f"docker/production/Dockerfile.{name}", f"FROM {stable}\nARG MODE\nRUN echo $MODE > /mode\n"
        )
        fleet.file(
            f"docker/production/Dockerfile.{name}.fast",
            f"FROM {fast}/{fleet.owner}/runtime:latest\nARG MODE\nRUN echo $MODE > /mode\n",
        )
    fleet.file("docker/runtime/Dockerfile", f"FROM {stable}\nRUN echo base > /base\n")
    fleet.toml(TOML.format(fast=fast))
    return fleet


def test_without_a_word_there_is_none(carbide: Fleet) -> None:
    made = plan(carbide)
    assert {image.name: image.dockerfile for image in made.images} == {
        name: f"docker/production/Dockerfile.{name}" for name in ("api", "worker")
    }
    assert {image.repository for image in made.images} == {"ghcr.io/acme/api", "ghcr.io/acme/worker"}


def test_one_has_other_dockerfiles_another_registry_and_its_own_base(carbide: Fleet) -> None:
    made = plan(carbide, settings={"flavour": "fast"})
    assert [(image.name, image.dockerfile, image.repository) for image in made.images] == [
        ("runtime", "docker/runtime/Dockerfile", "localhost:5000/acme/runtime"),
        ("api", "docker/production/Dockerfile.api.fast", "localhost:5000/acme/api"),
        ("worker", "docker/production/Dockerfile.worker.fast", "localhost:5000/acme/worker"),
    ]
    assert dict(made["api"].args) == {"MODE": "debug", "GO": "1.25"}
    assert [need.image for need in made["api"].needs] == ["runtime"]


@pytest.mark.parametrize("task", ["list", "plan", "build", "push", "pull", "clean", "release", "doctor"])
def test_every_task_that_can_be_sent_elsewhere_takes_one(carbide: Fleet, task: str) -> None:
    line = f"{task} --flavour fats" + (" --tag v1.0.0" if task == "release" else "")
    said = carbide.inv(line).failed(2).err
    assert '--flavour: no flavour "fats" (did you mean "fast"?). Available flavours: fast.' in said


def test_it_may_come_from_the_environment_or_stand_in_the_file(carbide: Fleet) -> None:
    text = (carbide.root / "build.toml").read_text()
    carbide.file("build.toml", text + '[env]\nFLAVOUR = "flavour"\n')
    assert project(carbide, {"FLAVOUR": "fast"}).registries[0].host == "localhost:5000"
    carbide.file("build.toml", f'flavour = "fast"\n{text}')
    assert project(carbide).registries[0].host == "localhost:5000"


def test_flags_are_laid_over_it(carbide: Fleet) -> None:
    loaded = project(carbide, flavour="fast", project__registry="quay.io")
    assert {registry.host for registry in loaded.registries} == {"quay.io"}
    assert {registry.host for registry in loaded.declared} == {"localhost:5000", "ghcr.io"}


def test_a_mistake_in_any_flavour_is_found_always_and_once(carbide: Fleet) -> None:
    text = (carbide.root / "build.toml").read_text()
    carbide.file("build.toml", text.replace("project.registry =", "project.registyr ="))
    (finding,) = findings(carbide)
    assert finding.startswith('flavours.fast.project.registyr: unknown key (did you mean "registry"?)')
    (finding,) = findings(carbide, "list --flavour fast")
    assert finding.startswith("flavours.fast.project.registyr: ")


@pytest.mark.engine
def test_both_are_built_side_by_side(real: Fleet, engine: PrivateEngine) -> None:
    """The second flavour goes to another path of the registry, so that neither takes the other's names."""
    written(real, f"{real.registry}/fast")
    real.inv("build").ok()
    real.inv("build --flavour fast").ok()
    names = {"": "release", "fast/": "debug"}
    for path, mode in names.items():
        name = f"{real.registry}/{path}{real.owner}/api:latest"
        assert engine.docker("run", "--rm", name, "cat", "/mode") == mode
    assert (
        engine.docker("run", "--rm", f"{real.registry}/fast/{real.owner}/api:latest", "cat", "/base")
        == "base"
    )
