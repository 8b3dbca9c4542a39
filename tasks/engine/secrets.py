"""The secrets of a build: whether they are there, and their bytes for those who must not show them.

What a secret is goes from here to BuildKit's own client by a path or a variable's name, and to those who look
for it in images and logs as bytes: into no argument list, no plan, no message.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import SurroundingsError
from ..homes import expanded
from ..model import Secret
from ..planning.plan import Plan, PlannedImage

LEAST = 6
"""Bytes that a secret, or a part of one, must have to be hidden or looked for: shorter ones are everywhere."""
_WORD = 12
# In a file of several words those that follow one of these are secret by themselves: .netrc, INI, YAML, .env.
_AFTER = re.compile(
    rb"(?:password|passwd|token|secret|account|key|auth)\"?\s*[:= ]\s*[\"']?([^\s\"']+)", re.IGNORECASE
)
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
            yield one.id, os.fsencode(environ[one.env])
        elif one.file and not _problem(one, path := _path(one, root, environ), environ):
            yield one.id, path.read_bytes()


def hidden(image: PlannedImage, root: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the texts that no line of a log may show: what secrets may look like, and their lines; longest first."""
    found: set[str] = set()
    for _, value in contents(image, root, environ):
        parts = {line.strip() for line in value.splitlines()}
        parts |= {base64.b64encode(part) for part in (value, value.strip())}  # to its last letter
        parts = forms(value) | {part for part in parts if len(part) >= LEAST}
        found |= {part.decode("utf-8", "replace") for part in parts}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def forms(value: bytes) -> set[bytes]:
    """Returns everything a secret may look like elsewhere: itself, its telling parts, and all that in base64."""
    whole = value.strip()
    parts = {whole} | {word.strip() for word in _AFTER.findall(whole)}
    lines = [line.strip() for line in whole.splitlines()]
    if len(lines) > 1:
        # One line of a key, or one word of a list of tokens, gives it away; headings and host names do not.
        parts |= {word for line in lines for word in line.split() if _is_random(word)}
    plain = {part for part in parts if len(part) >= LEAST}
    return plain | {coded for part in plain for coded in _base64(part)}


def _base64(part: bytes) -> Iterator[bytes]:
    """Yields what stands for these bytes in any base64 text that holds them, wherever in it they begin."""
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + part)
        # The first characters also stand for what comes before, the last for what comes after.
        first = (0, 2, 3)[shift]
        last = len(coded) if (shift + len(part)) % 3 == 0 else len(coded.rstrip(b"=")) - 1
        core = coded[first:last]
        if len(core) >= LEAST:
            yield core
            yield core.translate(bytes.maketrans(b"+/", b"-_"))


def _is_random(word: bytes) -> bool:
    kinds = (re.search(rb"[a-z]", word), re.search(rb"[A-Z]", word), re.search(rb"\d", word))
    return len(word) >= _WORD and sum(map(bool, kinds)) > 1 and b"." not in word[1:-1]


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
    return root / expanded(one.file, environ)


def _ssh(
    image: PlannedImage, given: Iterable[str], root: Path, environ: Mapping[str, str], missing: list[str]
) -> Iterator[str]:
    """Yields the SSH entries with paths; newer buildx asks no leave for those, as it does for a bare agent."""
    for one in given:
        name, _, place = one.partition("=")
        place = place or environ.get(AGENT, "")
        path = root / expanded(place, environ)
        if not place:
            said = f"no agent is running ({AGENT} is not set). Start one: eval $(ssh-agent); ssh-add"
        elif not path.exists():
            said = f"there is no {place}"
        else:
            yield f"{name}={path}"
            continue
        missing.append(f"ssh {name} of image {image.name}: {said}.")
