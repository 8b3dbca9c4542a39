"""What podman cannot do of what build.toml, a Dockerfile or the command line asks, said before any work.

Tried with podman 4.3.1; what a newer one is known to have, it is not refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ..engine.docker import is_older
from ..errors import ConfigError
from ..model import Contract, ImageTest, Project
from ..planning import dockerfile as dockerfiles
from ..planning.facts import Facts
from ..planning.instruction import Instruction
from ..planning.plan import Plan, PlannedImage

COMPOSE = (4, 7)
"""The first podman that has `podman compose`."""
HEREDOCS = (4, 8)
"""The first podman that reads heredocs (buildah 1.33)."""
FLAGS = {
    "COPY": ("link", "parents", "exclude"),
    "ADD": ("link", "checksum", "keep-git-dir", "exclude", "unpack"),
    "RUN": ("security", "device"),
}
"""Flags of BuildKit's instructions that podman refuses."""


def check(project: Project, facts: Facts, plan: Plan, release: str = "") -> None:
    """Raises ConfigError that names everything of a plan that podman lacks; `release` is the version to be released."""
    problems = [*_settings(project)]
    if release:
        problems.append(
            f"release {release}: it builds at addresses, which podman does not have. Release with Docker; "
            "what is released can be verified and rolled back from here"
        )
    for image in plan.images:
        problems += _image(image, facts)
    _refuse(problems)


def check_tests(promised: Mapping[str, Contract], facts: Facts) -> None:
    """Raises ConfigError that names every test of these images that podman cannot run; one that is waived may fail."""
    version = facts.engine.version if facts.engine else ""
    problems = []
    for name, contract in promised.items():
        for number, test in enumerate(contract.tests, 1):
            where = f"images.{name}, test {number} ({test.title})"
            if test.unhealthy == () and not {"unhealthy", test.name} & set(contract.waive):
                problems.append(
                    f"{where}: podman has no time limit for the check of a frozen service; "
                    'name what ends it: unhealthy = "COMMAND"'
                )
            if test.title not in contract.waive:
                problems += [f"{where}: {what}" for what in _test(test, version)]
    _refuse(problems)


def _test(test: ImageTest, version: str) -> Iterator[str]:
    if test.compose and is_older(version, COMPOSE):
        yield f"compose needs podman {COMPOSE[0]}.{COMPOSE[1]} (this is {version})"
    if test.around.socket:
        yield "socket: podman runs no engine whose socket could be given"
    if test.structure:
        yield "structure: container-structure-test runs its containers in a Docker Engine"


def _refuse(problems: Collection[str]) -> None:
    if problems:
        lines = "\n".join(f"  {problem}" for problem in dict.fromkeys(problems))
        raise ConfigError(
            f'podman cannot do what is asked ([engine] client = "podman"); nothing was done:\n{lines}'
        )


def decided(plan: Plan, *, pull: bool, locked: bool) -> Plan:
    """Returns the plan with every image to be built: podman has no addresses, its layer cache is what is reused.

    Raises ConfigError for what is said of build.lock: podman is given no digests of outside bases.
    """
    for flag, said in (("pull", pull), ("locked", locked)):
        if said:
            raise ConfigError(
                f"--{flag} is about build.lock, and podman builds without it: it takes the bases it has. "
                "`podman pull` brings newer ones."
            )
    images = (
        replace(image, building=image.platforms, reason="podman's layer cache knows what is unchanged")
        for image in plan.images
    )
    return replace(plan, images=tuple(images))


def _settings(project: Project) -> Iterator[str]:
    if project.builder.name:
        yield f'builder.name: podman has no builders; leave out [builder] ("{project.builder.name}")'
    if project.cache.registry or project.cache.local or project.cache.others:
        yield "cache: podman reads and writes no BuildKit caches; leave out [cache], its own layers are reused"


def _image(image: PlannedImage, facts: Facts) -> Iterator[str]:
    version = facts.engine.version if facts.engine else ""
    for key, value in image.contexts.items():
        if value.startswith("oci-layout://"):
            yield f"images.{image.name}.contexts.{key}: podman takes no oci-layout:// context"
    file = dockerfiles.read(facts.files[image.dockerfile], image.dockerfile)
    for stage in file.stages:
        for instruction in stage.instructions:
            for what in _instruction(instruction.trigger or instruction, version):
                yield f"{file.place(instruction.line)}: {what}"


def _instruction(instruction: Instruction, version: str) -> Iterator[str]:
    if instruction.heredocs and is_older(version, HEREDOCS):
        yield f"{instruction.keyword} with a heredoc needs podman {HEREDOCS[0]}.{HEREDOCS[1]} (this is {version})"
    for name in FLAGS.get(instruction.keyword, ()):
        if instruction.flag(name) is not None:
            yield f"podman has no {instruction.keyword} --{name}"
