"""A read document -> Project. Everything the file alone can get wrong is found, all of it before anything is raised.

What needs the facts of the moment (versions, git, the engine) is left to planning.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import ConfigError
from ..model import Builder, Image, Project, Releasing, TagRules
from . import caches, checking, constants, contracts, matching, mentions, mirror
from . import registries as places
from .document import Document
from .findings import Finding, report
from .given import NAME
from .groups import groups
from .images import image, spread
from .lockstep import locksteps
from .versions import fleet_sources


def resolve(document: Document) -> Project:
    """Turns a document into a Project. Raises ConfigError with every finding."""
    findings = list(document.findings)
    tables = constants.settled(document, findings)
    document = replace(document, tables=tables)
    if not tables.images and not document.lacks("images"):
        findings.append(Finding("images", "is empty: an image is a table [images.NAME]"))
    places.check(document, findings)
    places.permanent(document, findings)
    matching.check(document, findings)
    version = fleet_sources(document, findings)
    entries = spread(document, findings)
    unread = (str(place[1]) for place in document.left_out if place[0] == "images" and len(place) == 2)
    names = dict.fromkeys([*entries, *unread])
    images: dict[str, Image] = {}
    lent = {
        title for table in (tables.defaults, *tables.images.values()) for title in contracts.titles(table)
    }
    for name, entry in entries.items():
        found = image(document, entry, findings, lent)
        if found is not None:
            images[name] = found
    sets = groups(document, names, images.values(), findings)
    stand_ins = mirror.stand_ins(document, findings)
    repeated = locksteps(document, images, sets, findings)
    shared = contracts.contract(tables.defaults, "defaults", findings, known=lent)
    pairs = [(entries[name], image) for name, image in images.items()]
    mentions.check(document, names, pairs, shared, findings)
    lint, scan = checking.linting(document, findings), checking.scanning(document, findings)
    kept = caches.cache(document, findings)
    if findings:
        raise ConfigError(report(document.root / NAME, findings))
    return Project(
        root=document.root,
        name=tables.project.name or document.root.name,
        registries=places.registries(tables),
        declared=tuple(
            dict.fromkeys((*places.registries(document.declared), *places.registries(document.written)))
        ),
        version=version,
        images=images,
        constants=tables.constants,
        tags=TagRules(**{name: tuple(words) for name, words in tables.tags}),
        groups=sets,
        builder=Builder(
            tables.builder.name,
            tables.builder.driver,
            tuple(node.model_dump(exclude_defaults=True) for node in tables.builder.nodes),
        ),
        client=tables.engine.client,
        release=_releasing(document),
        parallel=tables.engine.parallel,
        mirror=stand_ins,
        lockstep=repeated,
        origins=document.origins,
        flavours=tuple(document.written.flavours),
        contract=shared,
        linting=lint,
        scanning=scan,
        cache=kept,
    )


def _releasing(document: Document) -> Releasing:
    table = document.tables.release
    return Releasing(
        branches=tuple(table.branches),
        gates=tuple(dict.fromkeys(table.gates)),
        sign=table.sign,
        sbom=table.sbom or "sbom" in table.gates,
        provenance=table.provenance,
        permanent=tuple(table.permanent),
        git=table.git,
        promote={name: (entry.source, entry.to) for name, entry in document.tables.promote.items()},
    )
