"""Where images are published: one registry or several, each with its owner, repositories and tags."""

from __future__ import annotations

import re
from collections import Counter

from ..errors import ConfigError, available, nearest
from ..model import REPOSITORY, Reference, Registry
from .document import Document
from .findings import Finding
from .schema import BuildToml

HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?")


def registries(tables: BuildToml) -> tuple[Registry, ...]:
    """Returns the registries as tables say them, whatever is wrong with them."""
    project = tables.project
    if project.registries is None:
        found = [] if project.registry is None else [project.registry]
        return tuple(Registry(host, project.owner, project.repository) for host in found)
    return tuple(
        Registry(
            entry.host,
            project.owner if entry.owner is None else entry.owner,
            entry.repository or project.repository,
            None if entry.tags is None else tuple(entry.tags),
        )
        for entry in project.registries
    )


def check(document: Document, findings: list[Finding]) -> None:
    """Adds what is wrong with where images are to be published."""
    project = document.tables.project
    listed = list(enumerate(project.registries or []))
    if project.registry is not None and project.registries is not None:
        findings.append(Finding("project", "give `registry` or `registries`, not both"))
    unread = {place[:2] for place in document.left_out} & {
        ("project",),
        ("project", "registry"),
        ("project", "registries"),
    }
    if not (project.registry or listed or unread):
        findings.append(Finding("project.registry", 'is missing: where images are published, "ghcr.io" say'))
    # From outside it is one registry that is said, which takes the place of all that are listed.
    one = "project.registry" in document.origins
    hosts = [("project.registry", project.registry)]
    hosts += [
        ("project.registry" if one else f"project.registries.{at}.host", entry.host) for at, entry in listed
    ]
    owners = [("project.owner", project.owner)]
    owners += [(f"project.registries.{at}.owner", entry.owner or "") for at, entry in listed]
    hosts += [(f"promote.{name}.to", entry.to) for name, entry in document.tables.promote.items()]
    for where, text, problem in (
        *((where, text, _host_problem(text)) for where, text in hosts if text),
        *((where, text, _owner_problem(text)) for where, text in owners if text),
    ):
        if problem:
            findings.append(document.finding(where, f'"{text}" {problem}'))
    for registry, count in Counter(registries(document.tables)).items():
        if count > 1:
            findings.append(
                Finding("project.registries", f"lists {registry.host} {count} times in the same way")
            )


def permanent(document: Document, findings: list[Finding]) -> None:
    """Adds every host of release.permanent that nothing is published or promoted to: a typo would say nothing."""
    tables = (document.tables, document.declared, document.written)
    targets = [registry.host for one in tables for registry in registries(one)]
    targets += [entry.to for entry in document.tables.promote.values()]
    known = dict.fromkeys(host for text in targets if (host := _host(text)))
    for at, host in enumerate(document.tables.release.permanent if known else ()):
        if host not in known:
            findings.append(
                document.finding(
                    f"release.permanent.{at}",
                    f'"{host}" is no host that this fleet is published to{nearest(host, known)}. '
                    f"{available('hosts', list(known))}",
                )
            )


def _host(text: str) -> str:
    """Returns the host of a registry as names have it, "" where it is none."""
    try:
        return Reference.parse(f"{text}/any").host
    except ConfigError:
        return ""


def _host_problem(text: str) -> str:
    host, _, path = text.partition("/")
    if "://" in text:
        return f'must be a host or host/path, no URL: "{text.partition("://")[2].strip("/")}"'
    if HOST.fullmatch(host) and (not path or REPOSITORY.fullmatch(path)) and not text.endswith("/"):
        return ""
    return (
        'is no registry, which is a host, host:port or host/path: "ghcr.io", "localhost:5000", "ghcr.io/acme"'
    )


def _owner_problem(text: str) -> str:
    if REPOSITORY.fullmatch(text):
        return ""
    lower = text.lower().strip("/")
    hint = f' (did you mean "{lower}"?)' if REPOSITORY.fullmatch(lower) else ""
    return f"cannot stand in a reference: lower-case letters and digits, with . _ - / between them{hint}"
