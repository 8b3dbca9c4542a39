"""`[flavours.NAME]`: settings of build.toml laid over the others when that flavour is asked for.

A flavour is the same fleet built in another way: other Dockerfiles, another registry. It can say whatever the file can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import available, nearest
from .findings import Finding, check
from .given import Override
from .schema import BuildToml

KEYS = ("flavour", "flavours")


def asked(written: BuildToml, overrides: Sequence[Override], findings: list[Finding]) -> str:
    """Returns the flavour that is asked for, "" for none; adds one that the file does not have."""
    said = [Override(KEYS[0], written.flavour, ""), *(one for one in overrides if one.path == KEYS[0])][-1]
    if said.text and said.text not in written.flavours:
        known = list(written.flavours)
        message = f'no flavour "{said.text}"{nearest(said.text, known)}. {available("flavours", known)}'
        findings.append(Finding(KEYS[0], message, said.origin))
        return ""
    return said.text


def laid(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Returns the file's tables with a flavour laid over them: tables are joined key by key, all else is replaced."""
    over = {key: value for key, value in raw[KEYS[1]][name].items() if key not in KEYS}
    return _joined(raw, over)


def judge(raw: Mapping[str, Any], written: BuildToml, findings: list[Finding]) -> None:
    """Adds what is wrong with any flavour, asked for or not, that is not wrong without it."""
    known = {str(finding) for finding in findings}
    for name in written.flavours:
        _, found, _ = check(laid(raw, name))
        findings += [
            Finding(f"flavours.{name}.{one.where}", one.message) for one in found if str(one) not in known
        ]


def _joined(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _joined(found[key], value) if both else value
    return found
