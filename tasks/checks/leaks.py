"""A secret's bytes where they must not be: in any layer (also one that a later layer hides), history, configuration.

It is given the secrets, looks for them plain and in base64, and never says what they are: only which one, and where.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from ..engine import secrets
from ..evidence.evidence import Evidence
from ..planning.plan import Plan, PlannedImage
from .finding import Finding

RULE = "leak"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class SecretBytes:
    """One secret of an image: its id, and its bytes, which are never shown."""

    id: str
    value: bytes = field(repr=False)


def of_plan(plan: Plan, environ: Mapping[str, str]) -> tuple[SecretBytes, ...]:
    """Returns the secrets of a plan's images that are here: any of them may have got into any image."""
    found = (one for image in plan.images for one in secrets.contents(image, plan.root, environ))
    return tuple(SecretBytes(name, value) for name, value in dict.fromkeys(found))


def unlooked(plan: Plan, image: PlannedImage, environ: Mapping[str, str]) -> Iterator[str]:
    """Yields for each secret of an image why it cannot be looked for."""
    here = dict(secrets.contents(image, plan.root, environ))
    for one in image.secrets:
        if one.id not in here:
            yield f"the secret {one.id} is not here ({one}), so its bytes cannot be looked for"
        elif not secrets.forms(here[one.id]):
            yield f"the secret {one.id} is too short to be told from other text (under {secrets.LEAST} bytes)"


def check(evidence: Evidence, known: Iterable[SecretBytes]) -> list[Finding]:
    """Returns one finding for each secret and place it is found in."""
    wanted = {form: secret.id for secret in known for form in secrets.forms(secret.value)}
    if not wanted:
        return []
    found: dict[tuple[str, str], Finding] = {}

    def add(form: bytes, where: str, what: str) -> None:
        name = wanted[form]
        detail = f"the secret {name} is in {what}. Whoever has the image has it: give it out anew"
        found.setdefault((name, where), Finding(RULE, detail, where=where, error=True))

    texts = {"the configuration": evidence.configuration.raw, "the manifest": evidence.manifest}
    for what, value in texts.items():
        for form in _seen(_flat(value), wanted):
            add(form, what, what)
    for layer, entry, content in evidence.everything():
        of = f"in the layer of: {_quiet(layer.created_by.removesuffix(' # buildkit'), wanted)}"
        for form in _seen(f"{entry.path}\n{entry.target}".encode("utf-8", "surrogateescape"), wanted):
            add(form, "a file's name", f"a file's name, {of}")
        for form in _in(content, wanted):
            add(form, entry.path, f"{entry.path}, {of}")
    return list(found.values())


def _in(content: IO[bytes], wanted: Collection[bytes]) -> Iterator[bytes]:
    """Yields what is found in a content of any length, also across the blocks it is read in."""
    overlap = max(map(len, wanted)) - 1
    before = b""
    while block := content.read(_BLOCK):
        text = before + block
        yield from _seen(text, wanted)
        before = text[-overlap:]


def _seen(text: bytes, wanted: Collection[bytes]) -> Iterator[bytes]:
    """Yields what is in a text; one search for each is far quicker than one expression for all."""
    return (form for form in wanted if form in text)


def _flat(value: Mapping[str, object]) -> bytes:
    """Returns every text in a JSON value, unescaped: quotes and backslashes stand as they are in the secret."""
    texts: list[str] = []
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        else:
            texts.append(one if isinstance(one, str) else json.dumps(one))
    return "\n".join(texts).encode("utf-8", "surrogateescape")


def _quiet(text: str, wanted: Collection[bytes]) -> str:
    """Returns a line of the history in which no secret is left to be read."""
    quiet = text.encode("utf-8", "surrogateescape")
    for form in sorted(wanted, key=len, reverse=True):
        quiet = quiet.replace(form, b"***")
    return quiet.decode("utf-8", "replace")
