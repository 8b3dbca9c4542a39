"""The secrets of a build: whether they are there, and their bytes for those who must not show them.

What a secret is goes from here to BuildKit's own client by a path or a variable's name, and to those who look
for it in images and logs as bytes: into no argument list, no plan, no message.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import SurroundingsError
from ..model import Secret
from ..planning.plan import Plan, PlannedImage

SHORTEST = 6
"""Characters that a line of a secret must have to be hidden in a log: shorter ones are everywhere."""
AGENT = "SSH_AUTH_SOCK"


def settled(plan: Plan, environ: Mapping[str, str], *, required: bool = True) -> Plan:
    """Returns the plan with what is really there: files by their whole paths, optional secrets that lack left out.

    Raises SurroundingsError, with all that is missing, if what is to be built is `required` to have its secrets.
    """
    missing: list[str] = []
    images = tuple(
        image if image.action == "reuse" else _settled(image, plan.root, environ, missing)
        for image in plan.images
    )
    if missing and required:
        raise SurroundingsError("\n".join(dict.fromkeys(missing)))
    return replace(plan, images=images)


def contents(image: PlannedImage, root: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yields (id, bytes) of an image's secrets that are there; whoever takes them shows them to nobody."""
    for one in image.secrets:
        if one.env and environ.get(one.env):
            yield one.id, environ[one.env].encode()
        elif one.file and (path := _path(one, root, environ)).is_file():
            yield one.id, path.read_bytes()


def hidden(image: PlannedImage, root: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the texts that no line of a log may show: secrets, their lines, and both in base64; longest first."""
    found: set[str] = set()
    for _, value in contents(image, root, environ):
        lines = [line.strip() for line in value.decode("utf-8", "replace").splitlines()]
        found |= {line for line in lines if len(line) >= SHORTEST}
        found |= {base64.b64encode(part).decode() for part in (value, value.strip()) if len(part) >= SHORTEST}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def _settled(image: PlannedImage, root: Path, environ: Mapping[str, str], missing: list[str]) -> PlannedImage:
    kept = []
    for one in image.secrets:
        path = _path(one, root, environ)
        problem = _problem(one, path, environ)
        if not problem or not one.optional:
            kept.append(replace(one, file=str(path)) if one.file else one)
        if problem and not one.optional:
            missing.append(
                f"secret {one.id} of image {image.name}: {problem}. Provide it, or say optional = true."
            )
    ssh = tuple(_ssh(image, image.ssh, root, environ, missing))
    return replace(image, secrets=tuple(kept), ssh=ssh)


def _problem(one: Secret, path: Path, environ: Mapping[str, str]) -> str:
    if one.env:
        # An empty variable is what CI makes of a secret that is not there.
        return "" if environ.get(one.env) else f"the variable {one.env} is not set"
    if not path.is_file():
        return f"there is no file {one.file}" + (f" ({path})" if str(path) != one.file else "")
    try:
        with path.open("rb"):
            return ""
    except OSError as error:
        return f"{one.file} cannot be read: {error.strerror}"


def _path(one: Secret, root: Path, environ: Mapping[str, str]) -> Path:
    return _expanded(one.file, root, environ)


def _expanded(text: str, root: Path, environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME", "")
    if home and (text == "~" or text.startswith("~/")):
        return Path(home + text[1:])
    return root / Path(text).expanduser()


def _ssh(
    image: PlannedImage, given: Iterable[str], root: Path, environ: Mapping[str, str], missing: list[str]
) -> Iterator[str]:
    """Yields the SSH entries with paths; newer buildx asks no leave for those, as it does for a bare agent."""
    for one in given:
        name, _, place = one.partition("=")
        place = place or environ.get(AGENT, "")
        path = _expanded(place, root, environ)
        if not place:
            said = f"no agent is running ({AGENT} is not set). Start one: eval $(ssh-agent); ssh-add"
        elif not path.exists():
            said = f"there is no {place}"
        else:
            yield f"{name}={path}"
            continue
        missing.append(f"ssh {name} of image {image.name}: {said}.")
