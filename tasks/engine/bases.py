"""Which digests outside bases stand at, as the builder itself finds them.

Asking the builder and not a registry makes what is locked what is built: its mirrors, its credentials and
images it has only locally are all in the answer.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..buildkit.rawjson import Decoder
from ..buildkit.remedy import remedy
from ..config.lock import Base
from ..errors import SurroundingsError
from ..planning.familiar import familiar
from . import bake, inquiry, processes
from .together import together

if TYPE_CHECKING:
    from python_on_whales import DockerClient

_FROM = re.compile(r"\] FROM (?P<reference>\S+)@(?P<digest>sha256:[0-9a-f]{64})")
# A step after FROM in an image that is nothing but FROM is an ONBUILD trigger of the base. Only a step under
# our own target's name counts: a FROM that another build asks for at the same moment bears that build's name.
_TRIGGER = re.compile(r"\[base(?P<number>\d+) (?:\S+ )?(?!1/)\d+/\d+\] (?P<text>.*)", re.DOTALL)
# Its text, variables expanded, where it takes what no context holds.
_FETCHING = re.compile(
    r"ADD (?!.*--checksum=\S).*(://|\w@[\w.-]+:|\.git\b)|COPY .*--from=|RUN .*\bfrom=", re.DOTALL
)
_MISSING = re.compile(r"ERROR: .*?(?P<reference>\S+): failed to resolve source metadata")
_ATTEMPTS = 3


class NoBaseError(SurroundingsError):
    """A base cannot be had: `reference` is its name, `said` what the builder says."""

    def __init__(self, reference: str, said: str) -> None:
        super().__init__(f"the base image {reference} cannot be had: {said}")
        self.reference = reference
        self.said = said


class _Listener:
    """Hears what bake says and keeps the names of its steps."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.decoder = Decoder()

    def feed(self, text: str) -> None:
        self._keep(self.decoder.feed(text))

    def close(self, *, succeeded: bool) -> None:
        del succeeded
        self._keep(self.decoder.close())

    def _keep(self, messages: Iterable[dict[str, Any]]) -> None:
        for message in messages:
            self.names |= {vertex.get("name", "") for vertex in message.get("vertexes") or ()}


def resolve(
    docker: DockerClient, wanted: Mapping[str, Collection[str]], *, builder: str = "", fresh: bool = False
) -> dict[str, Base]:
    """Returns the digest of each reference, wanted for these platforms, all asked in one call.

    `fresh` asks the registry even where the engine has the image. Raises SurroundingsError for a base that
    cannot be had.
    """
    found: dict[str, Base] = {}
    silent = 0
    while waiting := {name: wanted[name] for name in sorted(set(wanted) - set(found))}:
        listener = _Listener()
        with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
            baked = bake.run(docker, _bakefile(waiting, folder, fresh=fresh), Path(folder), listener, builder)
        triggers = _triggers(listener.names)
        matches = [match for match in map(_FROM.search, listener.names) if match]
        digests = {familiar(match["reference"]): match["digest"] for match in matches}
        answered = {
            reference: Base(digests[familiar(reference)], number in triggers, triggers.get(number, False))
            for number, reference in enumerate(waiting)
            if familiar(reference) in digests
        }
        # A trigger that cannot run in an empty context fails the call: what was answered is known all the same.
        if answered and (baked.succeeded or any(base.onbuild for base in answered.values())):
            found |= _declaring(docker, answered, wanted, builder)
            continue
        # A busy BuildKit may be done before it is asked for its steps, and then tells none of them.
        silent += 1
        errors = [line for line in listener.decoder.plain if line.startswith("ERROR: ")]
        if errors or silent == _ATTEMPTS:
            inquiry.serves()  # an engine that is gone, or a buildx that is too old, is no base's failure
            raise NoBaseError(*_refusal(listener.decoder.plain, errors, waiting))
    return found


def _triggers(steps: Iterable[str]) -> dict[int, bool]:
    """Returns the numbers of the bases with triggers that make steps, and whether one of them fetches."""
    found: dict[int, bool] = {}
    for match in filter(None, map(_TRIGGER.match, steps)):
        number = int(match["number"])
        found[number] = found.get(number, False) or _FETCHING.match(match["text"]) is not None
    return found


def _declaring(
    docker: DockerClient,
    answered: Mapping[str, Base],
    wanted: Mapping[str, Collection[str]],
    builder: str,
) -> dict[str, Base]:
    """Returns the bases, with triggers where these make no step and declare an ARG: it lets a child's arguments in."""

    def asked(reference: str) -> bool:
        with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
            Path(folder, "Dockerfile").write_text(f"FROM {reference}\n", encoding="utf-8")
            call = [*docker.client_config.docker_cmd, "buildx", "build"]
            call += ["--builder", builder] if builder else []
            call += ["--print=outline,format=json", "--output=type=cacheonly"]
            call += [f"--platform={min(wanted[reference])}", folder]
            # buildx 0.13 counts the outline among its experiments.
            done = processes.run(call, env={"BUILDX_EXPERIMENTAL": "1"})
        # A frontend or buildx of another age tells no outline: then triggers are those that make steps.
        try:
            return bool(done) and bool(json.loads(done.out).get("args"))
        except (ValueError, AttributeError):
            return False

    silent = [reference for reference, base in answered.items() if not base.onbuild]
    declare = dict(zip(silent, together(asked, silent), strict=True))
    return {
        reference: replace(base, onbuild=base.onbuild or declare[reference])
        for reference, base in answered.items()
    }


def _bakefile(bases: Mapping[str, Collection[str]], folder: str, *, fresh: bool) -> dict[str, Any]:
    targets: dict[str, Any] = {
        f"base{number}": {
            "context": folder,
            "dockerfile-inline": f"FROM {reference}\n",
            "platforms": sorted(platforms),
            "pull": fresh,
            "output": ["type=cacheonly"],
            "attest": ["type=provenance,disabled=true"],
        }
        for number, (reference, platforms) in enumerate(bases.items())
    }
    # buildx puts target names before steps only where there are several targets.
    targets["second"] = {
        "context": folder,
        "dockerfile-inline": "FROM scratch\n",
        "output": ["type=cacheonly"],
    }
    return {"target": targets, "group": {"default": {"targets": list(targets)}}}


def _refusal(plain: Iterable[str], errors: Sequence[str], bases: Iterable[str]) -> tuple[str, str]:
    """Returns which base cannot be had (one, or the first of those asked), and what the builder says of it."""
    text = "\n".join(plain)
    match = _MISSING.search(text)
    name = match["reference"] if match else next(iter(bases))
    if not errors:
        return name, f"asked {_ATTEMPTS} times, the builder told no digest\n{text}".rstrip()
    said = errors[-1].removeprefix("ERROR: failed to solve: ")
    return name, "\n".join(filter(None, [said, remedy(text, "")]))
