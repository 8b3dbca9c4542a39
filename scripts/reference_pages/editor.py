"""docs/build.schema.json: the JSON Schema of build.toml, for editors. It also admits the short forms."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from tasks.config import schema as tables

# What may stand for the longer form, by the function that reads it.
SHORT = {
    "_command": ("string",),
    "_duration": ("string",),
    "_frozen": ("string", "boolean"),
    "_range": ("number", "string"),
    "_switch": ("boolean",),
}


class EditorSchema(GenerateJsonSchema):
    """Says what may stand in the file, where pydantic says what it becomes: bare numbers, one source for a list."""

    def function_before_schema(self, schema: Any) -> JsonSchemaValue:
        """Returns the schema of a value that is read by a function first."""
        becomes = self.generate_inner(schema["schema"])
        reader = schema["function"]["function"].__name__
        if reader == "_text":
            return {"type": ["string", "number", "boolean"]}
        if reader == "_sources":
            return {"anyOf": [{"type": "string"}, becomes["items"], becomes]}
        if short := SHORT.get(reader):
            return {"anyOf": [{"type": kind} for kind in short] + [becomes]}
        return becomes


def schema() -> str:
    """Returns the schema's text."""
    made = tables.BuildToml.model_json_schema(schema_generator=EditorSchema)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": "build.toml"}
    return json.dumps(head | _tidied(made), indent=2, ensure_ascii=False) + "\n"


def _tidied(node: Any) -> Any:
    """Drops the titles and nulls that say nothing to a person: TOML has no null."""
    if isinstance(node, list):
        return [_tidied(one) for one in node if one != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, value in node.items():
        if (key == "title" and isinstance(value, str)) or (key == "default" and value is None):
            continue
        out[key] = _tidied(value)
    either = out.get("anyOf")
    if isinstance(either, list) and len(either) == 1:
        del out["anyOf"]
        out = {**either[0], **out}
    return out
