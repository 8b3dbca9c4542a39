"""A secret's bytes where they must not be: in any layer (also one that a later layer hides), history, configuration.

It is given the secrets, looks for them plain and in base64, and never says what they are: only which one, and where.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from ..engine import secrets
from ..evidence.evidence import Evidence
from ..planning.plan import Plan, PlannedImage
from .finding import Finding

RULE = "leak"
LEAST = 6
"""Bytes a secret must have to be looked for: shorter ones are everywhere."""
_WORD = 12
_BLOCK = 1 << 20
# In a file of several words those that follow one of these are secret by themselves: .netrc, INI, YAML, .env.
_AFTER = re.compile(
    rb"(?:password|passwd|token|secret|account|key|auth)\"?\s*[:= ]\s*[\"']?([^\s\"']+)", re.IGNORECASE
)


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
        elif not forms(here[one.id]):
            yield f"the secret {one.id} is too short to be told from other text (under {LEAST} bytes)"


def check(evidence: Evidence, known: Iterable[SecretBytes]) -> list[Finding]:
    """Returns one finding for each secret and place it is found in."""
    wanted = {form: secret.id for secret in known for form in forms(secret.value)}
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


def forms(value: bytes) -> set[bytes]:
    """Returns everything a secret may look like in an image: itself, its telling parts, and all that in base64."""
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
