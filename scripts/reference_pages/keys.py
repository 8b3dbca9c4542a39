"""docs/reference/build-toml.md: every key of build.toml, from the schema's fields and their descriptions."""

from __future__ import annotations

import typing
from inspect import getdoc
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tasks.config import (
    cache_table,
    checking_table,
    contract_table,
    image_table,
    lockstep_table,
    release_table,
    schema,
    secret_table,
    tables,
    templates,
)
from tasks.config.images import MERGED

from .markdown import cell, code, note, sentence, table

HEAD = """\
# build.toml

Write build.toml at the root of the repository. Tasks find it from any folder below. Paths in it are relative to it.
A key that is not listed here is an error, and the message names the nearest key that is.

A setting's value comes from the first of these that gives one: the command line, the environment (through `[env]`),
build.toml, the default below. `inv plan` says which settings did not come from the file. A flag for all images
(`--tags`, `--platforms`, `--owner`) also wins over an image's own key. An empty one says nothing:
with `--owner "$OWNER"` and no OWNER, build.toml's owner stays.

Editors can complete and check the file: see [below](#in-an-editor).
"""

TABLES: dict[str, type[BaseModel]] = {
    "[project]": tables.ProjectTable,
    "[[project.registries]]": tables.RegistryTable,
    "[version]": tables.VersionTable,
    "[[version.sources]]": tables.SourceTable,
    "[tags]": tables.TagsTable,
    "[images.NAME] and [defaults]": image_table.ImageTable,
    "[images.NAME.secrets.ID]": secret_table.SecretTable,
    "[images.NAME.expect]": contract_table.ExpectTable,
    "[images.NAME.expect.healthcheck]": contract_table.HealthcheckTable,
    "[images.NAME.expect.files.PATH]": contract_table.FileTable,
    "[[images.NAME.tests]]": contract_table.TestTable,
    "[[lockstep]]": lockstep_table.LockstepTable,
    "[builder]": tables.BuilderTable,
    "[[builder.nodes]]": tables.NodeTable,
    "[cache]": cache_table.CacheTable,
    "[engine]": tables.EngineTable,
    "[lint]": checking_table.LintTable,
    "[scan]": checking_table.ScanTable,
    "[release]": release_table.ReleaseTable,
    "[promote.NAME]": release_table.PromoteTable,
}

AFTER = {
    "[images.NAME] and [defaults]": (
        f"An image's {', '.join(map(code, MERGED[:-1]))} and {code(MERGED[-1])} are added to those of `[defaults]`, "
        "key by key; any other key of its own replaces the default.\n\n"
        "With `matrix` one table stands for several images, one for each combination; its name is then a template: "
        '`[images."probe-{kind}"]` with `matrix = { kind = ["http", "tcp"] }`. A value may be a table, whose parts are '
        "`{v.id}`, `{v.url}`.\n\n"
        "`expect` and `tests` are inherited from the sibling that the image's last stage stands on, then from "
        "`[defaults]`: tests are added (one of the same name takes the other's place), `env`, `labels` and `files` are "
        "joined key by key, any other key replaces what was inherited. `size` and `waive` come from "
        "`[defaults]` alone.\n"
    ),
}

FIELDS = {
    "registry": "the registry's host (and path) a reference is for",
    "owner": "the owner there",
    "image": "the image's name",
    "version": "the image's own version, or the fleet's",
    "major": "`1` of version 1.2.3",
    "minor": "`2` of version 1.2.3",
    "sha": "seven digits of the commit",
    "revision": "all digits of the commit",
    "branch": "the branch, made fit for a tag; the commit where there is none",
    "tag": "the git tag on HEAD",
    "date": "the commit's date",
    "created": "the commit's date, time and zone (RFC 3339)",
}

TAIL = """\
## Templates

Texts of `args`, `contexts`, `labels`, `tags`, `local`, `aliases`, `repository` and of `[[lockstep]]` may hold these
fields, and so may `env` and `labels` of `expect`, and `run`, `output` and `env` of `tests`. An unknown one is an error;
`{{` and `}}` stand for braces.

"""

EDITOR = """\
## In an editor

The schema serves every editor that reads JSON Schema for TOML. With Taplo (Even Better TOML in VS Code) the first line
of build.toml names it, as a path relative to build.toml or a URL:

```toml
#:schema ./build.schema.json
```

The file is [docs/build.schema.json](../build.schema.json) in a checkout of Argosy; copy it beside your build.toml.
"""


def page() -> str:
    """Returns the whole page."""
    parts = [note("tasks/config/schema.py"), HEAD, "## The file's tables\n", section(schema.BuildToml)]
    for title, model in TABLES.items():
        parts += [f"## {title}\n", sentence(getdoc(model) or "") + "\n", section(model)]
        parts += [AFTER[title]] if title in AFTER else []
    if undocumented := {*templates.FIELDS} ^ {*FIELDS}:
        raise LookupError(
            f"template fields and their descriptions in {__file__} differ: {sorted(undocumented)}"
        )
    fields = [(code(f"{{{name}}}"), meaning) for name, meaning in FIELDS.items()]
    fields += [
        (code("{image.NAME}"), "the first reference that image is built under in this run"),
        (code("{repository.NAME}"), "the same without its tag"),
        (code("{NAME}"), "a value of `[constants]`, or of the image's matrix"),
    ]
    return "\n".join([*parts, TAIL + table(("field", "is"), fields), EDITOR])


def section(model: type[BaseModel]) -> str:
    """Returns one table's keys."""
    rows = (
        (code(name), kind(field.annotation), default(field), field.description or "")
        for name, field in schema.fields_of(model).items()
    )
    return table(("key", "type", "default", "meaning"), rows)


def kind(annotation: Any) -> str:
    """Returns a type in TOML's words."""
    plain = schema.plain(annotation)
    if plain == list[tables.SourceTable]:
        return "text, a source, or a list of sources"
    origin, inner = typing.get_origin(plain), typing.get_args(plain)
    if origin is Literal:
        return " or ".join(code(written(value)) for value in inner)
    if origin is list:
        return "list" if inner[0] is Any else f"list of {plural(kind(inner[0]))}"
    if origin is dict:
        return f"table of {plural(kind(inner[1]))}"
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        return "table"
    return {str: "text", bool: "true or false", int: "whole number", float: "number"}.get(plain, "any value")


def plural(word: str) -> str:
    """Returns the word for several."""
    first, _, rest = word.partition(" of ")
    return {"text": "texts", "table": "tables", "list": "lists"}.get(first, first) + (
        f" of {rest}" if rest else ""
    )


def default(field: FieldInfo) -> str:
    """Returns a default as it would be written, or that there is none."""
    if field.is_required():
        return "**needed**"
    value = field.get_default()
    if value in (None, "", [], {}) or isinstance(value, BaseModel):
        return ""
    return code(written(value))


def written(value: Any) -> str:
    """Writes a value as TOML does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return f'"{value}"' if isinstance(value, str) else cell(str(value))
