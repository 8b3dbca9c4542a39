"""Tasks by which images leave the engine as files, and come back: save, load, extract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING

from .choice import Choice, command, flag

if TYPE_CHECKING:
    from ..model import Client
    from ..planning.plan import PlannedImage

SETTINGS = ("registry", "owner", "tags")


@dataclass(frozen=True, kw_only=True)
class HandingOver(Choice):
    """The flags of `save` and `load`."""

    dir: str = flag(MISSING, "the folder for the archives and fleet.json, the list of what is in them")


@command("images", "group", "platforms", *SETTINGS, "json")
def save(choice: HandingOver) -> None:
    """Write images to a folder, as the engine has them, for a machine that reaches no registry.

    `load` brings them into an engine there, with the same IDs and all their names. The engine's own command
    reads each archive too (`docker load -i out/api.tar`).
    """
    from pathlib import Path

    from ..engine import handover
    from ..report import handing_over
    from .asking import ask

    plan = ask(choice, engine=False).plan
    _require_names(plan.selected)
    packed = handover.save(plan, Path(choice.dir), handing_over.told)
    handing_over.show_packed(packed, json=choice.json)


@command("images", "json")
def load(choice: HandingOver) -> None:
    """Load what `save` wrote: the same IDs, all names. Needs no build.toml.

    Every file is checked against its digest first; from a folder that is not whole nothing is loaded.
    """
    from pathlib import Path

    from ..engine import handover
    from ..planning.request import words
    from ..report import handing_over

    only = [word for text in choice.images for word in words(text)]
    packed = handover.load(_client(), Path(choice.dir), only, handing_over.told)
    handing_over.show_packed(packed, json=choice.json)


def _require_names(images: Iterable[PlannedImage]) -> None:
    """Raises ConfigError for images without a name (`tags = []`): by one alone the engine is asked for them."""
    nameless = [image.name for image in images if not image.references]
    if nameless:
        from ..errors import ConfigError

        raise ConfigError(
            f"{', '.join(nameless)}: an image without a name is not found in the engine. Give it one "
            f"(tags.build, images.{nameless[0]}.tags or .local), or name the others with --images."
        )


def _client() -> Client:
    """Returns the client that build.toml names; where there is no build.toml, the one that is there."""
    import os
    import shutil
    from pathlib import Path

    from ..config import given
    from ..contents import reading

    here = Path.cwd()
    if any((folder / given.NAME).is_file() for folder in (here, *here.parents)):
        return reading.project(here, os.environ).client
    return "podman" if shutil.which("podman") and not shutil.which("docker") else "docker"


@dataclass(frozen=True, kw_only=True)
class Extracting(Choice):
    """The flags of `extract`."""

    dir: str = flag("artifacts", "the folder they are written to, each image's below NAME/OS-ARCH")


@command("images", "group", "platforms", *SETTINGS, "json")
def extract(choice: Extracting) -> None:
    """Take files out of images that the engine has: those of `extract` in build.toml, for every platform.

    Nothing of an image is run. Either all files appear or none.
    """
    from pathlib import Path

    from ..engine import extracting
    from ..errors import ConfigError
    from ..report import handing_over
    from .asking import ask

    asked = ask(choice, engine=False)
    paths = {image.name: asked.project.images[image.name].extract for image in asked.plan.selected}
    wanted = [(image, paths[image.name]) for image in asked.plan.selected if paths[image.name]]
    if not wanted:
        raise ConfigError(
            "none of the images says what is taken out of it. In build.toml:\n"
            '  [images.api]\n  extract = { "/usr/local/bin/api" = "api" }'
        )
    _require_names([image for image, _ in wanted])
    extracted = extracting.extract(asked.plan.client, wanted, Path(choice.dir))
    handing_over.show_extracted(extracted, json=choice.json)
