"""`[cache]`: constants expanded, the repository checked. Which image gets which key is planning's matter."""

from __future__ import annotations

from ..errors import ConfigError
from ..model import Cache, Reference
from . import templates
from .document import Document
from .findings import Finding


def cache(document: Document, findings: list[Finding]) -> Cache:
    """Returns the caches, and adds what is wrong with them."""
    table = document.tables.cache
    known = dict(document.tables.constants)

    def expanded(where: str, text: str, *more: str) -> str:
        fields = known | {name: f"{{{name}}}" for name in more}
        if problem := templates.unknown(text, fields):
            findings.append(document.finding(where, problem))
            return ""
        return templates.expand(text, fields.__getitem__)

    registry = expanded("cache.registry", table.registry)
    if registry:
        try:
            tagged = Reference.parse(registry)
            problem = f'"{registry}" names more than a repository' if tagged.tag or tagged.digest else ""
        except ConfigError as error:
            problem = str(error)
        if problem:
            findings.append(document.finding("cache.registry", problem))
    others = tuple(expanded("cache.others", text, "image", "platform") for text in table.others)
    findings += [
        document.finding("cache.others", f'"{text}" names no kind of cache: type=…')
        for text in others
        if text and "type=" not in text
    ]
    return Cache(registry, expanded("cache.local", table.local), others, table.mode, tuple(table.write))
